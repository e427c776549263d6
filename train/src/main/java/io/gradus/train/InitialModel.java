package io.gradus.train;

import io.gradus.data.tokenizer.Tokenizer;
import io.gradus.nn.model.ModelFolder;
import io.gradus.nn.model.PretrainedModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** The initial weights of a model that was given in memory: a temporary folder, deleted when the JVM exits. */
final class InitialModel {
    private InitialModel() {}

    static ModelFolder write(PretrainedModel model, Tokenizer tokenizer) throws IOException {
        Path folder = Files.createTempDirectory("gradus-initial-model");
        tokenizer.save(folder);
        model.save(folder);
        // Not a shutdown hook, which could run while a terminated run still reads the folder.
        folder.toFile().deleteOnExit();
        try (Stream<Path> files = Files.list(folder)) {
            files.forEach(file -> file.toFile().deleteOnExit());
        }
        return new ModelFolder(folder).withHead(model.head());
    }
}
