package io.gradus.autograd.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.gradus.autograd.CrossEntropyOptions;
import io.gradus.autograd.Reduction;
import io.gradus.autograd.Variable;
import io.gradus.core.AttentionOptions;
import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.RopeLayout;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.core.safetensors.SafetensorsFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * The result and the gradients of each operation match PyTorch's. PyTorch computed the fixture in double precision from
 * F32 inputs and rounded the results once; {@code generate.py} documents the cases.
 */
class OperationsMatchPyTorchTest {
    private static final Path FIXTURE = Path.of("src/test/fixtures/operations.safetensors");

    /** One case of the fixture. */
    private record Case(String name, JsonNode attributes, Map<String, Tensor> tensors) {

        String operation() {
            return name.substring(0, name.indexOf('/'));
        }
    }

    @TestFactory
    List<DynamicTest> inSinglePrecision() throws IOException {
        return tests(Device.cpu(), DType.F32, 1e-4);
    }

    @TestFactory
    List<DynamicTest> inDoublePrecision() throws IOException {
        // The remaining error is the rounding of the fixture to F32.
        return tests(Device.reference(), DType.F64, 1e-6);
    }

    @Test
    void fixtureHasEveryOperation() throws IOException {
        assertThat(cases(Device.reference(), DType.F64)).hasSize(275);
    }

    private static List<DynamicTest> tests(Device device, DType dtype, double tolerance) throws IOException {
        return cases(device, dtype).stream()
                .map(c -> dynamicTest(c.name, () -> check(c, tolerance)))
                .toList();
    }

    private static List<Case> cases(Device device, DType dtype) throws IOException {
        ObjectMapper json = new ObjectMapper();
        List<Case> cases = new ArrayList<>();
        try (SafetensorsFile file = SafetensorsFile.open(FIXTURE)) {
            Map<String, Map<String, Tensor>> tensors = new TreeMap<>();
            for (var entry : file.entries()) {
                int slash = entry.name().lastIndexOf('/');
                DType wanted = entry.dtype().equals("I32") ? DType.I32 : dtype;
                Tensor tensor = file.read(entry.name(), device, wanted, MemoryCategory.ACTIVATIONS);
                tensors.computeIfAbsent(entry.name().substring(0, slash), _ -> new TreeMap<>())
                        .put(entry.name().substring(slash + 1), tensor);
            }
            for (var entry : file.metadata().entrySet()) {
                if (!entry.getKey().equals("versions")) {
                    Map<String, Tensor> own = tensors.remove(entry.getKey());
                    cases.add(new Case(entry.getKey(), json.readTree(entry.getValue()), own));
                }
            }
            assertThat(tensors).as("tensors without a case").isEmpty();
        }
        return cases;
    }

    private static void check(Case c, double tolerance) {
        List<Variable> inputs = new ArrayList<>();
        for (int i = 0; c.tensors.containsKey("in" + i); i++) {
            Tensor tensor = c.tensors.get("in" + i);
            inputs.add(tensor.dtype().isFloating() ? Variable.parameter("in" + i, tensor) : Variable.constant(tensor));
        }
        List<Variable> outputs = compute(c, inputs);
        for (int i = 0; i < outputs.size(); i++) {
            String suffix = c.tensors.containsKey("out") ? "" : "" + i;
            Variable output = outputs.get(i);
            assertClose("out" + suffix, output.value(), c.tensors.get("out" + suffix), tolerance);
            if (output.value().dtype().isFloating()) {
                output.backward(c.tensors.get("grad_out" + suffix), true);
            }
        }
        assertThat(c.tensors).doesNotContainKey("out" + outputs.size());
        for (int i = 0; i < inputs.size(); i++) {
            Tensor expected = c.tensors.get("grad" + i);
            Tensor gradient = inputs.get(i).grad();
            assertThat(gradient == null).as("grad%d is missing", i).isEqualTo(expected == null);
            if (expected != null && gradient != null) {
                assertClose("grad" + i, gradient, expected, tolerance);
            }
        }
    }

