package io.gradus.autograd.op;

import static io.gradus.autograd.GradientCheck.matching;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import io.gradus.autograd.CrossEntropyOptions;
import io.gradus.autograd.GradientCheck;
import io.gradus.autograd.Operation;
import io.gradus.autograd.Reduction;
import io.gradus.autograd.Variable;
import io.gradus.core.AttentionOptions;
import io.gradus.core.Philox;
import io.gradus.core.RopeLayout;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * The backward pass of each operation is the derivative of its forward pass: odd shapes, broadcasting, repeated inputs.
 */
class OperationsPassGradientCheckTest {
    private static final Path SOURCES = Path.of("src/main/java/io/gradus/autograd/op");

    /** A function and the point at which it is differentiated; {@code operation} is the class that it tests. */
    private record Case(String operation, String name, GradientCheck.Function function, Tensor... inputs) {}

    private final List<Case> cases = new ArrayList<>();

    private void add(String operation, String name, GradientCheck.Function function, Tensor... inputs) {
        cases.add(new Case(operation, name, function, inputs));
    }

    @TestFactory
    List<DynamicTest> everyOperationPasses() {
        allCases();
        return cases.stream()
                .map(c -> dynamicTest(
                        c.operation + " " + c.name,
                        () -> GradientCheck.of(c.function, c.inputs).assertPasses()))
                .toList();
    }

    @Test
    void everyOperationHasAGradientCheck() throws IOException {
        allCases();
        Set<String> checked = cases.stream().map(Case::operation).collect(Collectors.toCollection(TreeSet::new));
        try (var files = Files.list(SOURCES)) {
            Set<String> operations = files.map(
                            file -> file.getFileName().toString().replace(".java", ""))
                    .filter(OperationsPassGradientCheckTest::isOperation)
                    .collect(Collectors.toCollection(TreeSet::new));
            assertThat(checked).isEqualTo(operations).hasSizeGreaterThan(30);
        }
    }

    private static boolean isOperation(String name) {
        try {
            return Operation.class.isAssignableFrom(Class.forName(Operation.class.getPackageName() + ".op." + name));
        } catch (ClassNotFoundException e) {
            return false; // package-info
        }
    }

    private void allCases() {
        cases.clear();
        arithmetic();
        functionsOfOneNumber();
        matrixProducts();
        reductions();
        softmaxAndLoss();
        network();
        attention();
        recurrence();
        movement();
    }

    private void arithmetic() {
        List<Tensor[]> pairs = List.of(
                new Tensor[] {any(3, 7), positive(3, 7)},
                new Tensor[] {any(3, 1, 5), positive(4, 1)},
                new Tensor[] {any(2, 3, 5), positive(5)},
                new Tensor[] {any(1, 5), positive(3, 5)},
                new Tensor[] {any(2, 3), positive()},
                new Tensor[] {any(), positive(1)});
        for (Tensor[] pair : pairs) {
            String shapes = pair[0].shape() + " and " + pair[1].shape();
            add("Add", shapes, x -> x[0].add(x[1]), pair);
            add("Subtract", shapes, x -> x[0].subtract(x[1]), pair);
            add("Subtract", "reversed, " + shapes, x -> x[1].subtract(x[0]), pair);
            add("Multiply", shapes, x -> x[0].multiply(x[1]), pair);
            add("Divide", shapes, x -> x[0].divide(x[1]), pair);
            add("Power", shapes, x -> x[1].pow(x[0]), pair);
        }
        for (Tensor[] pair : pairs) {
            String shapes = pair[0].shape() + " and " + pair[1].shape();
            add("Minimum", shapes, x -> x[0].minimum(x[1]), pair);
            add("Maximum", shapes, x -> x[0].maximum(x[1]), pair);
        }
        add("Maximum", "leaky ReLU as max(x, x/9)", x -> x[0].maximum(x[0].divide(9)), any(3, 5));
        add("Minimum", "x and its square", x -> x[0].minimum(x[0].pow(2)), any(3, 5));
        Tensor x35 = positive(3, 5);
        add(
                "Cast",
                "to its own dtype",
                x -> Variable.apply(new Cast(x[0].value().dtype()), x[0]),
                any(3, 5));
        add("Add", "x + x", x -> x[0].add(x[0]), x35);
        add("Subtract", "x − x", x -> x[0].subtract(x[0]), x35);
        add("Multiply", "x · x", x -> x[0].multiply(x[0]), x35);
        add("Multiply", "three uses", x -> x[0].multiply(x[0]).multiply(x[0]), x35);
        add("Divide", "x / x², as one expression", x -> x[0].divide(x[0].multiply(x[0])), x35);
        add("Power", "x to the x", x -> x[0].pow(x[0]), x35);
        add("Power", "squared, of either sign", x -> x[0].pow(2), any(3, 5));
        add("Power", "to the −1.5", x -> x[0].pow(-1.5), x35);
        add(
                "Affine",
                "scale and shift",
                x -> x[0].multiply(-3).add(2).negate().subtract(1).divide(7),
                any(3, 5));
    }

