package io.gradus.core.cpu.common;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.core.Device;
import org.junit.jupiter.api.Test;

/** What there is for tensors is what the machine has beside the heap, and no more than the JVM may take. */
class HostMemoryTest {

    @Test
    void theMachineOrTheLimitWhicheverIsLess() {
        assertThat(HostMemory.forTensors(100, 30, 20, 50)).isEqualTo(30);
        assertThat(HostMemory.forTensors(100, 90, 20, 50)).isEqualTo(80);
    }

    @Test
    void withoutALimitAsMuchAsTheHeapMayHave() {
        assertThat(HostMemory.forTensors(100, 0, 20, 50)).isEqualTo(50);
        assertThat(HostMemory.forTensors(60, 0, 20, 50)).isEqualTo(40);
    }

    @Test
    void thisMachineHasSome() {
        assertThat(Device.cpu().backend().capacity()).isBetween(1L << 20, 1L << 50);
        assertThat(Device.reference().backend().capacity()).isEqualTo(Long.MAX_VALUE);
    }
}