    /** The largest error, relative to the largest element. */
    private static void assertClose(String what, Tensor actual, Tensor expected, double tolerance) {
        assertThat(actual.shape()).as(what).isEqualTo(expected.shape());
        double[] ours = actual.toDoubles();
        double[] theirs = expected.toDoubles();
        double scale = Arrays.stream(theirs).map(Math::abs).max().orElse(0);
        double allowed = tolerance * (scale < 1e-6 ? 1 : scale);
        for (int i = 0; i < ours.length; i++) {
            if (!(Math.abs(ours[i] - theirs[i]) <= allowed)) {
                throw new AssertionError("%s[%d] is %s and PyTorch's %s; the tolerance is %.3g"
                        .formatted(what, i, ours[i], theirs[i], allowed));
            }
        }
    }

    private static List<Variable> compute(Case c, List<Variable> in) {
        Variable x = in.getFirst();
        JsonNode a = c.attributes;
        return switch (c.operation()) {
            case "add" -> List.of(x.add(in.get(1)));
            case "subtract" -> List.of(x.subtract(in.get(1)));
            case "multiply" -> List.of(x.multiply(in.get(1)));
            case "divide" -> List.of(x.divide(in.get(1)));
            case "power" -> List.of(a.has("exponent") ? x.pow(a.get("exponent").asDouble()) : x.pow(in.get(1)));
            case "exp" -> List.of(x.exp());
            case "log" -> List.of(x.log());
            case "sqrt" -> List.of(x.sqrt());
            case "tanh" -> List.of(x.tanh());
            case "sigmoid" -> List.of(x.sigmoid());
            case "relu" -> List.of(x.relu());
            case "gelu" -> List.of(x.gelu());
            case "gelu_tanh" -> List.of(x.geluTanh());
            case "silu" -> List.of(x.silu());
            case "matmul" -> List.of(x.matmul(in.get(1), flag(a, "transpose_a"), flag(a, "transpose_b")));
            case "linear" ->
                List.of(x.linear(in.get(1), in.size() > 2 ? in.get(2) : null, flag(a, "transpose_weight")));
            case "swiglu" -> List.of(Variable.swiglu(x, in.get(1)));
            case "sum" -> List.of(x.sum(axes(a), flag(a, "keepdim")));
            case "mean" -> List.of(x.mean(axes(a), flag(a, "keepdim")));
            case "amax" -> List.of(x.max(axes(a), flag(a, "keepdim")));
            case "softmax" -> List.of(x.softmax(number(a, "axis")));
            case "log_softmax" -> List.of(x.logSoftmax(number(a, "axis")));
            case "cross_entropy" ->
                List.of(x.crossEntropy(
                        in.get(1).value(),
                        CrossEntropyOptions.of(Reduction.valueOf(
                                        a.get("reduction").asText().toUpperCase(Locale.ROOT)))
                                .withIgnoreIndex(number(a, "ignore_index"))
                                .withLabelSmoothing(a.path("label_smoothing").asDouble(0))));
            case "embedding" -> List.of(x.embedding(in.get(1).value()));
            case "layer_norm" ->
                List.of(x.layerNorm(in.get(1), in.get(2), a.get("eps").asDouble()));
            case "rms_norm" -> List.of(x.rmsNorm(in.get(1), a.get("eps").asDouble()));
            case "rotary" -> List.of(rotary(x, a));
            case "lstm" -> lstm(in);
            case "scaled_dot_product_attention" -> List.of(attention(in, a));
            case "concat" -> List.of(Variable.concat(number(a, "axis"), in));
            case "slice" -> List.of(x.slice(number(a, "axis"), number(a, "start"), number(a, "end")));
            case "split" -> x.split(number(a, "axis"), numbers(a, "sizes"));
            case "permute" -> List.of(x.permute(axes(a)));
            case "broadcast_to" -> List.of(x.broadcastTo(numbers(a, "shape")));
            case "gather" -> List.of(x.gather(number(a, "axis"), in.get(1).value()));
            case "where" -> List.of(Variable.where(x.value(), in.get(1), in.get(2)));
            case "abs" -> List.of(x.abs());
            case "sin" -> List.of(x.sin());
            case "cos" -> List.of(x.cos());
            case "clamp" ->
                List.of(x.clamp(
                        a.path("min").asDouble(Double.NEGATIVE_INFINITY),
                        a.path("max").asDouble(Double.POSITIVE_INFINITY)));
            case "minimum" -> List.of(x.minimum(in.get(1)));
            case "maximum" -> List.of(x.maximum(in.get(1)));
            case "lt" -> List.of(Variable.constant(x.lt(in.get(1))));
            case "le" -> List.of(Variable.constant(x.le(in.get(1))));
            case "gt" -> List.of(Variable.constant(x.gt(in.get(1))));
            case "ge" -> List.of(Variable.constant(x.ge(in.get(1))));
            case "eq" -> List.of(Variable.constant(x.eq(in.get(1))));
            case "ne" -> List.of(Variable.constant(x.ne(in.get(1))));
            case "argmax" -> List.of(Variable.constant(x.argmax(number(a, "axis"))));
            case "cumsum" -> List.of(x.cumsum(number(a, "axis")));
            case "topk" -> {
                TopK.Result top = x.topk(number(a, "k"), number(a, "axis"));
                yield List.of(top.values(), Variable.constant(top.indices()));
            }
            case "huber" -> List.of(x.huber(in.get(1), a.get("delta").asDouble()));
            case "bce_with_logits" -> List.of(x.binaryCrossEntropyWithLogits(in.get(1)));
            case "kl_div" -> List.of(x.klDivergence(in.get(1)));
            default -> throw new AssertionError("no operation for the case " + c.name);
        };
    }