    private void functionsOfOneNumber() {
        for (Tensor t : List.of(any(), any(1), any(17), any(3, 5, 11))) {
            String shape = t.shape().toString();
            add("Exp", shape, x -> x[0].exp(), t);
            add("Tanh", shape, x -> x[0].tanh(), t);
            add("Sigmoid", shape, x -> x[0].sigmoid(), t);
            add("Relu", shape, x -> x[0].relu(), t);
            add("Gelu", shape, x -> x[0].gelu(), t);
            add("Gelu", "approximate, " + shape, x -> x[0].geluTanh(), t);
            add("Silu", shape, x -> x[0].silu(), t);
            add("Abs", shape, x -> x[0].abs(), t);
            add("Sin", shape, x -> x[0].sin(), t);
            add("Cos", shape, x -> x[0].cos(), t);
            add("Clamp", shape, x -> x[0].clamp(-0.05, 0.05).add(x[0].clamp(-3, 3)), t);
        }
        add("Clamp", "from below", x -> x[0].clamp(0, Double.POSITIVE_INFINITY).multiply(x[0]), any(3, 7));
        add("Sin", "sin² + cos²", x -> x[0].sin().pow(2).add(x[0].cos().pow(2)).add(x[0]), any(3, 7));
        for (Tensor t : List.of(positive(), positive(17), positive(3, 5, 11))) {
            add("Log", t.shape().toString(), x -> x[0].log(), t);
            add("Sqrt", t.shape().toString(), x -> x[0].sqrt(), t);
        }
        add("Silu", "gated: silu(x)·x", x -> x[0].silu().multiply(x[0]), any(3, 7));
        add("SwiGlu", "two factors", x -> Variable.swiglu(x[0], x[1]), any(2, 3, 7), any(2, 3, 7));
        add("SwiGlu", "x gates itself", x -> Variable.swiglu(x[0], x[0]).add(x[0]), any(17));
        add(
                "SwiGlu",
                "of results",
                x -> Variable.swiglu(x[0].tanh(), x[1].tanh().add(x[0])),
                any(3, 5),
                any(3, 5));
    }

    private void matrixProducts() {
        for (boolean ta : new boolean[] {false, true}) {
            for (boolean tb : new boolean[] {false, true}) {
                long[] a = ta ? new long[] {7, 5} : new long[] {5, 7};
                long[] b = tb ? new long[] {3, 7} : new long[] {7, 3};
                String flags = (ta ? "Aᵀ" : "A") + "·" + (tb ? "Bᵀ" : "B");
                add("MatMul", flags, x -> x[0].matmul(x[1], ta, tb), any(a), any(b));
                add("MatMul", "batch " + flags, x -> x[0].matmul(x[1], ta, tb), any(2, a[0], a[1]), any(2, b[0], b[1]));
                add(
                        "MatMul",
                        "broadcast batch " + flags,
                        x -> x[0].matmul(x[1], ta, tb),
                        any(2, 1, a[0], a[1]),
                        any(3, b[0], b[1]));
                add(
                        ta ? "MatMul" : "Linear",
                        "rows " + flags,
                        x -> x[0].matmul(x[1], ta, tb),
                        any(2, a[0], a[1]),
                        any(b));
                add("MatMul", "X with itself " + flags, x -> x[0].matmul(x[0], ta, tb), any(3, 3));
            }
        }
        add("MatMul", "outer", x -> x[0].matmul(x[1]), any(5, 1), any(1, 3));
        add("Linear", "out by in", x -> x[0].linear(x[1], x[2]), any(2, 5, 7), any(3, 7), any(3));
        add("Linear", "in by out", x -> x[0].linear(x[1], x[2], false), any(2, 1, 5, 7), any(7, 3), any(3));
        add("Linear", "one row, no bias", x -> x[0].linear(x[1], null), any(1, 7), any(1, 7));
        add(
                "Linear",
                "X for weight and bias",
                x -> x[0].linear(x[0], x[0].sum(0)).add(x[0]),
                any(3, 3));
    }

