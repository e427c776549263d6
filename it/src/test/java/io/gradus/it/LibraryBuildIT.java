package io.gradus.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A program outside this build that depends on gradus-data, gradus-nn and gradus-optim alone. */
class LibraryBuildIT {
    private static ExternalBuild build;
    private static List<Path> jars;

    @TempDir
    private Path folder;

    @BeforeAll
    static void compile() throws Exception {
        build = ExternalBuild.of("library", "library");
        jars = build.compile();
    }

    @Test
    void bringsFiveModulesAndAtMostTenOtherJars() {
        assertThat(ExternalBuild.names(jars))
                .containsExactly(
                        "api", // of DJL
                        "gradus-autograd",
                        "gradus-core",
                        "gradus-data",
                        "gradus-nn",
                        "gradus-optim",
                        "gson", // of DJL
                        "jackson-annotations",
                        "jackson-core",
                        "jackson-databind",
                        "jspecify",
                        "slf4j-api", // of DJL
                        "tokenizers"); // of DJL
    }

    @Test
    void trainsSavesAndResumesWithItsOwnLayerLossOptimizerAndFamily() throws Exception {
        Output output = new Output(Processes.run(
                folder,
                List.of(
                        Processes.tool("java"),
                        "--add-modules",
                        "jdk.incubator.vector",
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        build.path(jars),
                        "com.example.Train",
                        folder.resolve("run").toString())));
        assertThat(output.text("family")).isEqualTo("com.example.Bigram");
        assertThat(output.number("after")).isLessThan(output.number("before") / 2);
        assertThat(output.text("same"))
                .as("a resumed run has the weights of one that was not interrupted")
                .isEqualTo("true");
        assertThat(output.number("resumed")).isEqualTo(output.number("after"));
        assertThat(output.number("loaded")).isEqualTo(output.number("after"));
        assertThat(folder.resolve("run/tuned")).isDirectoryContaining("glob:**/{config.json,model.safetensors}");
    }
}
