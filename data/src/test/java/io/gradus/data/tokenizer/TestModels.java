package io.gradus.data.tokenizer;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;

/** Models and texts that lie beside the repository, if they do. */
final class TestModels {
    private TestModels() {}

    static Path stories260K() {
        return shared("models/stories260K");
    }

    static Path shared(String name) {
        Path path = Path.of(System.getProperty("gradus.shared", "../../shared")).resolve(name);
        assumeTrue(Files.exists(path), path + " is absent");
        return path;
    }
}
