package io.gradus.cli;

import io.gradus.parallel.launch.Launch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * How many threads a process uses when several run on one machine. A launcher that gives each process processors of its own (Open
 * MPI does so by default) has decided that already. Otherwise the processes share them equally.
 */
final class LocalThreads {
    /** Set by users of OpenMP and by Slurm. */
    private static final List<String> THREADS = List.of("OMP_NUM_THREADS", "SLURM_CPUS_PER_TASK");

    private static final Path ONLINE = Path.of("/sys/devices/system/cpu/online");
    private static final Path STATUS = Path.of("/proc/self/status");

    private LocalThreads() {}

    static int count() {
        return count(System.getenv(), Runtime.getRuntime().availableProcessors(), isBound());
    }

    /**
     * The number of threads.
     *
     * @param environment the variables of this process
     * @param processors that this process may use
     * @param bound whether these are fewer than the machine has
     */
    static int count(Map<String, String> environment, int processors, boolean bound) {
        Optional<Launch> launch = Launch.of(environment);
        Optional<Integer> chosen = first(environment, THREADS);
        // torchrun sets OMP_NUM_THREADS=1, if nobody has set it, for processes that compute on a GPU.
        boolean usual = launch.isPresent() && launch.get().isTorchrun() && chosen.equals(Optional.of(1));
        if (chosen.isPresent() && !usual) {
            return chosen.get();
        }
        int processes = bound || launch.isEmpty() ? 1 : launch.get().localSize().orElse(1);
        return Math.max(1, processors / processes);
    }

    private static Optional<Integer> first(Map<String, String> environment, List<String> names) {
        return names.stream()
                .map(environment::get)
                .filter(Objects::nonNull)
                .filter(value -> value.matches("[1-9][0-9]{0,5}"))
                .map(Integer::valueOf)
                .findFirst();
    }

    /** Whether the launcher restricts this process to some of the processors; unknown outside Linux. */
    private static boolean isBound() {
        try (Stream<String> lines = Files.lines(STATUS)) {
            String all = Files.readString(ONLINE).strip();
            return lines.filter(line -> line.startsWith("Cpus_allowed_list:"))
                    .noneMatch(line ->
                            line.substring(line.indexOf(':') + 1).strip().equals(all));
        } catch (IOException e) {
            return false;
        }
    }
}
