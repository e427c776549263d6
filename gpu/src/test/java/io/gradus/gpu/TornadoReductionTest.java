package io.gradus.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.gradus.core.Device;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.ReductionContract;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

final class TornadoReductionTest extends ReductionContract {
    @Override
    protected Device device() {
        return Device.gpu();
    }

    @Test
    void sumOfSquaresOfMoreTensorsThanFitInALaunch() {
        List<Tensor> tensors = new ArrayList<>();
        double expected = 0;
        for (int i = 1; i <= 100; i++) {
            float[] elements = new float[i % 10 == 0 ? 9000 : i];
            Arrays.fill(elements, 0.1f * i);
            tensors.add(Tensor.of(device(), elements, elements.length));
            double square = (double) (0.1f * i) * (0.1f * i);
            expected += elements.length * square;
        }
        double sum = device().kernels().reduction().sumOfSquares(tensors);
        assertThat(sum).isCloseTo(expected, within(expected * 1e-12));
    }

    @Test
    void sumOfSquaresOfVerySmallNumbersIsNotZero() {
        Tensor small = Tensor.of(device(), new float[] {3e-30f, -4e-30f}, 2);
        assertThat(device().kernels().reduction().sumOfSquares(List.of(small))).isCloseTo(2.5e-59, within(1e-65));
    }
}
