package io.gradus.gpu.gemm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.withinPercentage;

import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.GemmContract;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The kernel that is chosen for the device. */
final class TornadoGemmTest extends GemmContract {
    @Override
    protected Device device() {
        return Device.gpu();
    }

    @Test
    void theKindOfDeviceDecidesUnlessAKernelIsNamed() {
        assertThat(Gemm.chosen(null, true)).isEqualTo(Gemm.Rung.LANES);
        assertThat(Gemm.chosen(null, false)).isEqualTo(Gemm.Rung.BLOCKED);
        assertThat(Gemm.chosen("tiled", false)).isEqualTo(Gemm.Rung.TILED);
        assertThatThrownBy(() -> Gemm.chosen("fast", true))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("gradus.gpu.gemm=fast", "naive, tiled, rows, lanes, blocked");
    }

    /** One by one, numbers of one sign lose some 50 units in the last place on the way to a sum of so many. */
    @ParameterizedTest
    @EnumSource
    void aSumOverAVocabularyStaysAccurate(Gemm.Rung rung) {
        int k = 50_257;
        float[] numbers = new float[k];
        SplittableRandom random = new SplittableRandom(3);
        double sum = 0;
        for (int i = 0; i < k; i++) {
            numbers[i] = (float) random.nextDouble();
            sum += numbers[i];
        }
        Device gpu = device();
        Tensor a = Tensor.of(gpu, numbers, 1, k);
        Tensor ones = Tensor.full(gpu, DType.F32, Shape.of(k, 1), 1, MemoryCategory.ACTIVATIONS);
        Tensor out = Tensor.of(gpu, new float[1], 1, 1);
        GemmRungs.device(rung).kernels().gemm().matmul(a, false, ones, false, out, false);
        assertThat(out.item()).isCloseTo(sum, withinPercentage(100 * 10 * 0x1p-23));
    }
}
