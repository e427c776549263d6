package io.gradus.core;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;

/** The memory of this process, as the operating system counts it. */
public final class ProcessMemory {
    private static final Path STATUS = Path.of("/proc/self/status");

    private ProcessMemory() {}

    /**
     * The most memory that was resident at once since the process started, in bytes: {@code VmHWM} in Linux's {@code
     * /proc/self/status}. Empty on other systems, of which the JDK cannot ask it.
     */
    public static OptionalLong peak() {
        try {
            return Files.isReadable(STATUS) ? peak(Files.readString(STATUS)) : OptionalLong.empty();
        } catch (IOException e) {
            return OptionalLong.empty();
        }
    }

    static OptionalLong peak(String status) {
        return status.lines()
                .filter(line -> line.startsWith("VmHWM:"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) * 1024)
                .findFirst();
    }
}