    private void reductions() {
        int[][] axes = {{}, {0}, {1}, {-1}, {0, 2}};
        for (int[] over : axes) {
            for (boolean keep : new boolean[] {false, true}) {
                String name = Arrays.toString(over) + (keep ? " kept" : "");
                add("Sum", name, x -> x[0].sum(over, keep), any(3, 4, 5));
                add("Mean", name, x -> x[0].mean(over, keep), any(3, 4, 5));
                add("Max", name, x -> x[0].max(over, keep), any(3, 4, 5));
            }
        }
        add("Sum", "of a scalar", x -> x[0].sum(), any());
        add("Mean", "variance", x -> x[0].subtract(x[0].mean(-1, true)).pow(2).mean(-1), any(3, 7));
        add("Max", "with its input", x -> x[0].subtract(x[0].max(-1, true)).exp(), any(3, 7));
        for (int axis : new int[] {0, 1, -1}) {
            add("Cumsum", "axis " + axis, x -> x[0].cumsum(axis), any(3, 4, 5));
            add("TopK", "axis " + axis, x -> x[0].topk(2, axis).values(), any(3, 4, 5));
        }
        add("Cumsum", "times its input", x -> x[0].cumsum(-1).multiply(x[0]), any(3, 7));
        add("TopK", "all, with its input", x -> x[0].topk(7, -1).values().multiply(x[0]), any(3, 7));
    }

    private void softmaxAndLoss() {
        for (int axis : new int[] {-1, 0, 1}) {
            add("Softmax", "axis " + axis, x -> x[0].softmax(axis), any(3, 5, 7));
            add("LogSoftmax", "axis " + axis, x -> x[0].logSoftmax(axis), any(3, 5, 7));
        }
        add("Softmax", "one class", x -> x[0].softmax(-1), any(3, 1));
        add("Softmax", "times its input", x -> x[0].softmax(-1).multiply(x[0]), any(3, 7));
        Tensor targets = Tensor.of(new int[] {3, -100, 10, 0, -100, 3, 7}, 7);
        Tensor weights = positive(7);
        for (Reduction reduction : Reduction.values()) {
            add("CrossEntropy", reduction + "", x -> loss(x[0], targets, reduction, null), any(7, 11));
            add("CrossEntropy", reduction + " weighted", x -> loss(x[0], targets, reduction, weights), any(7, 11));
            add(
                    "CrossEntropy",
                    reduction + " of a batch",
                    x -> loss(x[0], targets.reshape(7, 1), reduction, null),
                    any(7, 1, 11));
        }
        CrossEntropyOptions smoothed = CrossEntropyOptions.of(Reduction.MEAN).withLabelSmoothing(0.2);
        for (Reduction reduction : Reduction.values()) {
            CrossEntropyOptions options = new CrossEntropyOptions(reduction, CrossEntropy.IGNORE_INDEX, null, 0.1);
            add(
                    "CrossEntropy",
                    reduction + " with label smoothing",
                    x -> x[0].crossEntropy(matching(targets, x[0]), options),
                    any(7, 11));
            add(
                    "LinearCrossEntropy",
                    reduction + " with label smoothing",
                    x -> x[0].linearCrossEntropy(x[1], matching(targets, x[0]), options, 3),
                    any(7, 5),
                    any(11, 5));
            add(
                    "LinearCrossEntropy",
                    reduction + " with label smoothing and a softcap",
                    x -> x[0].linearCrossEntropy(x[1], null, matching(targets, x[0]), options, 3, 1.5),
                    any(7, 5),
                    any(11, 5));
            add(
                    "LinearCrossEntropy",
                    reduction + " with label smoothing, a softcap and a bias",
                    x -> x[0].linearCrossEntropy(x[1], x[2], matching(targets, x[0]), options, 3, 1.5),
                    any(7, 5),
                    any(11, 5),
                    any(11));
        }
        add(
                "CrossEntropy",
                "with label smoothing and weights",
                x -> x[0].crossEntropy(matching(targets, x[0]), smoothed.withSampleWeights(matching(weights, x[0]))),
                any(7, 11));
        for (Tensor t : List.of(any(), any(17), any(3, 5))) {
            String shape = t.shape().toString();
            add("Huber", shape, x -> x[0].huber(x[1], 1), t, any(t.shape().toArray()));
            add("Huber", "small delta, " + shape, x -> x[0].huber(x[0].pow(2), 0.05), t);
            add(
                    "BinaryCrossEntropy",
                    shape,
                    x -> x[0].binaryCrossEntropyWithLogits(x[1]),
                    t,
                    positive(t.shape().toArray()));
            add(
                    "KlDivergence",
                    shape,
                    x -> x[0].klDivergence(x[1]),
                    t,
                    positive(t.shape().toArray()));
        }
        add(
                "KlDivergence",
                "of softmax",
                x -> x[0].logSoftmax(-1).klDivergence(x[1].softmax(-1)),
                any(3, 5),
                any(3, 5));
        for (Reduction reduction : Reduction.values()) {
            for (int chunk : new int[] {0, 1, 3, 7}) {
                String name = reduction + " by " + chunk;
                add(
                        "LinearCrossEntropy",
                        name,
                        x -> linearLoss(x[0], x[1], targets, reduction, null, chunk),
                        any(7, 5),
                        any(11, 5));
                add(
                        "LinearCrossEntropy",
                        name + " weighted, of a batch",
                        x -> linearLoss(x[0], x[1], targets.reshape(1, 7), reduction, weights, chunk),
                        any(1, 7, 5),
                        any(11, 5));
            }
        }
        Tensor square = Tensor.of(new int[] {2, 0, -100, 1}, 4);
        add(
                "LinearCrossEntropy",
                "h for the weight",
                x -> linearLoss(x[0], x[0], square, Reduction.MEAN, null, 3),
                any(4, 3));
    }