    private static Variable attention(List<Variable> in, JsonNode a) {
        Variable q = in.getFirst();
        Tensor mask = flag(a, "key_mask") ? in.get(3).value() : null;
        double scale = 1 / Math.sqrt(q.shape().last());
        return q.attention(in.get(1), in.get(2), new AttentionOptions(flag(a, "causal"), mask, scale));
    }

    private static List<Variable> lstm(List<Variable> in) {
        Variable x = in.getFirst();
        long steps = x.shape().get(0);
        return x.lstm(in.get(1), in.get(2), in.get(3), in.get(4), in.get(5), in.get(6))
                .split(0, steps, 1);
    }

    private static Variable rotary(Variable x, JsonNode a) {
        Shape shape = x.shape();
        int offset = number(a, "offset");
        int length = (int) shape.get(1) + offset;
        int half = (int) shape.get(3) / 2;
        double[] cos = new double[length * half];
        double[] sin = new double[length * half];
        for (int i = 0; i < cos.length; i++) {
            double angle = i / half * Math.pow(a.get("theta").asDouble(), -(double) (i % half) / half);
            cos[i] = Math.cos(angle);
            sin[i] = Math.sin(angle);
        }
        int[] positions = IntStream.range(0, (int) (shape.get(0) * shape.get(1)))
                .map(i -> offset + i % (int) shape.get(1))
                .toArray();
        return x.rotary(
                table(x, cos, length, half),
                table(x, sin, length, half),
                Tensor.of(x.device(), positions, shape.get(0), shape.get(1)),
                RopeLayout.valueOf(a.get("layout").asText().toUpperCase(Locale.ROOT)));
    }

    private static Tensor table(Variable x, double[] elements, long... shape) {
        return Tensor.of(Device.reference(), elements, shape)
                .to(x.device(), x.value().dtype(), MemoryCategory.ACTIVATIONS);
    }

    private static boolean flag(JsonNode attributes, String name) {
        return attributes.required(name).asBoolean();
    }

    private static int number(JsonNode attributes, String name) {
        return attributes.required(name).asInt();
    }

    private static long[] numbers(JsonNode attributes, String name) {
        return StreamSupport.stream(attributes.required(name).spliterator(), false)
                .mapToLong(JsonNode::asLong)
                .toArray();
    }

    private static int[] axes(JsonNode attributes) {
        return attributes.has("axes")
                ? Arrays.stream(numbers(attributes, "axes"))
                        .mapToInt(Math::toIntExact)
                        .toArray()
                : new int[0];
    }
}
