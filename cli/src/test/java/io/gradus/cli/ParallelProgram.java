package io.gradus.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.parallel.MpiLauncher;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** The command line in several processes, which a test can kill. What they print goes to one log. */
record ParallelProgram(List<Process> processes, Path output) {

    /** Starts one process for each list of arguments. */
    interface Starter {
        ParallelProgram start(List<List<String>> keysOfRanks, Path output) throws IOException;
    }

    /** How processes can be started here, by name: with TCP connections, and with each MPI that is installed. */
    static Stream<Map.Entry<String, Starter>> starters() {
        Stream<Map.Entry<String, Starter>> mpi = MpiLauncher.installed().stream()
                .map(launcher ->
                        Map.entry(launcher.toString(), (keys, output) -> ParallelProgram.mpi(launcher, keys, output)));
        return Stream.concat(
                Stream.of(Map.entry("tcp", (keys, output) -> tcp(List.of(), keys, output, keys.size()))), mpi);
    }

    /**
     * Starts processes that find each other by variables of the environment.
     *
     * @param options of the JVMs
     * @param size the number of processes that they are told; more than are started if some are missing
     */
    static ParallelProgram tcp(List<String> options, List<List<String>> keysOfRanks, Path output, int size)
            throws IOException {
        return tcp(List.of(), options, keysOfRanks, output, size);
    }

    /**
     * {@link #tcp(List, List, Path, int)}, of which the last process is started by another program.
     *
     * @param by its command, which ends where the command to execute begins
     */
    static ParallelProgram tcp(
            List<String> by, List<String> options, List<List<String>> keysOfRanks, Path output, int size)
            throws IOException {
        int port = freePort();
        List<Process> processes = new ArrayList<>();
        for (int rank = 0; rank < keysOfRanks.size(); rank++) {
            List<String> command = new ArrayList<>(rank == keysOfRanks.size() - 1 ? by : List.of());
            command.addAll(Program.command(options, keysOfRanks.get(rank), output));
            ProcessBuilder builder = new ProcessBuilder(command);
            builder.environment()
                    .putAll(Map.of(
                            "RANK", String.valueOf(rank),
                            "WORLD_SIZE", String.valueOf(size),
                            "MASTER_ADDR", "127.0.0.1",
                            "MASTER_PORT", String.valueOf(port)));
            processes.add(Program.start(builder, Program.logFile(output)));
        }
        return new ParallelProgram(processes, output);
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private static ParallelProgram mpi(MpiLauncher launcher, List<List<String>> keysOfRanks, Path output)
            throws IOException {
        List<String> command = new ArrayList<>(launcher.command(1));
        List<String> one =
                command.subList(command.size() - 2, command.size()).stream().toList(); // -n 1
        command.addAll(Program.command(List.of(), keysOfRanks.getFirst(), output));
        for (List<String> keys : keysOfRanks.subList(1, keysOfRanks.size())) {
            command.add(":");
            command.addAll(one);
            command.addAll(Program.command(List.of(), keys, output));
        }
        return new ParallelProgram(
                List.of(Program.start(new ProcessBuilder(command), Program.logFile(output))), output);
    }

    /** What all processes have printed so far. */
    String printed() throws IOException {
        return Program.log(output);
    }

    /** Waits until something is printed. */
    void awaitPrinted(String text) throws IOException, InterruptedException {
        for (int i = 0; i < 1200 && !printed().contains(text); i++) {
            Thread.sleep(50);
        }
        assertThat(printed()).contains(text);
    }

    /** Kills one of the JVMs, as the kernel does when memory is short. */
    void kill(int rank) {
        if (processes.size() > 1) {
            processes.get(rank).destroyForcibly();
            return;
        }
        Predicate<ProcessHandle> isJvm = process ->
                process.info().command().filter(name -> name.endsWith("java")).isPresent();
        processes.getFirst().descendants().filter(isJvm).toList().get(rank).destroyForcibly();
    }

    /**
     * Waits until all processes have ended.
     *
     * @param seconds the most that it may take
     * @return what they have printed
     */
    String await(int seconds) throws IOException, InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
        boolean ended = true;
        for (Process process : processes) {
            ended &= process.waitFor(Math.max(1, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
        }
        for (Process process : processes) {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
        }
        assertThat(ended).as("the job ended; it printed:%n%s", printed()).isTrue();
        return printed();
    }

    /** {@link #await}, and checks the exit code of all. */
    String awaitCode(int seconds, int exitCode) throws IOException, InterruptedException {
        String printed = await(seconds);
        assertThat(processes)
                .as(printed)
                .allSatisfy(process -> assertThat(process.exitValue()).isEqualTo(exitCode));
        return printed;
    }
}
