package io.gradus.corpora;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * The model that comes with Gradus: a byte-level Llama of about a million parameters, pre-trained by the example
 * {@code PretrainTinyLlama} on the documentation of well-known libraries.
 */
public final class BuiltInModel {
    private static final List<String> FILES = List.of(
            "config.json", "generation_config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json");

    private BuiltInModel() {}

    /**
     * Unpacks the model into a temporary Hugging Face folder that is deleted when the JVM exits.
     *
     * @throws IOException if the folder for temporary files cannot be written; names the file
     */
    public static Path folder() throws IOException {
        Path folder = Files.createTempDirectory("gradus-tiny-llama");
        // Not a shutdown hook, which would run concurrently with the hook of a run that still reads the folder.
        folder.toFile().deleteOnExit();
        for (String name : FILES) {
            try (InputStream content = BuiltInModel.class.getResourceAsStream("tiny-llama/" + name)) {
                if (content == null) {
                    throw new IOException("the built-in model's " + name + " is not in this build of gradus-corpora");
                }
                Path file = folder.resolve(name);
                file.toFile().deleteOnExit();
                copy(content, file);
            }
        }
        return folder;
    }

    private static void copy(InputStream content, Path file) throws IOException {
        try {
            Files.copy(content, file);
        } catch (IOException e) {
            throw new IOException(
                    file + " cannot be written: " + e.getMessage()
                            + "; free space there, or name another folder for temporary files:"
                            + " GRADUS_JAVA_OPTS=-Djava.io.tmpdir=FOLDER",
                    e);
        }
    }
}
