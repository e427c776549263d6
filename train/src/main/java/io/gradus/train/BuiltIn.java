package io.gradus.train;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * The model that comes with Gradus: a byte-level Llama of about a million parameters, pre-trained by the example
 * {@code PretrainTinyLlama} on the prose of well-known libraries' documentation.
 */
public final class BuiltIn {
    private static final List<String> FILES = List.of(
            "config.json", "generation_config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json");

    private BuiltIn() {}

    /** Unpacks the model into a temporary folder, which goes when the program ends. */
    public static ModelFolder model() throws IOException {
        Path folder = Files.createTempDirectory("gradus-tiny-llama");
        // Not a shutdown hook, which would run beside that of a run that still reads the folder while it is ended.
        folder.toFile().deleteOnExit();
        for (String name : FILES) {
            try (InputStream content = BuiltIn.class.getResourceAsStream("tiny-llama/" + name)) {
                if (content == null) {
                    throw new IOException("the built-in model's " + name + " is not in this build of gradus-train");
                }
                Files.copy(content, folder.resolve(name));
                folder.resolve(name).toFile().deleteOnExit();
            }
        }
        return new ModelFolder(folder);
    }
}
