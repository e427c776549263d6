package io.gradus.gpu;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.core.Device;
import io.gradus.core.Scope;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.AdamStep;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

final class Adam8bitStepTest {

    @Test
    void adam8bitTablesOutliveTheScopeOfTheFirstStep() {
        Device device = Device.gpu();
        // new kernels, because those of the device may have created their tables already
        OptimizerSteps kernels = new OptimizerSteps(((TornadoBackend) device.backend()).launcher());
        float[] first;
        try (Scope _ = Scope.open("first step")) {
            first = step(kernels, device);
        }
        try (Scope _ = Scope.open("second step")) {
            Tensor.of(device, new float[1 << 16], 1 << 16); // reuses the memory that the first step released
            assertThat(step(kernels, device)).containsExactly(first);
        }
        assertThat(first).isNotEqualTo(new float[300]);
    }

    private static float[] step(OptimizerSteps kernels, Device device) {
        float[] ones = new float[300];
        Arrays.fill(ones, 1);
        byte[] codes = new byte[300];
        Arrays.fill(codes, (byte) 200);
        Tensor parameter = Tensor.of(device, new float[300], 300);
        kernels.adam8bit(
                parameter,
                Tensor.of(device, ones, 300),
                Tensor.of(device, codes, 300),
                Tensor.of(device, new float[] {1, 2}, 2),
                Tensor.of(device, codes, 300),
                Tensor.of(device, new float[] {1, 2}, 2),
                new AdamStep(0.1, 0.9, 0.999, 1e-8, 0, true, 1, 1));
        return parameter.toFloats();
    }
}
