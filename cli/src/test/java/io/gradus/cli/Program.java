package io.gradus.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Runs the command line in its own process, which a test can kill. */
final class Program {
    /** Properties that select kernels, and so determine the bits of results. Child processes inherit them from the test. */
    private static final List<String> KERNEL_PROPERTIES = List.of("gradus.amx", "gradus.machinecode", "gradus.vectors");

    private Program() {}

    /** Starts {@code gradus finetune}. Its output goes to {@link #log}. */
    static Process finetune(List<String> keys, Path output) throws IOException {
        return start(List.of(), keys, output);
    }

    /** {@link #finetune} in a shell that lets no file grow beyond a number of KiB. */
    static Process finetuneWithFilesUpTo(long kibibytes, List<String> keys, Path output) throws IOException {
        return start(List.of("/bin/bash", "-c", "ulimit -f " + kibibytes + " && exec \"$@\"", "limited"), keys, output);
    }

    /**
     * Starts {@code gradus finetune} by another program.
     *
     * @param by its command, which ends where the command to execute begins
     */
    static Process start(List<String> by, List<String> keys, Path output) throws IOException {
        return start(by, keys, output, output);
    }

    /**
     * {@link #start(List, List, Path)} with another place for the messages.
     *
     * @param log whose {@link #log} gets the messages
     */
    static Process start(List<String> by, List<String> keys, Path output, Path log) throws IOException {
        List<String> command = new ArrayList<>(by);
        command.addAll(command(List.of(), keys, output));
        return start(new ProcessBuilder(command), logFile(log));
    }

    /**
     * The command of {@code gradus finetune}.
     *
     * @param options of the JVM
     */
    static List<String> command(List<String> options, List<String> keys, Path output) {
        List<String> all = new ArrayList<>(List.of("-XX:TieredStopAtLevel=1")); // it ends soon
        all.addAll(options);
        List<String> arguments = new ArrayList<>(List.of("finetune"));
        arguments.addAll(keys);
        arguments.add("output=" + output);
        return java(all, "io.gradus.cli.Main", arguments);
    }

    private static List<String> java(List<String> options, String main, List<String> arguments) {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--add-modules",
                "jdk.incubator.vector",
                "--enable-native-access=ALL-UNNAMED",
                "-Xmx256m"));
        KERNEL_PROPERTIES.stream()
                .filter(name -> System.getProperty(name) != null)
                .forEach(name -> command.add("-D" + name + "=" + System.getProperty(name)));
        command.addAll(options);
        command.addAll(List.of("-classpath", System.getProperty("java.class.path"), main));
        command.addAll(arguments);
        return command;
    }

    /**
     * Starts another main class.
     *
     * @param by the command that starts it, which ends where the command to execute begins
     * @param options of the JVM
     * @param file to which the messages are appended
     */
    static Process startMain(List<String> by, List<String> options, String main, List<String> arguments, Path file)
            throws IOException {
        List<String> command = new ArrayList<>(by);
        command.addAll(java(options, main, arguments));
        return start(new ProcessBuilder(command), file);
    }

    /** Starts a process whose messages are appended to a file. */
    static Process start(ProcessBuilder builder, Path file) throws IOException {
        return builder.redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(file.toFile()))
                .start();
    }

    /** Waits for a process, and ends it and its children if they take longer. */
    static boolean endsWithin(Process process, int seconds) throws InterruptedException {
        boolean ended = process.waitFor(seconds, TimeUnit.SECONDS);
        if (!ended) {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
        }
        return ended;
    }

    /** Returns the output of all processes that write to this folder. */
    static String log(Path output) throws IOException {
        // The last character may be written in part.
        return new String(Files.readAllBytes(logFile(output)), StandardCharsets.UTF_8);
    }

    /** Where {@link #log} reads. */
    static Path logFile(Path output) {
        return output.resolveSibling(output.getFileName() + ".log");
    }
}
