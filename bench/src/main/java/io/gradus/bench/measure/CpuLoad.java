package io.gradus.bench.measure;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The share of CPU time used by others. On Linux, {@code /proc/stat} counts the time used by all processes and the time that the
 * hypervisor gave to other guests ("steal"); the time of this process is subtracted. On other systems the share is 0.
 */
public final class CpuLoad {
    private static final Path STAT = Path.of("/proc/stat");
    /** The unit of the file: USER_HZ, which is 100 on every Linux that Java supports. */
    private static final double TICK_SECONDS = 0.01;

    private static final OperatingSystemMXBean SYSTEM =
            (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

    private final int processors = Runtime.getRuntime().availableProcessors();
    private final long startNanos = System.nanoTime();
    private final long startTicks = busyTicks();
    private final long startOwnNanos = SYSTEM.getProcessCpuTime();

    private CpuLoad() {}

    /** Starts a measurement. */
    public static CpuLoad start() {
        return new CpuLoad();
    }

    /** The share of the CPU time of all processors since the start that others used, from 0 to 1. */
    public double foreignShare() {
        double seconds = (System.nanoTime() - startNanos) * 1e-9;
        double busy = (busyTicks() - startTicks) * TICK_SECONDS;
        double own = (SYSTEM.getProcessCpuTime() - startOwnNanos) * 1e-9;
        return startTicks < 0 || seconds <= 0 ? 0 : Math.clamp((busy - own) / (seconds * processors), 0, 1);
    }

    private static long busyTicks() {
        try (var lines = Files.lines(STAT)) {
            return busyTicks(lines.findFirst().orElse(""));
        } catch (IOException e) {
            return -1; // not Linux
        }
    }

    /**
     * The ticks in which a processor was busy or stolen, or −1 if the line has another format.
     *
     * @param line {@code cpu user nice system idle iowait irq softirq steal guest guest_nice}; guest time is included in user time
     */
    static long busyTicks(String line) {
        String[] fields = line.trim().split("\\s+", -1);
        if (fields.length < 9 || !fields[0].equals("cpu")) {
            return -1;
        }
        long busy = 0;
        for (int field : new int[] {1, 2, 3, 6, 7, 8}) {
            busy += Long.parseLong(fields[field]);
        }
        return busy;
    }
}
