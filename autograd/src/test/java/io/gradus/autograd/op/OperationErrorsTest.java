package io.gradus.autograd.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.autograd.CrossEntropyOptions;
import io.gradus.autograd.Reduction;
import io.gradus.autograd.Variable;
import io.gradus.core.AttentionOptions;
import io.gradus.core.Device;
import io.gradus.core.Philox;
import io.gradus.core.Shape;
import io.gradus.core.ShapeException;
import io.gradus.core.Tensor;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** An error names the operation, the shapes and the fix. */
class OperationErrorsTest {

    private static Variable zeros(long... shape) {
        return Variable.constant(
                Tensor.of(Device.reference(), new double[(int) Shape.of(shape).size()], shape));
    }

    private static Tensor ids(int... ids) {
        return Tensor.of(Device.reference(), ids, ids.length);
    }

    private static void refused(ThrowingCallable call, String... words) {
        assertThatThrownBy(call)
                .isInstanceOf(IllegalArgumentException.class)
                .satisfies(e -> assertThat(e).message().contains(words));
    }

    @Test
    void shapesThatDoNotBroadcastAreRejected() {
        refused(() -> zeros(3, 4).add(zeros(3)), "add", "[3, 4]", "[3]");
        refused(() -> zeros(3, 4).subtract(zeros(3)), "subtract", "[3, 4]");
        refused(() -> zeros(3, 4).divide(zeros(3)), "divide", "[3, 4]");
        refused(() -> zeros(3, 4).pow(zeros(3)), "pow", "[3, 4]");
        refused(() -> zeros(3, 4).broadcastTo(4), "broadcastTo", "[3, 4]", "[4]");
        refused(() -> Variable.where(ids(1, 0), zeros(3), zeros(3)), "where", "[2]", "[3]");
    }

    @Test
    void matrixShapesThatDoNotMatchAreRejected() {
        refused(() -> zeros(2, 3).matmul(zeros(4, 5)), "matmul", "[2, 3]", "[4, 5]", "transpose");
        refused(() -> zeros(3).matmul(zeros(3, 2)), "matmul", "two axes");
        refused(() -> zeros(2, 5, 3).matmul(zeros(4, 6)), "matmul", "[2, 5, 3]", "[4, 6]");
        refused(() -> zeros(5, 3).linear(zeros(3, 4), null), "linear", "[5, 3]", "[3, 4]", "transpose");
        refused(() -> zeros(2, 5, 3).linear(zeros(2, 3, 4), null, false), "linear", "[2, 5, 3]", "[2, 3, 4]");
        refused(() -> zeros(5, 3).linear(zeros(4, 3), zeros(3)), "bias", "[3]", "[4]");
        refused(() -> Variable.swiglu(zeros(5, 3), zeros(3)), "swiglu", "[5, 3]", "[3]");
    }

    @Test
    void missingAxesAreRejected() {
        refused(() -> zeros(2, 3).sum(2), "sum", "axis 2", "[2, 3]");
        refused(() -> zeros(2, 3).mean(-3), "mean", "axis -3");
        refused(() -> zeros(2, 3).max(1, -1), "max", "axis -1", "repeated");
        refused(() -> zeros(2, 0).max(1), "max", "[2, 0]");
        refused(() -> zeros(2, 3).softmax(5), "axis 5", "[2, 3]");
        refused(() -> zeros(2, 3).permute(0, 0), "permute", "[0, 0]");
        refused(() -> zeros(2, 3).slice(1, 2, 4), "slice", "2 to 4", "axis 1", "[2, 3]");
    }

    @Test
    void concatOfDifferentShapesIsRejected() {
        refused(() -> Variable.concat(0, List.of(zeros(2, 3), zeros(2, 4))), "concat", "[2, 3]", "[2, 4]");
        refused(() -> Variable.concat(0, List.of(zeros(2, 3), zeros(2))), "concat", "[2]");
        refused(() -> Variable.concat(0, List.of()), "concat");
    }

    private static CrossEntropyOptions weighted(Reduction reduction, @Nullable Tensor weights) {
        return CrossEntropyOptions.of(reduction).withIgnoreIndex(-1).withSampleWeights(weights);
    }

    @Test
    void crossEntropyMeanOverIgnoredTargetsIsRejected() {
        Variable logits = zeros(3, 5);
        Tensor masked = ids(-100, -100, -100);
        refused(() -> logits.crossEntropy(masked), "crossEntropy", "3 targets", "-100", "masked");
        Tensor weights = Tensor.of(Device.reference(), new double[] {0, 0, 1}, 3);
        refused(
                () -> logits.crossEntropy(ids(1, 2, -1), weighted(Reduction.MEAN, weights)),
                "crossEntropy",
                "weight 0");
        assertThat(logits.crossEntropy(masked, CrossEntropyOptions.of(Reduction.SUM))
                        .item())
                .isZero();
    }

    @Test
    void crossEntropyMeanDividesByTheWeightsOfCountedTargets() {
        double[] logits = {2, 0, 0, 0, 1, 0};
        Variable x = Variable.constant(Tensor.of(Device.reference(), logits, 3, 2));
        Tensor weights = Tensor.of(Device.reference(), new double[] {3, 1, 50}, 3);
        double[] losses = x.crossEntropy(ids(0, 1, -1), weighted(Reduction.NONE, null))
                .value()
                .toDoubles();
        double mean =
                x.crossEntropy(ids(0, 1, -1), weighted(Reduction.MEAN, weights)).item();
        assertThat(mean).isEqualTo((3 * losses[0] + losses[1]) / 4);
        assertThat(losses[2]).isZero();
    }

    @Test
    void targetsAndIdsOutOfRangeAreRejected() {
        refused(() -> zeros(2, 5).crossEntropy(ids(1, 5)), "5");
        refused(() -> zeros(2, 5).crossEntropy(ids(1)), "crossEntropy", "[2, 5]", "[1]");
        refused(() -> zeros(7, 3).embedding(ids(0, 7)), "id 7", "table of 7");
        refused(() -> zeros(7, 3).gather(0, ids(0)), "gather", "[7, 3]", "[1]");
    }

    @Test
    void attentionHeadsThatDoNotDivideAreRejected() {
        AttentionOptions settings = new AttentionOptions(true, null, 1);
        Variable keys = zeros(1, 2, 2, 4);
        assertThatThrownBy(() -> zeros(1, 2, 3, 4).attention(keys, keys, settings))
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("num_key_value_heads");
        assertThatThrownBy(() -> zeros(2, 3, 4).attention(keys, keys, settings))
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("[B, T, H, D]");
    }

    @Test
    void dropoutWithProbabilityOneIsRejected() {
        refused(() -> zeros(3).dropout(1, new Philox.Key(1, 0, 0)), "dropout", "1.0");
    }
}
