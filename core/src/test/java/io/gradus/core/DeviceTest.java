package io.gradus.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.gradus.core.cpu.CpuBackend;
import io.gradus.core.cpu.vector.VectorSupport;
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
    void matmulPrecisionIsAnotherViewOfTheSameDevice() {
        Device cpu = Device.cpu(1);
        Device medium = cpu.withMatmulPrecision(MatmulPrecision.MEDIUM);
        assertThat(cpu.matmulPrecision()).isEqualTo(MatmulPrecision.HIGHEST);
        assertThat(cpu.withMatmulPrecision(MatmulPrecision.HIGHEST)).isSameAs(cpu);
        assertThat(medium.matmulPrecision()).isEqualTo(MatmulPrecision.MEDIUM);
        assertThat(medium).isNotEqualTo(cpu);
        assertThat(medium.backend().memory()).isSameAs(cpu.backend().memory());
    }

    @Test
    void mediumPrecisionRoundsOperandsOfProducts() {
        assumeTrue(VectorSupport.isUsable(), "the scalar kernels compute products in F32");
        Device cpu = Device.cpu(1);
        float tie = 1 + 0x1p-8f; // half a BF16 above 1
        Tensor a = Tensor.of(cpu, new float[] {tie, tie, tie, tie}, 4, 1);
        Tensor one = Tensor.of(cpu, new float[] {1}, 1, 1);
        for (MatmulPrecision precision : MatmulPrecision.values()) {
            Tensor out = Tensor.of(cpu, new float[4], 4, 1);
            cpu.withMatmulPrecision(precision).kernels().gemm().matmul(a, false, one, false, out, false);
            assertThat(out.toFloats()).containsOnly(precision == MatmulPrecision.MEDIUM ? 1 : tie);
        }
    }

    @Test
    void deviceOfOnePrecisionRejectsAnother() {
        assertThatThrownBy(() -> Device.reference().withMatmulPrecision(MatmulPrecision.MEDIUM))
                .isInstanceOf(UnsupportedOperationException.class)
                .hasMessageContainingAll("reference", "MEDIUM", "HIGHEST");
    }

    @Test
    void descriptionNamesThreads() {
        assertThat(Device.cpu(1).backend().description()).contains("1 thread");
        assertThat(Device.cpu(2).backend().description()).contains("2 threads");
        assertThat(Device.cpu(1)
                        .withMatmulPrecision(MatmulPrecision.HIGH)
                        .backend()
                        .description())
                .contains("matmul_precision high: products");
        assertThat(Device.reference().backend().description()).contains("double");
    }
}
