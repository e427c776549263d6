package io.gradus.autograd.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.gradus.autograd.Autograd;
import io.gradus.autograd.CrossEntropyOptions;
import io.gradus.autograd.Reduction;
import io.gradus.autograd.Variable;
import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.MemoryLedger;
import io.gradus.core.Philox;
import io.gradus.core.Scope;
import io.gradus.core.Shape;
import io.gradus.core.ShapeException;
import io.gradus.core.Tensor;
import io.gradus.core.cpu.CpuBackend;
import java.util.Objects;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Cross-entropy from hidden states, without holding all logits. */
class LinearCrossEntropyTest {
    private static final int ROWS = 200;
    private static final int WIDTH = 24;
    private static final int CLASSES = 301;

    private final Device device = new Device("cpu", 0, new CpuBackend(1));
    private final MemoryLedger memory = device.backend().memory();

    private Tensor random(int place, long... shape) {
        Tensor tensor = Tensor.empty(device, DType.F32, Shape.of(shape), MemoryCategory.WEIGHTS);
        tensor.kernels().random().normal(tensor, 0, 0.7, new Philox.Key(3, 0, place));
        return tensor;
    }

    private final Variable hidden = Variable.parameter("h", random(0, ROWS, WIDTH));
    private final Variable weight = Variable.parameter("w", random(1, CLASSES, WIDTH));

    /** Every third row is ignored, and so are rows 50 to 119, like a masked prompt. */
    private Tensor targets() {
        int[] targets = IntStream.range(0, ROWS)
                .map(i -> i % 3 == 0 || (i >= 50 && i < 120) ? -100 : i * 37 % CLASSES)
                .toArray();
        return Tensor.of(device, targets, ROWS);
    }

    private static float[] grad(Variable x) {
        return Objects.requireNonNull(x.grad()).toFloats();
    }

    private static void assertClose(float[] actual, float[] expected) {
        assertThat(actual).hasSameSizeAs(expected);
        for (int i = 0; i < actual.length; i++) {
            assertThat(actual[i]).isCloseTo(expected[i], within(1e-6f + 1e-5f * Math.abs(expected[i])));
        }
    }

    @ParameterizedTest
    @EnumSource
    void linearCrossEntropyMatchesLinearThenCrossEntropy(Reduction reduction) {
        Tensor weights = random(2, ROWS);
        weights.kernels().elementwise().unary(io.gradus.core.kernel.ElementwiseKernels.Unary.EXP, weights, weights);
        for (@Nullable Tensor rowWeights : new Tensor[] {null, weights}) {
            CrossEntropyOptions options = CrossEntropyOptions.of(reduction).withSampleWeights(rowWeights);
            Variable expected = hidden.linear(weight, null).crossEntropy(targets(), options);
            Tensor gradient = random(3, expected.shape().toArray());
            hidden.clearGrad();
            weight.clearGrad();
            expected.backward(gradient, false);
            float[] dh = grad(hidden);
            float[] dw = grad(weight);
            for (int chunk : new int[] {0, 1, 7, 64, ROWS, 10_000}) {
                Variable actual = hidden.linearCrossEntropy(weight, targets(), options, chunk);
                assertThat(actual.shape()).isEqualTo(expected.shape());
                assertThat(Autograd.noGrad(() -> hidden.linearCrossEntropy(weight, targets(), options, chunk))
                                .value()
                                .toFloats())
                        .containsExactly(actual.value().toFloats());
                assertClose(actual.value().toFloats(), expected.value().toFloats());
                hidden.clearGrad();
                weight.clearGrad();
                actual.backward(gradient, false);
                assertClose(grad(hidden), dh);
                assertClose(grad(weight), dw);
            }
        }
    }

