package io.gradus.nn.model.decoder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.gradus.autograd.Autograd;
import io.gradus.autograd.Variable;
import io.gradus.core.Device;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.nn.Formula;
import io.gradus.nn.Given;
import io.gradus.nn.KeyValueCache;
import io.gradus.nn.model.ConfigJson;
import io.gradus.nn.model.PretrainedModel.Input;
import io.gradus.nn.model.llama.LlamaConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class GroupedQueryAttentionTest {
    private static final int WIDTH = 5;
    private static final int HEADS = 4;
    private static final int GROUPS = 2;
    private static final int DIM = 6;
    private static final int LENGTH = 4;
    private static final double THETA = 100;
    private static final DecoderSettings SETTINGS = LlamaConfig.read(json()).settings();
    private static final RotaryTable ROTARY = RotaryTable.of(Device.cpu(), 16, new Rope(THETA, null, DIM));

    private final GroupedQueryAttention layer = Given.randomized(attention(true));

    private static GroupedQueryAttention attention(boolean outputBias) {
        return new GroupedQueryAttention(Given.weights(), SETTINGS, true, outputBias, SelfAttention.of(SETTINGS, 0));
    }

    private static ConfigJson json() {
        return LlamaConfig.of(11, 2 * HEADS, 8, 1, HEADS, GROUPS, 16)
                .toJson()
                .set("hidden_size", WIDTH)
                .set("head_dim", DIM)
                .set("rope_theta", THETA);
    }

    @Test
    void equalsCausalAttentionOfRotatedHeadsWithSharedKeysAndValues() {
        int[] positions = {0, 1, 2, 3, 5, 6, 7, 8};
        assertAgrees(positions, new int[] {1, 1, 1, 1, 1, 1, 1, 1});
    }

    @Test
    void paddingIsMaskedAndAFullyMaskedPositionReturnsTheOutputBias() {
        int[] positions = {0, 1, 2, 3, 0, 0, 1, 2};
        assertAgrees(positions, new int[] {1, 1, 1, 1, 0, 0, 1, 1});
    }

    private void assertAgrees(int[] positions, int[] mask) {
        Variable x = Variable.parameter("x", Given.random(1, 2, LENGTH, WIDTH));
        Input input = input(Given.ids(2, positions), Given.ids(2, mask), null);
        List<Variable> inputs = new ArrayList<>(List.of(x));
        inputs.addAll(layer.parameters());
        assertThat(layer.forward(x, input, ROTARY).shape()).isEqualTo(Shape.of(2, LENGTH, WIDTH));
        Formula formula = v -> {
            double[] q = rotated(Formula.linear(v[0], WIDTH, v[1], v[2]), HEADS, positions);
            double[] k = rotated(Formula.linear(v[0], WIDTH, v[3], v[4]), GROUPS, positions);
            double[] values = Formula.linear(v[0], WIDTH, v[5], v[6]);
            double[] out = Formula.causalAttention(q, k, values, LENGTH, HEADS, GROUPS, DIM, 1 / Math.sqrt(DIM), mask);
            return Formula.linear(out, HEADS * DIM, v[7], v[8]);
        };
        formula.assertAgrees(() -> layer.forward(x, input, ROTARY), inputs);
    }

    /** Rotates elements i and i + D/2 of each head by position · θ^(−2i/D). */
    private static double[] rotated(double[] x, int heads, int[] positions) {
        double[] y = new double[x.length];
        for (int head = 0; head < x.length / DIM; head++) {
            for (int i = 0; i < DIM / 2; i++) {
                double angle = positions[head / heads] * Math.pow(THETA, -2.0 * i / DIM);
                double a = x[head * DIM + i];
                double b = x[head * DIM + i + DIM / 2];
                y[head * DIM + i] = a * Math.cos(angle) - b * Math.sin(angle);
                y[head * DIM + i + DIM / 2] = b * Math.cos(angle) + a * Math.sin(angle);
            }
        }
        return y;
    }

    @Test
    void cachedForwardEqualsFullForward() {
        Variable x = Variable.constant(Given.random(1, 2, 6, WIDTH));
        float[] together = Autograd.noGrad(() -> forward(x, 0, 6, null)).value().toFloats();
        KeyValueCache cache = new KeyValueCache(1, 8);
        List<Variable> parts = Autograd.noGrad(
                () -> List.of(forward(x, 0, 3, cache), forward(x, 3, 4, cache), forward(x, 4, 6, cache)));
        assertThat(cache.length()).isEqualTo(6);
        assertThat(Variable.concat(1, parts).value().toFloats()).containsExactly(together, within(1e-5f));
    }

    private Variable forward(Variable x, int from, int to, @Nullable KeyValueCache cache) {
        int[] positions = IntStream.range(0, 2 * (to - from))
                .map(i -> from + i % (to - from))
                .toArray();
        return layer.forward(x.slice(1, from, to), input(Tensor.of(positions, 2, to - from), null, cache), ROTARY);
    }

    /** The layer does not read the ids. */
    private static Input input(Tensor positions, @Nullable Tensor mask, @Nullable KeyValueCache cache) {
        return new Input(positions, positions, mask, cache);
    }

    @Test
    void cacheWithGradientsIsRejected() {
        Variable x = Variable.constant(Given.random(1, 2, 3, WIDTH));
        KeyValueCache cache = new KeyValueCache(1, 8);
        assertThatThrownBy(() -> forward(x, 0, 3, cache))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("Autograd.noGrad");
        assertThat(cache.length()).isZero();
    }

    @Test
    void namesAreHuggingFacesAndEachBiasIsOptional() {
        assertThat(attention(false).namedParameters().keySet())
                .containsExactly(
                        "q_proj.weight",
                        "q_proj.bias",
                        "k_proj.weight",
                        "k_proj.bias",
                        "v_proj.weight",
                        "v_proj.bias",
                        "o_proj.weight");
    }
}