    private static Variable linearLoss(
            Variable h, Variable weight, Tensor targets, Reduction reduction, @Nullable Tensor weights, int chunk) {
        return h.linearCrossEntropy(
                weight,
                matching(targets, h),
                CrossEntropyOptions.of(reduction).withSampleWeights(weights == null ? null : matching(weights, h)),
                chunk);
    }

    private static Variable loss(Variable x, Tensor targets, Reduction reduction, @Nullable Tensor weights) {
        return x.crossEntropy(
                matching(targets, x),
                CrossEntropyOptions.of(reduction).withSampleWeights(weights == null ? null : matching(weights, x)));
    }

    private void network() {
        Tensor ids = Tensor.of(new int[] {1, 3, 3, 6, 1, 3}, 2, 3);
        add("Embedding", "repeated ids", x -> x[0].embedding(matching(ids, x[0])), any(7, 5));
        add(
                "Embedding",
                "tied to the output",
                x -> x[0].embedding(matching(ids, x[0])).matmul(x[0], false, true),
                any(7, 5));
        add("LayerNorm", "three axes", x -> x[0].layerNorm(x[1], x[2], 1e-5), any(2, 3, 7), any(7), any(7));
        add("LayerNorm", "without bias", x -> x[0].layerNorm(x[1], null, 1e-5), any(3, 7), any(7));
        add("LayerNorm", "one row", x -> x[0].layerNorm(x[1], x[2], 1e-5), any(19), any(19), any(19));
        add("LayerNorm", "x for weight and bias", x -> x[0].layerNorm(x[0], x[0], 1e-2), any(5));
        add("RmsNorm", "three axes", x -> x[0].rmsNorm(x[1], 1e-5), any(2, 3, 7), any(7));
        add("RmsNorm", "one row", x -> x[0].rmsNorm(x[1], 1e-6), any(19), any(19));
        add("RmsNorm", "residual", x -> x[0].add(x[0].rmsNorm(x[1], 1e-6)), any(3, 5), any(5));
        Tensor angles = any(11, 3);
        Tensor positions = Tensor.of(new int[] {0, 1, 2, 3, 10, 7, 7, 0, 2, 1}, 2, 5);
        for (RopeLayout layout : RopeLayout.values()) {
            add("RotaryEmbedding", layout + "", x -> rotate(x[0], angles, positions, layout), any(2, 5, 3, 6));
            add(
                    "RotaryEmbedding",
                    layout + " and x",
                    x -> rotate(x[0], angles, positions, layout).multiply(x[0]),
                    any(2, 5, 1, 6));
        }
        Philox.Key key = new Philox.Key(7, 3, 1);
        add("Dropout", "a third", x -> x[0].dropout(1 / 3.0, key), any(3, 5, 11));
        add("Dropout", "plus x", x -> x[0].add(x[0].dropout(0.5, key)), any(17));
    }

