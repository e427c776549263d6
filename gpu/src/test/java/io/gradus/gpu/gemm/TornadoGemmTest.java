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

/** The default algorithm of the device. */
final class TornadoGemmTest extends GemmContract {
    @Override
    protected Device device() {
        return Device.gpu();
    }

    @Test
    void defaultAlgorithmDependsOnDeviceUnlessNamed() {
        assertThat(Gemm.chosen(null, true)).isEqualTo(Gemm.Algorithm.LANES);
        assertThat(Gemm.chosen(null, false)).isEqualTo(Gemm.Algorithm.BLOCKED);
        assertThat(Gemm.chosen("tiled", false)).isEqualTo(Gemm.Algorithm.TILED);
        assertThatThrownBy(() -> Gemm.chosen("fast", true))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("gradus.gpu.gemm=fast", "naive, tiled, rows, lanes, blocked");
    }

    /** Adding this many positive numbers one by one would lose about 50 units in the last place. */
    @ParameterizedTest
    @EnumSource
    void matmulOverAVocabularyStaysAccurate(Gemm.Algorithm algorithm) {
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
        GemmDevices.device(algorithm).kernels().gemm().matmul(a, false, ones, false, out, false);
        assertThat(out.item()).isCloseTo(sum, withinPercentage(100 * 10 * 0x1p-23));
    }
}
