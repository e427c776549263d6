package io.gradus.autograd.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.gradus.autograd.Autograd;
import io.gradus.autograd.CrossEntropyOptions;
import io.gradus.autograd.Reduction;
import io.gradus.autograd.Variable;
import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.MemoryLedger;
import io.gradus.core.Scope;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.core.reference.ReferenceBackend;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** The gradient of a mean or sum is computed once, with the loss, and passed on without a copy. */
class CrossEntropyTest {
    private static final int ROWS = 7;
    private static final int CLASSES = 11;
    private static final long OF_THE_LOGITS = ROWS * CLASSES * 8;

    private final Device device = new Device("reference", 0, new ReferenceBackend());
    private final MemoryLedger memory = device.backend().memory();
    private final Tensor targets = Tensor.of(device, new int[] {3, -100, 10, 0, -100, 3, 7}, ROWS);

    private Variable logits() {
        double[] elements = new double[ROWS * CLASSES];
        for (int i = 0; i < elements.length; i++) {
            elements[i] = Math.sin(i);
        }
        return Variable.parameter("logits", Tensor.of(device, elements, ROWS, CLASSES));
    }

    private static double[] grad(Variable x) {
        return Objects.requireNonNull(x.grad()).toDoubles();
    }

    private double[] fromSingleLosses(Reduction reduction, double scale) {
        Variable x = logits();
        Variable losses = x.crossEntropy(targets, CrossEntropyOptions.of(Reduction.NONE));
        double divisor = reduction == Reduction.MEAN ? 5 : 1;
        losses.backward(
                Tensor.full(device, DType.F64, Shape.of(ROWS), scale / divisor, MemoryCategory.GRADIENTS), false);
        return grad(x);
    }

    @Test
    void crossEntropySumAndMeanHaveTheGradientsOfSingleLosses() {
        for (Reduction reduction : new Reduction[] {Reduction.SUM, Reduction.MEAN}) {
            for (double scale : new double[] {1, -0.25}) {
                Variable x = logits();
                x.crossEntropy(targets, CrossEntropyOptions.of(reduction))
                        .multiply(scale)
                        .sum()
                        .backward();
                double[] expected = fromSingleLosses(reduction, scale);
                for (int i = 0; i < expected.length; i++) {
                    assertThat(grad(x)[i]).isCloseTo(expected[i], within(1e-15));
                }
            }
        }
    }

    @Test
    void crossEntropyGradientIsPassedOnWithoutACopy() {
        for (double scale : new double[] {1, 0.5}) {
            Variable x = logits();
            long gradients = memory.live(MemoryCategory.GRADIENTS);
            try (Scope _ = Scope.open("step")) {
                Variable loss = x.multiply(1).crossEntropy(targets).multiply(scale);
                long before = memory.live();
                assertThat(memory.live(MemoryCategory.GRADIENTS) - gradients).isEqualTo(OF_THE_LOGITS);
                memory.resetPeak();
                loss.backward();
                assertThat(memory.peak() - before)
                        .as("a leaf's gradient, and scalars")
                        .isBetween(OF_THE_LOGITS, OF_THE_LOGITS + 3 * 8);
                assertThat(memory.live() - before)
                        .as("the leaf's took the place of that of the logits")
                        .isLessThanOrEqualTo(2 * 8);
            }
        }
    }

    @Test
    void retainedCrossEntropyGivesTheSameGradientAgain() {
        Variable x = logits();
        Variable loss = x.multiply(2).crossEntropy(targets);
        Variable half = loss.multiply(0.5);
        loss.backward(true);
        double[] once = grad(x);
        x.clearGrad();
        loss.backward(true);
        assertThat(grad(x)).containsExactly(once);
        x.clearGrad();
        half.backward(true);
        half.backward();
        assertThat(grad(x)).containsExactly(once);
    }

    @Test
    void crossEntropyUnderNoGradKeepsOnlyTheLoss() {
        Variable x = logits();
        long before = memory.live();
        memory.resetPeak();
        try (Scope _ = Scope.open("evaluation")) {
            Autograd.noGrad(() -> x.crossEntropy(targets));
            assertThat(memory.live() - before).isEqualTo(8);
            assertThat(memory.peak() - before).isLessThan(OF_THE_LOGITS);
        }
    }

    @Test
    void crossEntropyGradientWithoutBackwardIsFreedByTheScope() {
        long before = memory.live();
        try (Scope _ = Scope.open("step")) {
            logits().crossEntropy(targets);
        }
        assertThat(memory.live()).isEqualTo(before);
    }
}
