package io.gradus.gpu.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.AdamStep;
import io.gradus.core.kernel.ElementwiseKernels.Binary;
import io.gradus.gpu.TornadoBackend;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A device with small arrays, whose memory therefore consists of several arenas, like that of a large device. */
final class ArenasTest {
    private final Device gpu = new Device(
            "gpu", 9, new TornadoBackend(((TornadoBackend) Device.gpu().backend()).device(), 96 << 20, 8 << 20));

    @Test
    void kernelsAcceptOperandsInDifferentArenas() {
        List<Tensor> tensors = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            tensors.add(Tensor.full(gpu, DType.F32, Shape.of(1_500_000), i + 1, MemoryCategory.ACTIVATIONS));
        }
        assertThat(tensors.stream()
                        .map(tensor -> TornadoStorage.of(tensor).arena().number())
                        .distinct())
                .hasSizeGreaterThanOrEqualTo(5);
        gpu.kernels().elementwise().binary(Binary.ADD, tensors.get(0), tensors.get(3), tensors.get(5), true);
        assertThat(tensors.get(5).slice(1_499_999, 1_500_000).item()).isEqualTo(1 + 4 + 6);
        assertThat(gpu.kernels().reduction().sumOfSquares(tensors))
                .isEqualTo(1_500_000.0 * (1 + 4 + 9 + 16 + 25 + 121));
        AdamStep step = new AdamStep(0.1, 0.9, 0.999, 1e-8, 0, true, 1, 1);
        tensors.get(2).copyFrom(Tensor.zeros(gpu, DType.F32, Shape.of(1_500_000), MemoryCategory.WORKSPACE));
        tensors.get(3).copyFrom(tensors.get(2));
        gpu.kernels().optimizerSteps().adam(tensors.get(0), tensors.get(1), tensors.get(2), tensors.get(3), step);
        assertThat(tensors.get(0).slice(0, 1).item()).isEqualTo(0.9f);
        assertThat((float) tensors.get(2).slice(0, 1).item()).isEqualTo(0.2f);
    }

    @Test
    void tensorLargerThanAnArenaIsOutOfMemory() {
        assertThat(org.assertj.core.api.Assertions.catchThrowable(
                        () -> Tensor.empty(gpu, DType.F32, Shape.of(3_000_000), MemoryCategory.WEIGHTS)))
                .isInstanceOf(OutOfMemoryError.class)
                .hasMessageContaining("12.0 MB");
    }
}
