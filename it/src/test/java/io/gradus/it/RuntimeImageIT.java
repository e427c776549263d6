package io.gradus.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A runtime image of core, autograd, nn and optim, made by jlink, with a program that trains a small network. */
class RuntimeImageIT {
    private static final Pattern JARS = Pattern.compile(
            "(gradus-(core|autograd|nn|optim)|jackson-(core|databind|annotations)|jspecify)-[\\d.]+\\.jar");

    @TempDir
    private static Path folder;

    private static Path java;

    @BeforeAll
    static void link() throws IOException, InterruptedException {
        Path sources = Path.of("image/src").toAbsolutePath();
        List<Path> jars = Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
                .map(Path::of)
                .filter(jar -> JARS.matcher(jar.getFileName().toString()).matches())
                .toList();
        assertThat(jars).as("the modules' jars and those of their dependencies").hasSize(8);
        String modulePath = String.join(
                File.pathSeparator, jars.stream().map(Path::toString).toList());
        List<String> compile = new ArrayList<>(List.of(
                Processes.tool("javac"),
                "--module-path",
                modulePath,
                "-d",
                folder.resolve("classes").toString()));
        try (Stream<Path> files = Files.walk(sources)) {
            files.map(Path::toString).filter(file -> file.endsWith(".java")).forEach(compile::add);
        }
        Processes.run(folder, compile);
        Processes.run(
                folder,
                List.of(
                        Processes.tool("jlink"),
                        "--module-path",
                        modulePath + File.pathSeparator + folder.resolve("classes"),
                        "--add-modules",
                        "com.example.image",
                        "--output",
                        folder.resolve("image").toString()));
        java = folder.resolve("image/bin/java");
    }

    private static String run(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(java.toString()));
        command.addAll(Arrays.asList(arguments));
        return Processes.run(folder, command);
    }

    @Test
    void imageContainsOurModulesTheVectorApiAndJacksonOnly() throws Exception {
        List<String> modules = run("--list-modules")
                .lines()
                .map(line -> line.replaceAll("@.*", ""))
                .toList();
        assertThat(modules)
                .filteredOn(name -> name.matches("[a-z.]+") && !name.startsWith("java."))
                .containsExactlyInAnyOrder(
                        "com.example.image",
                        "com.fasterxml.jackson.annotation",
                        "com.fasterxml.jackson.core",
                        "com.fasterxml.jackson.databind",
                        "io.gradus.autograd",
                        "io.gradus.core",
                        "io.gradus.nn",
                        "io.gradus.optim",
                        "jdk.incubator.vector",
                        "jdk.management",
                        "org.jspecify");
    }

    @Test
    void networkLearnsInTheImageAndItsSavedWeightsGiveTheSameLoss() throws Exception {
        Output output = new Output(run(
                "--enable-native-access=io.gradus.core",
                "-m",
                "com.example.image/com.example.image.TrainInImage",
                folder.resolve("weights.safetensors").toString()));
        double after = output.number("after");
        assertThat(after).isLessThan(output.number("before") / 20).isPositive();
        assertThat(output.number("loaded")).isEqualTo(after);
        assertThat(output.all()).doesNotContain("scalar kernels");
    }
}
