package io.gradus.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.core.cpu.CpuBackend;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.api.parallel.Resources;

final class DeviceTest {

    @Test
    void sharedDevicesAreEqual() {
        assertThat(Device.cpu()).isEqualTo(Device.cpu()).hasToString("cpu");
        assertThat(Device.reference()).isEqualTo(Device.reference()).hasToString("reference");
        assertThat(Device.cpu(1)).isNotEqualTo(Device.cpu(1));
        assertThat(new Device("gpu", 1, Device.cpu().backend())).hasToString("gpu:1");
        assertThat(Device.all()).first().isEqualTo(Device.cpu());
    }

    @Test
    void missingGpuErrorNamesTheFix() {
        assertThatThrownBy(Device::gpu)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContainingAll("gpu", "class path", "device=cpu");
    }

    @Test
    void zeroThreadsAreRejected() {
        assertThatThrownBy(() -> Device.cpu(0)).hasMessageContaining("at least 1");
    }

    @Test
    @ResourceLock(Resources.SYSTEM_PROPERTIES)
    void threadsPropertySetsTheNumberOfThreads() {
        String before = System.getProperty("gradus.threads");
        try {
            System.setProperty("gradus.threads", "3");
            assertThat(CpuBackend.defaultThreads()).isEqualTo(3);
            for (String bad : new String[] {"0", "two", ""}) {
                System.setProperty("gradus.threads", bad);
                assertThatThrownBy(CpuBackend::defaultThreads)
                        .isInstanceOf(IllegalArgumentException.class)
                        .hasMessageContaining("-Dgradus.threads=" + bad);
            }
            System.clearProperty("gradus.threads");
            assertThat(CpuBackend.defaultThreads()).isPositive();
        } finally {
            if (before == null) {
                System.clearProperty("gradus.threads");
            } else {
                System.setProperty("gradus.threads", before);
            }
        }
    }

    @Test
    void descriptionNamesThreads() {
        assertThat(Device.cpu(1).backend().description()).contains("1 thread");
        assertThat(Device.cpu(2).backend().description()).contains("2 threads");
        assertThat(Device.reference().backend().description()).contains("double");
    }
}
