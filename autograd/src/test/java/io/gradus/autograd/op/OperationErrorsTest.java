package io.gradus.autograd.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.autograd.CrossEntropyOptions;
import io.gradus.autograd.Reduction;
import io.gradus.autograd.Variable;
import io.gradus.core.AttentionOptions;
import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.Philox;
import io.gradus.core.RopeLayout;
import io.gradus.core.Shape;
import io.gradus.core.ShapeException;
import io.gradus.core.Tensor;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

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
        refused(() -> zeros(2, 3).softmax(5), "softmax", "axis 5", "[2, 3]");
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
    void clampOfAnEmptyIntervalAndHuberWithoutADeltaAreRejected() {
        refused(() -> zeros(3).clamp(1, -1), "clamp", "from 1.0 to -1.0");
        refused(() -> zeros(3).clamp(Double.NaN, 1), "clamp", "NaN");
        refused(() -> zeros(3).huber(zeros(3), 0), "huber", "0.0", "positive");
        refused(() -> CrossEntropyOptions.of(Reduction.MEAN).withLabelSmoothing(1.5), "label smoothing", "1.5");
        refused(() -> zeros(3, 0).argmax(1), "argmax", "[3, 0]");
    }

    /** A parameter whose shape fits nothing below. */
    private static Variable wrong(long... shape) {
        return Variable.parameter("model.layers.3.weight", zeros(shape).value());
    }

    private static Arguments error(String operation, Supplier<?> call) {
        return Arguments.of(operation, call);
    }

    static Stream<Arguments> wrongParameters() {
        Tensor positions = Tensor.of(Device.reference(), new int[] {0, 1}, 1, 2);
        return Stream.of(
                error("add", () -> zeros(3, 4).add(wrong(3))),
                error("subtract", () -> zeros(3, 4).subtract(wrong(3))),
                error("multiply", () -> zeros(3, 4).multiply(wrong(3))),
                error("divide", () -> zeros(3, 4).divide(wrong(3))),
                error("pow", () -> zeros(3, 4).pow(wrong(3))),
                error("minimum", () -> zeros(3, 4).minimum(wrong(3))),
                error("maximum", () -> zeros(3, 4).maximum(wrong(3))),
                error("lt", () -> zeros(3, 4).lt(wrong(3))),
                error("le", () -> zeros(3, 4).le(wrong(3))),
                error("gt", () -> zeros(3, 4).gt(wrong(3))),
                error("ge", () -> zeros(3, 4).ge(wrong(3))),
                error("eq", () -> zeros(3, 4).eq(wrong(3))),
                error("ne", () -> zeros(3, 4).ne(wrong(3))),
                error("where", () -> Variable.where(ids(1, 0), zeros(2), wrong(3))),
                error("matmul", () -> zeros(5, 7).matmul(wrong(8, 64))),
                error("matmul", () -> zeros(2, 5, 7).matmul(wrong(8, 64))),
                error("matmul", () -> zeros(2, 5, 7).matmul(wrong(3, 7, 4))),
                error("linear", () -> zeros(5, 7).linear(wrong(8, 64), null)),
                error("linear", () -> zeros(2, 5, 7).linear(wrong(8, 64), null, false)),
                error("linear", () -> zeros(5, 7).linear(zeros(8, 7), wrong(7))),
                error("linear", () -> zeros(5, 7).linear(wrong(8), null)),
                error("swiglu", () -> Variable.swiglu(zeros(3, 4), wrong(4, 3))),
                error("layerNorm", () -> zeros(3, 4).layerNorm(wrong(3), null, 1e-5)),
                error("layerNorm", () -> zeros(3, 4).layerNorm(zeros(4), wrong(3), 1e-5)),
                error("rmsNorm", () -> zeros(3, 4).rmsNorm(wrong(3), 1e-5)),
                error("embedding", () -> wrong(7).embedding(ids(0))),
                error(
                        "rotary",
                        () -> wrong(2, 3)
                                .rotary(zeros(5, 2).value(), zeros(5, 2).value(), positions, RopeLayout.HALF_SPLIT)),
                error(
                        "attention",
                        () -> zeros(1, 2, 4, 8)
                                .attention(wrong(1, 2, 3, 8), zeros(1, 2, 3, 8), AttentionOptions.causal(8))),
                error(
                        "attention",
                        () -> wrong(2, 8).attention(zeros(1, 2, 2, 8), zeros(1, 2, 2, 8), AttentionOptions.causal(8))),
                error("crossEntropy", () -> wrong(3, 5).crossEntropy(ids(1, 2))),
                error(
                        "linearCrossEntropy",
                        () -> zeros(2, 5)
                                .linearCrossEntropy(wrong(7, 4), ids(1, 2), CrossEntropyOptions.of(Reduction.SUM), 0)),
                error("huber", () -> wrong(3, 1).huber(zeros(3), 1)),
                error("binaryCrossEntropyWithLogits", () -> wrong(3, 1).binaryCrossEntropyWithLogits(zeros(3))),
                error("klDivergence", () -> wrong(3, 1).klDivergence(zeros(3))),
                error("concat", () -> Variable.concat(0, List.of(zeros(2, 3), wrong(2, 4)))),
                error("concat", () -> Variable.concat(2, List.of(wrong(2, 3)))),
                error("broadcastTo", () -> wrong(3, 4).broadcastTo(4)),
                error("reshape", () -> wrong(3, 4).reshape(5, 2)),
                error("reshape", () -> wrong(3, 4).reshape(5, -1)),
                error("gather", () -> wrong(7, 3).gather(0, ids(0))),
                error("gather", () -> wrong(7, 3).gather(2, ids(0))),
                error("topk", () -> wrong(3, 4).topk(5, -1)),
                error("topk", () -> wrong(3, 4).topk(1, 2)),
                error("argmax", () -> wrong(3, 4).argmax(2)),
                error("cumsum", () -> wrong(3, 4).cumsum(2)),
                error("softmax", () -> wrong(3, 4).softmax(2)),
                error("logSoftmax", () -> wrong(3, 4).logSoftmax(-3)),
                error("sum", () -> wrong(3, 4).sum(2)),
                error("mean", () -> wrong(3, 4).mean(0, 0)),
                error("max", () -> wrong(3, 0).max(1)),
                error("slice", () -> wrong(3, 4).slice(1, 2, 5)),
                error("slice", () -> wrong(3, 4).slice(2, 0, 1)),
                error("split", () -> wrong(3, 4).split(1, 2, 3)),
                error("split", () -> wrong(3, 4).split(2, 1)),
                error("transpose", () -> wrong(3, 4).transpose(0, 2)),
                error("permute", () -> wrong(3, 4).permute(0, 0)),
                error("permute", () -> wrong(3, 4).permute(0, 2)));
    }

    @ParameterizedTest(name = "{0}, call {index}")
    @MethodSource("wrongParameters")
    void errorNamesTheOperationAndTheParameter(String operation, Supplier<?> call) {
        assertThatThrownBy(call::get)
                .isInstanceOf(IllegalArgumentException.class)
                .satisfies(e ->
                        assertThat(e).message().startsWith(operation + ": ").contains("model.layers.3.weight ["));
    }

    @Test
    void linearWithAWrongWeightNamesInputWeightAndFix() {
        Variable weight = Variable.parameter(
                "model.layers.3.mlp.up_proj.weight", zeros(8, 64).value());
        assertThatThrownBy(() -> zeros(5, 7).linear(weight, null))
                .isInstanceOf(ShapeException.class)
                .hasMessage("linear: the weight takes rows of 64 elements and the input has rows of 7: [5, 7] and"
                        + " model.layers.3.mlp.up_proj.weight [8, 64]; pass an input […, 64], or transpose the weight");
    }

    @Test
    void errorNamesAParameterThatWasConvertedFromSixteenBits() {
        Variable x = Variable.constant(Tensor.of(new float[12], 3, 4));
        Variable weight = Variable.parameter(
                "model.norm.weight", Tensor.of(new float[3], 3).to(DType.BF16));
        refused(() -> x.rmsNorm(weight, 1e-5), "rmsNorm", "model.norm.weight [3]", "[4]");
    }

    @Test
    void dropoutWithProbabilityOneIsRejected() {
        refused(() -> zeros(3).dropout(1, new Philox.Key(1, 0, 0)), "dropout", "1.0");
    }
}