    @Test
    void softcapOfLogitsIsThatOfLinearThenSoftcap() {
        CrossEntropyOptions options = CrossEntropyOptions.of(Reduction.SUM);
        Variable expected = hidden.linear(weight, null).softcap(2).crossEntropy(targets(), options);
        expected.backward();
        float[] dh = grad(hidden);
        float[] dw = grad(weight);
        for (int chunk : new int[] {1, 64, ROWS}) {
            hidden.clearGrad();
            weight.clearGrad();
            Variable actual = hidden.linearCrossEntropy(weight, null, targets(), options, chunk, 2);
            actual.backward();
            assertClose(actual.value().toFloats(), expected.value().toFloats());
            assertClose(grad(hidden), dh);
            assertClose(grad(weight), dw);
        }
        assertThatThrownBy(() -> hidden.linearCrossEntropy(weight, null, targets(), options, 0, -1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("a softcap of -1.0");
    }

    @Test
    void biasOfLogitsIsThatOfLinear() {
        CrossEntropyOptions options = CrossEntropyOptions.of(Reduction.SUM);
        Variable bias = Variable.parameter("b", random(4, CLASSES));
        Variable expected = hidden.linear(weight, bias).crossEntropy(targets(), options);
        expected.backward();
        float[] dh = grad(hidden);
        float[] dw = grad(weight);
        float[] db = grad(bias);
        for (int chunk : new int[] {1, 64, ROWS}) {
            for (int wanted = 0; wanted < 8; wanted++) { // each subset of the three inputs
                Variable h = input(hidden, (wanted & 1) != 0);
                Variable w = input(weight, (wanted & 2) != 0);
                Variable b = input(bias, (wanted & 4) != 0);
                Variable actual = h.linearCrossEntropy(w, b, targets(), options, chunk, 0);
                assertClose(actual.value().toFloats(), expected.value().toFloats());
                if (wanted == 0) {
                    continue;
                }
                for (int pass = 1; pass <= 2; pass++) { // the second adds to the first
                    h.linearCrossEntropy(w, b, targets(), options, chunk, 0).backward();
                    assertGradient(h, dh, pass);
                    assertGradient(w, dw, pass);
                    assertGradient(b, db, pass);
                }
            }
        }
        assertThatThrownBy(() -> hidden.linearCrossEntropy(weight, hidden, targets(), options, 0, 0))
                .isInstanceOf(ShapeException.class)
                .hasMessageContainingAll("linearCrossEntropy", "bias", "[301]", "[200, 24]");
    }

    private static Variable input(Variable x, boolean wanted) {
        return wanted ? Variable.parameter("input", x.value()) : Variable.constant(x.value());
    }

    private static void assertGradient(Variable x, float[] once, int times) {
        if (!x.requiresGrad()) {
            assertThat(x.grad()).isNull();
            return;
        }
        float[] actual = grad(x);
        for (int i = 0; i < once.length; i++) {
            assertThat(actual[i]).isCloseTo(times * once[i], within(2e-6f + 2e-5f * Math.abs(once[i])));
        }
    }

    @Test
    void linearCrossEntropyGradientsAccumulatePerInput() {
        Variable constant = Variable.constant(hidden.value());
        constant.linearCrossEntropy(weight, targets(), CrossEntropyOptions.of(Reduction.SUM), 16)
                .backward();
        float[] once = grad(weight);
        hidden.linearCrossEntropy(weight, targets(), CrossEntropyOptions.of(Reduction.SUM), 16)
                .backward();
        float[] twice = grad(weight);
        for (int i = 0; i < once.length; i++) {
            assertThat(twice[i]).isCloseTo(2 * once[i], within(1e-4f));
        }
        weight.setRequiresGrad(false);
        float[] before = grad(hidden);
        hidden.linearCrossEntropy(weight, targets(), CrossEntropyOptions.of(Reduction.SUM), 16)
                .backward();
        assertThat(grad(weight)).containsExactly(twice);
        assertClose(grad(hidden), twice(before));
    }

    private static float[] twice(float[] x) {
        float[] twice = x.clone();
        for (int i = 0; i < x.length; i++) {
            twice[i] *= 2;
        }
        return twice;
    }

    @Test
    void sumOverIgnoredTargetsIsZeroWithZeroGradients() {
        int[] ignored = new int[ROWS];
        java.util.Arrays.fill(ignored, -100);
        Tensor targets = Tensor.of(device, ignored, ROWS);
        Variable loss = hidden.linearCrossEntropy(weight, targets, CrossEntropyOptions.of(Reduction.SUM), 0);
        loss.backward();
        assertThat(loss.item()).isZero();
        assertThat(grad(hidden)).containsOnly(0);
        assertThat(grad(weight)).containsOnly(0);
        assertThatThrownBy(() -> hidden.linearCrossEntropy(weight, targets, CrossEntropyOptions.of(Reduction.MEAN), 0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("linearCrossEntropy", "all 200 targets");
    }

    @Test
    void peakMemoryHoldsOneChunkOfLogits() {
        int chunk = 20;
        for (int pass = 0; pass < 2; pass++) { // the second has its gradients' buffers
            memory.resetPeak();
            long before = memory.live();
            try (Scope _ = Scope.open("step")) {
                hidden.linearCrossEntropy(weight, targets(), CrossEntropyOptions.of(Reduction.SUM), chunk)
                        .backwardAndRelease();
            }
            hidden.clearGrad();
            weight.clearGrad();
            long gradients = pass == 0 ? (ROWS * WIDTH + CLASSES * WIDTH) * 4L : 0;
            assertThat(memory.peak() - before - gradients)
                    .isBetween(chunk * CLASSES * 4L, chunk * CLASSES * 4L + 5 * ROWS * 4L)
                    .isLessThan(ROWS * CLASSES * 4L / 5);
        }
        assertThat(memory.live(MemoryCategory.WORKSPACE)).isZero();
    }

    @Test
    void defaultChunkLogitsAreAboutAsLargeAsTheHiddenStates() {
        assertThat(LinearCrossEntropy.defaultChunk(8192, 4096, 32_000)).isEqualTo(1049);
        assertThat(LinearCrossEntropy.defaultChunk(1024, 768, 50_257)).isEqualTo(128);
        assertThat(LinearCrossEntropy.defaultChunk(100, 768, 50_257)).isEqualTo(100);
        assertThat(LinearCrossEntropy.defaultChunk(100, 768, 10)).isEqualTo(100);
        assertThat(LinearCrossEntropy.defaultChunk(0, 768, 10)).isEqualTo(1);
    }

    @Test
    void linearCrossEntropyRejectsWrongShapesTargetsAndChunks() {
        Tensor targets = targets();
        assertThatThrownBy(() -> hidden.linearCrossEntropy(weight, targets, CrossEntropyOptions.of(Reduction.SUM), -1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("linearCrossEntropy", "-1");
        assertThatThrownBy(() -> hidden.reshape(WIDTH, ROWS)
                        .linearCrossEntropy(weight, targets, CrossEntropyOptions.of(Reduction.SUM), 0))
                .isInstanceOf(ShapeException.class)
                .hasMessageContainingAll("linearCrossEntropy", "[24, 200]", "[301, 24]", "hidden_size");
        assertThatThrownBy(() -> hidden.linearCrossEntropy(
                        weight, targets.slice(0, 10), CrossEntropyOptions.of(Reduction.SUM), 0))
                .isInstanceOf(ShapeException.class)
                .hasMessageContainingAll("one target per row", "[200, 24]", "[10]");
        int[] bad = new int[ROWS];
        bad[150] = CLASSES;
        assertThatThrownBy(() -> hidden.linearCrossEntropy(
                        weight, Tensor.of(device, bad, ROWS), CrossEntropyOptions.of(Reduction.SUM), 64))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("target 301", "row 150", "301 classes");
    }
}
