package io.gradus.bench.measure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import org.junit.jupiter.api.Test;

class ProcessMemoryTest {

    @Test
    void peakIsVmHwmInBytes() throws IOException {
        assertThat(ProcessMemory.peakBytes("Name:\tjava\nVmPeak:\t 9 kB\nVmHWM:\t  2048 kB\n"))
                .isEqualTo(2048 * 1024);
    }

    @Test
    void statusWithoutVmHwmIsRejected() {
        assertThatThrownBy(() -> ProcessMemory.peakBytes("Name:\tjava\n"))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("VmHWM");
    }
}
