package io.gradus.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class ProcessMemoryTest {

    @Test
    void peakIsVmHwmInBytes() {
        assertThat(ProcessMemory.peak("Name:\tjava\nVmPeak:\t 9 kB\nVmHWM:\t  2048 kB\n"))
                .hasValue(2048 * 1024);
    }

    @Test
    void statusWithoutVmHwmHasNoPeak() {
        assertThat(ProcessMemory.peak("Name:\tjava\n")).isEmpty();
    }

    @Test
    void peakOfThisProcessIsAtLeastTheHeapInUse() {
        assumeTrue(Files.isReadable(Path.of("/proc/self/status")), "only Linux tells the peak");
        long used = Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
        assertThat(ProcessMemory.peak().orElseThrow()).isBetween(used / 2, 1L << 50);
    }
}