    /** The operation is linear in x for any tables, cosines or not; these are {@code a} and {@code 1 − a}. */
    private static Variable rotate(Variable x, Tensor angles, Tensor positions, RopeLayout layout) {
        Tensor cos = matching(angles, x);
        Tensor sin = Variable.constant(cos).negate().add(1).value();
        return x.rotary(cos, sin, matching(positions, x), layout);
    }

    private void attention() {
        Tensor mask = Tensor.of(new int[] {1, 1, 1, 1, 1, 0, 1, 1, 1, 0}, 2, 5);
        Tensor documentStarts = Tensor.of(new int[] {0, 0, 2, 2, 4, 0, 1, 1, 1, 1}, 2, 5);
        for (boolean causal : new boolean[] {false, true}) {
            String name = causal ? "causal" : "full";
            add(
                    "Attention",
                    name,
                    x -> attend(x[0], x[1], x[2], causal, null),
                    any(2, 5, 3, 4),
                    any(2, 5, 3, 4),
                    any(2, 5, 3, 4));
            add(
                    "Attention",
                    name + ", cached keys",
                    x -> attend(x[0], x[1], x[2], causal, null),
                    any(1, 3, 2, 5),
                    any(1, 7, 2, 5),
                    any(1, 7, 2, 5));
            add(
                    "Attention",
                    name + ", grouped, masked",
                    x -> attend(x[0], x[1], x[2], causal, mask),
                    any(2, 5, 4, 3),
                    any(2, 5, 2, 3),
                    any(2, 5, 2, 3));
            add(
                    "Attention",
                    name + ", documents side by side",
                    x -> x[0].attention(
                            x[1], x[2], new AttentionOptions(causal, null, 0.6, matching(documentStarts, x[0]))),
                    any(2, 5, 4, 3),
                    any(2, 5, 2, 3),
                    any(2, 5, 2, 3));
            AttentionOptions near =
                    new AttentionOptions(causal, null, 0.6).withWindow(2).withSoftcap(1.5);
            add(
                    "Attention",
                    name + ", with a window and a softcap",
                    x -> x[0].attention(x[1], x[2], near),
                    any(2, 5, 4, 3),
                    any(2, 7, 2, 3),
                    any(2, 7, 2, 3));
            add("Attention", name + ", of x on itself", x -> attend(x[0], x[0], x[0], causal, null), any(2, 5, 2, 3));
            add(
                    "Attention",
                    name + ", of a result on itself",
                    x -> attend(x[0].tanh(), x[0], x[0], causal, null).add(x[0]),
                    any(1, 5, 2, 3));
            add(
                    "Attention",
                    name + ", of tanh x on itself",
                    x -> {
                        Variable h = x[0].tanh();
                        return h.add(attend(h, h, h, causal, null));
                    },
                    any(1, 5, 2, 3));
        }
    }

    private static Variable attend(Variable q, Variable k, Variable v, boolean causal, @Nullable Tensor mask) {
        return q.attention(k, v, new AttentionOptions(causal, mask == null ? null : matching(mask, q), 0.6));
    }

    private void recurrence() {
        for (long steps : new long[] {1, 4}) {
            Tensor[] inputs = {
                any(steps, 2, 3), any(2, 5), any(2, 5), any(20, 3), any(20, 5), any(20), any(20),
            };
            String name = steps + " steps";
            add("Lstm", name, x -> x[0].lstm(x[1], x[2], x[3], x[4], x[5], x[6]), inputs);
            add(
                    "Lstm",
                    name + ", hidden states only",
                    x -> x[0].lstm(x[1], x[2], x[3], x[4], x[5], x[6]).slice(0, 0, steps),
                    inputs);
            add("Lstm", name + ", no bias", x -> Variable.apply(new Lstm(), x), Arrays.copyOf(inputs, 5));
        }
        add(
                "Lstm",
                "from state to state",
                x -> {
                    List<Variable> first =
                            x[0].lstm(x[1], x[2], x[3], x[4], x[5], x[6]).split(0, 2, 1);
                    Variable hidden = first.getFirst().slice(0, 1, 2).reshape(2, 3);
                    Variable cell = first.getLast().reshape(2, 3);
                    return first.getFirst().lstm(hidden, cell, x[3], x[4], x[5], x[6]);
                },
                any(2, 2, 3),
                any(2, 3),
                any(2, 3),
                any(12, 3),
                any(12, 3),
                any(12),
                any(12));
    }

