package io.gradus.core.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.gradus.core.AttentionOptions;
import io.gradus.core.Backend;
import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.RopeLayout;
import io.gradus.core.Scope;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.AdamStep;
import io.gradus.core.kernel.OptimizerStepKernels.Sgd;
import org.junit.jupiter.api.Test;

/** The reference against numbers computed by hand. Module {@code autograd} tests gradients against finite differences. */
final class ReferenceBackendTest {
    private final Device device = Device.reference();

    private Tensor of(double[] elements, long... shape) {
        return Tensor.of(device, elements, shape);
    }

    private Tensor out(long... shape) {
        return Tensor.full(device, DType.F64, Shape.of(shape), Double.NaN, MemoryCategory.ACTIVATIONS);
    }

    private static void assertClose(Tensor tensor, double... expected) {
        assertThat(tensor.toDoubles()).containsExactly(expected, within(1e-12));
    }

    @Test
    void matmulOfSmallMatrices() {
        Tensor a = of(new double[] {1, 2, 3, 4, 5, 6}, 2, 3);
        Tensor b = of(new double[] {1, 0, 2, 1, 0, 1}, 3, 2);
        Tensor out = out(2, 2);
        device.kernels().gemm().matmul(a, false, b, false, out, false);
        assertClose(out, 5, 5, 14, 11);
        device.kernels().gemm().matmul(a, false, a, true, out, true);
        assertClose(out, 5 + 14, 5 + 32, 14 + 32, 11 + 77);
    }

    @Test
    void softmaxAndCrossEntropyOfSmallLogits() {
        Tensor logits = of(new double[] {0, Math.log(2), Math.log(5), 3, 3, 3}, 2, 3);
        Tensor out = out(2, 3);
        device.kernels().softmax().softmax(logits, out);
        assertClose(out, 1 / 8.0, 2 / 8.0, 5 / 8.0, 1 / 3.0, 1 / 3.0, 1 / 3.0);
        Tensor loss = out(2);
        Tensor sums = out(2);
        device.kernels().crossEntropy().forward(logits, Tensor.of(device, new int[] {1, -100}, 2), -100, loss, sums);
        assertClose(loss, Math.log(4), 0);
        assertClose(sums, Math.log(8), 3 + Math.log(3));
        Tensor gradient = out(2, 3);
        Tensor targets = Tensor.of(device, new int[] {1, -100}, 2);
        device.kernels()
                .crossEntropy()
                .forwardBackward(logits, targets, -100, of(new double[] {2, 3}, 2), 4, loss, gradient);
        assertClose(loss, Math.log(4), 0);
        assertClose(gradient, 1, -6, 5, 0, 0, 0);
    }

    @Test
    void layerNormAndRmsNormOfOneRow() {
        Tensor x = of(new double[] {1, 3}, 1, 2);
        Tensor weight = of(new double[] {2, 10}, 2);
        Tensor bias = of(new double[] {0, 1}, 2);
        Tensor y = out(1, 2);
        Tensor mean = out(1);
        Tensor rstd = out(1);
        device.kernels().normalization().layerNorm(x, weight, bias, 3, y, mean, rstd);
        assertClose(y, -1, 6); // mean 2, variance 1, √(1 + 3) = 2
        assertClose(mean, 2);
        assertClose(rstd, 0.5);
        device.kernels().normalization().rmsNorm(x, weight, 4, y, rstd);
        assertClose(y, 2 / 3.0, 10); // mean square 5, √(5 + 4) = 3
    }

    @Test
    void rotaryByAQuarterTurn() {
        Tensor x = of(new double[] {1, 2, 3, 4}, 1, 1, 1, 4);
        Tensor cos = of(new double[] {9, 9, 0, 1}, 2, 2);
        Tensor sin = of(new double[] {9, 9, 1, 0}, 2, 2);
        Tensor position = Tensor.of(device, new int[] {1}, 1, 1);
        Tensor out = out(1, 1, 1, 4);
        device.kernels().rotary().rotate(x, cos, sin, position, RopeLayout.HALF_SPLIT, false, out, false);
        assertClose(out, -3, 2, 1, 4); // (1, 3) is rotated, (2, 4) is not
        device.kernels().rotary().rotate(x, cos, sin, position, RopeLayout.INTERLEAVED, true, out, false);
        assertClose(out, 2, -1, 3, 4); // (1, 2) is rotated back, (3, 4) is not
    }

    @Test
    void attentionWeightsValuesByScores() {
        Tensor q = of(new double[] {1, 1}, 1, 2, 1, 1);
        Tensor k = of(new double[] {0, Math.log(3) / 2}, 1, 2, 1, 1);
        Tensor v = of(new double[] {4, 8}, 1, 2, 1, 1);
        Tensor out = out(1, 2, 1, 1);
        Tensor sums = out(1, 1, 2);
        device.kernels().attention().forward(q, k, v, new AttentionOptions(true, null, 2), out, sums);
        assertClose(out, 4, 7); // the first attends to itself; the second weights 1 : 3
        assertClose(sums, 0, Math.log(4));
    }

    @Test
    void sgdAndAdamOfOneWeight() {
        Tensor parameter = of(new double[] {1}, 1);
        Tensor gradient = of(new double[] {4}, 1);
        Tensor buffer = out(1);
        Sgd sgd = new Sgd(0.1, 0.5, 0, false, 0);
        device.kernels().optimizerSteps().sgd(parameter, gradient, buffer, sgd, 0.5, true);
        assertClose(parameter, 0.8);
        device.kernels().optimizerSteps().sgd(parameter, gradient, buffer, sgd, 0.5, false);
        assertClose(parameter, 0.5); // b = 0.5·2 + 2 = 3
        Tensor first = of(new double[] {0}, 1);
        Tensor second = of(new double[] {0}, 1);
        AdamStep adam = new AdamStep(0.1, 0.9, 0.99, 0, 0.2, true, 1, 1);
        device.kernels().optimizerSteps().adam(parameter, gradient, first, second, adam);
        assertClose(parameter, 0.5 * (1 - 0.02) - 0.1); // the first update is the sign of the gradient
        assertClose(first, 0.4);
        assertClose(second, 0.16);
    }

    @Test
    void referenceRejectsOtherDtypes() {
        assertThatThrownBy(() -> Tensor.zeros(device, DType.F32, Shape.of(2), MemoryCategory.WORKSPACE))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("fill", "F32 [2]", "F64, I32 and U8");
        Tensor x = of(new double[] {1.9, -1.9}, 2);
        assertThatThrownBy(() -> x.to(DType.BF16)).hasMessageContainingAll("cast", "BF16", "F64, I32 and U8");
        assertThat(x.to(DType.I32).toInts()).containsExactly(1, -1);
        assertThat(x.to(DType.I32).to(DType.F64).toDoubles()).containsExactly(1, -1);
    }

    @Test
    void referenceCountsMemory() {
        Backend own = new ReferenceBackend();
        Device counted = new Device("reference", 1, own);
        try (Scope _ = Scope.open("test")) {
            Tensor.zeros(counted, DType.F64, Shape.of(10), MemoryCategory.GRADIENTS);
            assertThat(own.memory().live(MemoryCategory.GRADIENTS)).isEqualTo(80);
        }
        assertThat(own.memory().live()).isZero();
    }
}
