package io.gradus.nn.model.gpt2;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assertions.withinPercentage;

import io.gradus.autograd.Autograd;
import io.gradus.autograd.Variable;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.nn.Formula;
import io.gradus.nn.Given;
import io.gradus.nn.KeyValueCache;
import io.gradus.nn.model.PretrainedModel.Input;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class CausalSelfAttentionTest {
    private static final int WIDTH = 6;
    private static final int HEADS = 2;
    private static final int DIM = 3;
    private static final int LENGTH = 4;
    private static final double SCALE = 1 / Math.sqrt(DIM);
    private static final Gpt2Config CONFIG = Gpt2Config.of(11, WIDTH, 2, HEADS, 16);

    private final CausalSelfAttention layer = Given.randomized(new CausalSelfAttention(Given.weights(), CONFIG, 0));

    @Test
    void equalsCausalAttentionOfTheSplitProjection() {
        assertAgrees(1, 1, 1, 1, 1, 1, 1, 1);
    }

    @Test
    void paddingIsMaskedAndAFullyMaskedPositionReturnsTheOutputBias() {
        assertAgrees(1, 1, 1, 1, 0, 0, 1, 1);
    }

    private void assertAgrees(int... mask) {
        Variable x = Variable.parameter("x", Given.random(1, 2, LENGTH, WIDTH));
        List<Variable> inputs = new ArrayList<>(List.of(x));
        inputs.addAll(layer.parameters());
        assertThat(layer.forward(x, input(x, null, null)).shape()).isEqualTo(Shape.of(2, LENGTH, WIDTH));
        Formula formula = v -> {
            double[] packed = Formula.linear(v[0], WIDTH, Formula.transposed(v[1], 3 * WIDTH), v[2]);
            double[] out = Formula.causalAttention(
                    part(packed, 0), part(packed, 1), part(packed, 2), LENGTH, HEADS, HEADS, DIM, SCALE, mask);
            return Formula.linear(out, WIDTH, Formula.transposed(v[3], WIDTH), v[4]);
        };
        formula.assertAgrees(() -> layer.forward(x, input(x, Given.ids(2, mask), null)), inputs);
    }

    /** One of the three parts of each row. */
    private static double[] part(double[] packed, int part) {
        double[] elements = new double[packed.length / 3];
        for (int row = 0; row < elements.length / WIDTH; row++) {
            System.arraycopy(packed, (3 * row + part) * WIDTH, elements, row * WIDTH, WIDTH);
        }
        return elements;
    }

    @Test
    void cachedForwardEqualsFullForward() {
        Variable x = Variable.constant(Given.random(1, 2, 6, WIDTH));
        float[] together = Autograd.noGrad(() -> layer.forward(x, input(x, null, null)))
                .value()
                .toFloats();
        KeyValueCache cache = new KeyValueCache(1, 8);
        List<Variable> parts = new ArrayList<>();
        for (int[] range : new int[][] {{0, 3}, {3, 4}, {4, 6}}) {
            parts.add(Autograd.noGrad(() -> forward(x.slice(1, range[0], range[1]), cache)));
        }
        assertThat(cache.length()).isEqualTo(6);
        assertThat(Variable.concat(1, parts).value().toFloats()).containsExactly(together, within(1e-5f));
    }

    @Test
    void cacheWithGradientsIsRejected() {
        Variable x = Variable.constant(Given.random(1, 2, 3, WIDTH));
        KeyValueCache cache = new KeyValueCache(1, 8);
        assertThatThrownBy(() -> forward(x, cache))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("Autograd.noGrad");
        assertThat(cache.length()).isZero();
    }

    private Variable forward(Variable x, KeyValueCache cache) {
        return layer.forward(x, input(x, null, cache));
    }

    /** The layer reads neither ids nor positions. */
    private static Input input(Variable x, @Nullable Tensor mask, @Nullable KeyValueCache cache) {
        Tensor ids = Tensor.of(
                new int[(int) (x.shape().get(0) * x.shape().get(1))],
                x.shape().get(0),
                x.shape().get(1));
        return new Input(ids, ids, mask, cache);
    }

    @Test
    void namesAreHuggingFacesAndTheOutputStartsSmaller() {
        var fresh = new CausalSelfAttention(Given.weights(), Gpt2Config.of(11, 64, 8, 4, 16), 0);
        var named = fresh.namedParameters();
        assertThat(named).containsOnlyKeys("c_attn.weight", "c_attn.bias", "c_proj.weight", "c_proj.bias");
        assertThat(named.get("c_attn.weight").shape()).isEqualTo(Shape.of(64, 3 * 64));
        assertThat(standardDeviation(named.get("c_attn.weight"))).isCloseTo(0.02, withinPercentage(5));
        assertThat(standardDeviation(named.get("c_proj.weight"))).isCloseTo(0.02 / 4, withinPercentage(5));
        assertThat(Arrays.stream(named.get("c_proj.bias").value().toDoubles())).containsOnly(0.0);
    }

    private static double standardDeviation(Variable x) {
        return Math.sqrt(Arrays.stream(x.value().toDoubles())
                .map(element -> element * element)
                .average()
                .orElseThrow());
    }
}
