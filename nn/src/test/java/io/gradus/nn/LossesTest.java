package io.gradus.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.gradus.autograd.CrossEntropyOptions;
import io.gradus.autograd.Reduction;
import io.gradus.autograd.Variable;
import io.gradus.core.ShapeException;
import io.gradus.core.Tensor;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Values and gradients are compared with PyTorch in {@link LossesMatchPyTorchTest}. */
class LossesTest {

    private static Variable constant(float... elements) {
        return Variable.constant(Tensor.of(elements, elements.length));
    }

    @Test
    void mseLossIsTheMeanOfTheSquaredDifferences() {
        Variable prediction = Variable.parameter("prediction", Given.random(1, 3, 5));
        Variable target = Variable.parameter("target", Given.random(2, 3, 5));
        Formula formula = v -> {
            double sum = 0;
            for (int i = 0; i < 15; i++) {
                sum += (v[0][i] - v[1][i]) * (v[0][i] - v[1][i]);
            }
            return new double[] {sum / 15};
        };
        formula.assertAgrees(() -> Losses.mseLoss(prediction, target), List.of(prediction, target));
    }

    @Test
    void huberLossIsQuadraticBelowDeltaAndLinearAbove() {
        Variable losses = Losses.huberLoss(constant(1, -2, 5), constant(0, 0, 0), 2, Reduction.NONE);
        assertThat(losses.value().toFloats()).containsExactly(0.5f, 2, 8);
    }

    @Test
    void binaryCrossEntropyOfExtremeLogitsIsFinite() {
        Variable x = Variable.parameter("x", Tensor.of(new float[] {1e4f, -1e4f, 1e4f, -1e4f}, 4));
        Variable losses = Losses.binaryCrossEntropyWithLogits(x, constant(1, 0, 0, 1), null, Reduction.NONE);
        assertThat(losses.value().toFloats()).containsExactly(0, 0, 1e4f, 1e4f);
        losses.sum().backward();
        assertThat(x.grad().toFloats()).containsExactly(0, 0, 1, -1);
    }

    @Test
    void klDivLossOfEqualDistributionsIsZero() {
        Variable p = constant(0.25f, 0.75f, 0);
        Variable logP = constant((float) Math.log(0.25), (float) Math.log(0.75), -5);
        assertThat(Losses.klDivLoss(logP, p, Reduction.SUM).item()).isCloseTo(0, within(1e-7));
    }

    @Test
    void inputAndTargetOfDifferentShapesAreRejected() {
        Variable input = Variable.constant(Given.random(1, 4, 1));
        Variable target = Variable.constant(Given.random(2, 4));
        for (Runnable loss : List.<Runnable>of(
                () -> Losses.mseLoss(input, target),
                () -> Losses.l1Loss(input, target, Reduction.MEAN),
                () -> Losses.huberLoss(input, target, 1, Reduction.MEAN),
                () -> Losses.smoothL1Loss(input, target, 1, Reduction.MEAN),
                () -> Losses.binaryCrossEntropyWithLogits(input, target, null, Reduction.MEAN),
                () -> Losses.klDivLoss(input, target, Reduction.MEAN),
                () -> Losses.klDivLossOfLogTarget(input, target, Reduction.MEAN))) {
            assertThatThrownBy(loss::run)
                    .isInstanceOf(ShapeException.class)
                    .hasMessageContaining("input and target differ in shape")
                    .hasMessageContaining("[4, 1]");
        }
    }

    @Test
    void thresholdsThatAreNotPositiveAreRejected() {
        Variable x = constant(1, 2);
        assertThatThrownBy(() -> Losses.huberLoss(x, x, 0, Reduction.MEAN))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("huberLoss: delta is 0.0; it must be positive");
        assertThatThrownBy(() -> Losses.smoothL1Loss(x, x, Double.NaN, Reduction.MEAN))
                .hasMessageContaining("smoothL1Loss: beta is NaN");
    }

    @Test
    void crossEntropyRejectsClassWeightsThatDoNotFit() {
        Variable logits = Variable.constant(Given.random(1, 2, 3));
        Tensor targets = Given.ids(1, 0, 2).reshape(2);
        CrossEntropyOptions options = CrossEntropyOptions.of(Reduction.MEAN);
        assertThatThrownBy(() -> Losses.crossEntropy(logits, targets, Given.random(2, 4), options))
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("give one weight per class");
        assertThatThrownBy(() -> Losses.crossEntropy(
                        logits, targets, Given.random(2, 3), options.withSampleWeights(Given.random(3, 2))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("class weights and sample weights cannot be combined");
    }

    @Test
    void shiftLabelsMovesLabelsForwardWithinEachRow() {
        int[] labels = {1, -100, 3, 4, 5, 6};
        assertThat(Losses.shiftLabels(labels, 3)).containsExactly(-100, 3, -100, 5, 6, -100);
        assertThat(labels).as("unchanged").containsExactly(1, -100, 3, 4, 5, 6);
        assertThat(Losses.shiftLabels(new int[] {7, 8}, 1)).containsExactly(-100, -100);
        assertThat(Losses.shiftLabels(new int[0], 3)).isEmpty();
    }

    @Test
    void shiftLabelsRejectsIncompleteRows() {
        assertThatThrownBy(() -> Losses.shiftLabels(new int[5], 3))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("shiftLabels: 5 labels do not form rows of length 3");
        assertThatThrownBy(() -> Losses.shiftLabels(new int[5], 0)).isInstanceOf(IllegalArgumentException.class);
    }
}
