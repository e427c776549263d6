package io.gradus.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The program of {@link LibraryBuildIT} on the module path, where it also runs under {@code FineTuning}. */
class FineTuningBuildIT {
    private static ExternalBuild build;
    private static List<Path> jars;

    @TempDir
    private Path folder;

    @BeforeAll
    static void compile() throws Exception {
        build = ExternalBuild.of("finetuning", "library", "finetuning", "modular");
        jars = build.compile("-Pfinetuning");
    }

    @Test
    void bringsTwoModulesAndTwoJarsMoreThanTheLibrariesAlone() {
        assertThat(ExternalBuild.names(jars))
                .containsExactly(
                        "api", // of DJL
                        "gradus-autograd",
                        "gradus-core",
                        "gradus-data",
                        "gradus-nn",
                        "gradus-optim",
                        "gradus-parallel",
                        "gradus-train",
                        "gson", // of DJL
                        "jackson-annotations",
                        "jackson-core",
                        "jackson-databind",
                        "jackson-dataformat-yaml",
                        "jspecify",
                        "slf4j-api", // of DJL
                        "snakeyaml", // of Jackson
                        "tokenizers"); // of DJL
    }

    @Test
    void ownLoopRunsOnTheModulePath() throws Exception {
        Output output = run("com.example.Train", folder.toString());
        assertThat(output.text("family")).isEqualTo("com.example.Bigram");
        assertThat(output.text("same")).isEqualTo("true");
        assertThat(output.number("loaded")).isEqualTo(output.number("after"));
    }

    @Test
    void ownModelLossAndOptimizerRunUnderFineTuningAndAStoppedRunResumesToTheSameBytes() throws Exception {
        Output output = run("com.example.FineTune", folder.toString());
        assertThat(output.text("family")).isEqualTo("com.example.Bigram");
        assertThat(output.number("after")).isLessThan(output.number("before") / 2);
        assertThat(output.number("stopped")).isEqualTo(10);
        assertThat(Files.mismatch(
                        folder.resolve("whole/model.safetensors"), folder.resolve("resumed/model.safetensors")))
                .as("the first byte in which the two runs' weights differ")
                .isEqualTo(-1);
    }

    private Output run(String main, String... arguments) throws Exception {
        return new Output(Processes.run(
                folder,
                List.of(
                        Processes.tool("java"),
                        "--enable-native-access=io.gradus.core",
                        "--module-path",
                        build.path(jars),
                        "--module",
                        "com.example/" + main,
                        String.join(" ", arguments))));
    }
}
