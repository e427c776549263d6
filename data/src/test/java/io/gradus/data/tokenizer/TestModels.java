package io.gradus.data.tokenizer;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;

/** Models that lie beside the repository, if they do. */
final class TestModels {
    private TestModels() {}

    static Path stories260K() {
        Path folder = Path.of(System.getProperty("gradus.shared", "../../shared"), "models", "stories260K");
        assumeTrue(Files.isDirectory(folder), folder + " is absent");
        return folder;
    }
}
