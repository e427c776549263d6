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

    /** Unpacks the model into a temporary Hugging Face folder that is deleted when the JVM exits. */
    public static Path folder() throws IOException {
        Path folder = Files.createTempDirectory("gradus-tiny-llama");
        // Not a shutdown hook, which would run concurrently with the hook of a run that still reads the folder.
        folder.toFile().deleteOnExit();
        for (String name : FILES) {
            try (InputStream content = BuiltInModel.class.getResourceAsStream("tiny-llama/" + name)) {
                if (content == null) {
                    throw new IOException("the built-in model's " + name + " is not in this build of gradus-corpora");
                }
                Files.copy(content, folder.resolve(name));
                folder.resolve(name).toFile().deleteOnExit();
            }
        }
        return folder;
    }
}
