package io.gradus.core.cpu.common;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.core.Device;
import org.junit.jupiter.api.Test;

/** Tensors can use the machine's memory minus the heap, up to the limit of the JVM. */
class HostMemoryTest {

    @Test
    void memoryIsTheLesserOfMachineAndLimit() {
        assertThat(HostMemory.forTensors(100, 30, 20, 50)).isEqualTo(30);
        assertThat(HostMemory.forTensors(100, 90, 20, 50)).isEqualTo(80);
    }

    @Test
    void defaultLimitIsTheMaximumHeap() {
        assertThat(HostMemory.forTensors(100, 0, 20, 50)).isEqualTo(50);
        assertThat(HostMemory.forTensors(60, 0, 20, 50)).isEqualTo(40);
    }

    @Test
    void memoryOfThisMachineIsPositive() {
        assertThat(Device.cpu().backend().capacity()).isBetween(1L << 20, 1L << 50);
        assertThat(Device.reference().backend().capacity()).isEqualTo(Long.MAX_VALUE);
    }
}