    private void movement() {
        add("Reshape", "and its input", x -> x[0].reshape(5, -1).matmul(x[0].reshape(3, 5)), any(3, 5));
        for (int axis : new int[] {0, 1, -1}) {
            long[] other = {2, 3, 5};
            other[axis < 0 ? 2 : axis] = 4;
            add(
                    "Concat",
                    "axis " + axis,
                    x -> Variable.concat(axis, List.of(x[0], x[1], x[0])),
                    any(2, 3, 5),
                    any(other));
            add("Slice", "axis " + axis, x -> x[0].slice(axis, 1, 2), any(2, 3, 5));
            add(
                    "Slice",
                    "overlapping, axis " + axis,
                    x -> x[0].slice(axis, 0, 2).multiply(x[0].slice(axis, 1, 3)).add(x[0].slice(axis, 0, 2)),
                    any(3, 3, 3));
        }
        for (int axis : new int[] {0, 1, -1}) {
            String name = "axis " + axis;
            long[] shape = {2, 3, 5};
            shape[axis < 0 ? 2 : axis] = 7;
            add(
                    "Split",
                    "and joined, " + name,
                    x -> Variable.concat(axis, parts(x[0], axis).reversed()),
                    any(shape));
            add(
                    "Split",
                    "one part unread, " + name,
                    x -> Variable.concat(axis, parts(x[0], axis).subList(1, 3)),
                    any(shape));
            add(
                    "Split",
                    "with its input, " + name,
                    x -> x[0].multiply(Variable.concat(axis, parts(x[0].tanh(), axis)))
                            .add(x[0].tanh()),
                    any(shape));
            add(
                    "Split",
                    "one part unread, with its input, " + name,
                    x -> {
                        Variable h = x[0].tanh();
                        Variable last = parts(h, axis).getLast();
                        return h.multiply(last).add(h.multiply(h));
                    },
                    any(shape));
        }
        add("Permute", "cycle", x -> x[0].permute(2, 0, 1), any(2, 3, 5));
        add("Permute", "x·xᵀ", x -> x[0].matmul(x[0].transpose(0, -1)), any(3, 5));
        add("BroadcastTo", "new axis", x -> x[0].broadcastTo(2, 3, 5), any(3, 1));
        add("BroadcastTo", "scalar", x -> x[0].broadcastTo(3, 5), any());
        add("BroadcastTo", "to itself", x -> x[0].broadcastTo(3, 5).multiply(x[0]), any(3, 5));
        Tensor index = Tensor.of(new int[] {4, 0, 0, 2, 4, 1}, 2, 3);
        add("Gather", "first axis", x -> x[0].gather(0, matching(index, x[0])), any(5, 3));
        add("Gather", "last axis", x -> x[0].gather(-1, matching(index, x[0])), any(2, 5));
        add("Gather", "plus x", x -> x[0].gather(1, matching(index, x[0])).add(x[0].slice(1, 0, 3)), any(2, 5));
        Tensor condition = Tensor.of(new int[] {1, 0, 0, 7}, 4, 1);
        add("Where", "broadcast", x -> Variable.where(matching(condition, x[0]), x[0], x[1]), any(3, 1, 5), any(5));
        add("Where", "x or x²", x -> Variable.where(matching(condition, x[0]), x[0], x[0].pow(2)), any(4, 5));
    }

    private static List<Variable> parts(Variable x, int axis) {
        return x.split(axis, 2, 4, 1);
    }

    private int seed;

    /** Distinct numbers of either sign, up to 2 and at least 0.1 away from zero. */
    private Tensor any(long... shape) {
        return numbers(true, shape);
    }

    private Tensor positive(long... shape) {
        return numbers(false, shape);
    }

    private Tensor numbers(boolean eitherSign, long... shape) {
        seed++;
        float[] numbers = new float[(int) Shape.of(shape).size()];
        for (int i = 0; i < numbers.length; i++) {
            double u = 2 * Philox.nextDouble(new Philox.Key(seed, 0, 0), i) - 1;
            numbers[i] = (float) (eitherSign ? 1.9 * u + Math.copySign(0.1, u) : 1.25 + u);
        }
        return Tensor.of(numbers, shape);
    }
}
