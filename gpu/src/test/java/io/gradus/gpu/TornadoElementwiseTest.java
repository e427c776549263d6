package io.gradus.gpu;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.ElementwiseContract;
import io.gradus.core.kernel.ElementwiseKernels.Binary;
import org.junit.jupiter.api.Test;

final class TornadoElementwiseTest extends ElementwiseContract {
    @Override
    protected Device device() {
        return Device.gpu();
    }

    /** A double is stored as two integers. */
    @Test
    void fillOfDoublesIsExact() {
        Tensor whole = Tensor.full(device(), DType.F64, Shape.of(5), 1 / 3.0, MemoryCategory.WORKSPACE);
        device().kernels().elementwise().fill(whole.slice(1, 4), -1e300);
        assertThat(whole.toDoubles()).containsExactly(1 / 3.0, -1e300, -1e300, -1e300, 1 / 3.0);
    }

    @Test
    void binaryBroadcastsEightAxes() {
        Tensor a = Tensor.full(device(), DType.F32, Shape.of(2, 1, 2, 1, 2, 1, 2, 1), 2, MemoryCategory.WORKSPACE);
        float[] numbers = new float[16];
        for (int i = 0; i < 16; i++) {
            numbers[i] = i;
        }
        Tensor b = Tensor.of(device(), numbers, 1, 2, 1, 2, 1, 2, 1, 2);
        Tensor out = Tensor.zeros(device(), DType.F32, Shape.of(2, 2, 2, 2, 2, 2, 2, 2), MemoryCategory.WORKSPACE);
        device().kernels().elementwise().binary(Binary.ADD, a, b, out, false);
        float[] sums = out.toFloats();
        for (int i = 0; i < 256; i++) {
            int place = (i & 1) + (i >> 1 & 2) + (i >> 2 & 4) + (i >> 3 & 8);
            assertThat(sums[i]).isEqualTo(place + 2);
        }
    }
}
