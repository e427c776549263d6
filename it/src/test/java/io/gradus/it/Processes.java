package io.gradus.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/** Runs programs of the JDK that runs this test. */
final class Processes {
    private static final Path JDK = Path.of(System.getProperty("java.home"));

    private Processes() {}

    /** The path of a program of the JDK, such as {@code java} or {@code jlink}. */
    static String tool(String name) {
        return JDK.resolve("bin").resolve(name).toString();
    }

    /**
     * Runs a command to its end.
     *
     * @return what it printed
     * @throws AssertionError with the output, if the exit code is not 0
     */
    static String run(Path folder, List<String> command) throws IOException, InterruptedException {
        return run(folder, JDK, command);
    }

    /** {@link #run(Path, List)} with another JDK for Maven to run on. */
    static String run(Path folder, Path javaHome, List<String> command) throws IOException, InterruptedException {
        ProcessBuilder builder =
                new ProcessBuilder(command).directory(folder.toFile()).redirectErrorStream(true);
        builder.environment().put("JAVA_HOME", javaHome.toString());
        builder.environment().remove("MAVEN_OPTS");
        builder.environment().remove("MAVEN_ARGS");
        builder.redirectInput(ProcessBuilder.Redirect.from(new java.io.File("/dev/null")));
        Process process = builder.start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor())
                .as("exit code of %s, which printed:%n%s", command, output)
                .isZero();
        return output;
    }
}
