package io.gradus.bench.measure;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The peak memory of this process. */
public final class ProcessMemory {
    private ProcessMemory() {}

    /**
     * The peak resident memory in bytes, {@code VmHWM} on Linux.
     *
     * @throws IOException if there is no {@code /proc/self/status}
     */
    public static long peakBytes() throws IOException {
        return peakBytes(Files.readString(Path.of("/proc/self/status")));
    }

    static long peakBytes(String status) throws IOException {
        return status.lines()
                .filter(line -> line.startsWith("VmHWM:"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) * 1024)
                .findFirst()
                .orElseThrow(() -> new IOException("/proc/self/status has no VmHWM"));
    }
}
