package io.gradus.nn.model.gpt2;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.gradus.autograd.Autograd;
import io.gradus.autograd.Variable;
import io.gradus.core.Shape;
import io.gradus.nn.Formula;
import io.gradus.nn.Given;
import io.gradus.nn.Initializer;
import io.gradus.nn.KeyValueCache;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class CausalSelfAttentionTest {
    private static final int WIDTH = 6;
    private static final int HEADS = 2;
    private static final int DIM = 3;
    private static final int LENGTH = 4;
    private static final double SCALE = 0.7;

    private final CausalSelfAttention layer = Given.randomised(
            new CausalSelfAttention(Given.weights(), WIDTH, HEADS, SCALE, Initializer.ones(), Initializer.ones()));

    @Test
    void isCausalAttentionOfThePackedProjectionsParts() {
        assertAgrees(1, 1, 1, 1, 1, 1, 1, 1);
    }

    @Test
    void paddingIsNotSeenAndAPlaceThatSeesNothingGivesTheOutputsBias() {
        assertAgrees(1, 1, 1, 1, 0, 0, 1, 1);
    }

    private void assertAgrees(int... mask) {
        Variable x = Variable.parameter("x", Given.random(1, 2, LENGTH, WIDTH));
        List<Variable> inputs = new ArrayList<>(List.of(x));
        inputs.addAll(layer.parameters());
        assertThat(layer.forward(x, null, null, 0).shape()).isEqualTo(Shape.of(2, LENGTH, WIDTH));
        Formula formula = v -> {
            double[] packed = Formula.linear(v[0], WIDTH, Formula.transposed(v[1], 3 * WIDTH), v[2]);
            double[] out = Formula.causalAttention(
                    part(packed, 0), part(packed, 1), part(packed, 2), LENGTH, HEADS, HEADS, DIM, SCALE, mask);
            return Formula.linear(out, WIDTH, Formula.transposed(v[3], WIDTH), v[4]);
        };
        formula.assertAgrees(() -> layer.forward(x, Given.ids(2, mask), null, 0), inputs);
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
    void withACacheTokensOneByOneGiveWhatTheyGiveTogether() {
        Variable x = Variable.constant(Given.random(1, 2, 6, WIDTH));
        float[] together =
                Autograd.noGrad(() -> layer.forward(x, null, null, 0)).value().toFloats();
        KeyValueCache cache = new KeyValueCache(1, 8);
        List<Variable> parts = new ArrayList<>();
        for (int[] range : new int[][] {{0, 3}, {3, 4}, {4, 6}}) {
            parts.add(Autograd.noGrad(() -> layer.forward(x.slice(1, range[0], range[1]), null, cache, 0)));
        }
        assertThat(cache.length()).isEqualTo(6);
        assertThat(Variable.concat(1, parts).value().toFloats()).containsExactly(together, within(1e-5f));
    }

    @Test
    void aCacheIsRefusedWhereItWouldLoseTheGradient() {
        Variable x = Variable.constant(Given.random(1, 2, 3, WIDTH));
        KeyValueCache cache = new KeyValueCache(1, 8);
        assertThatThrownBy(() -> layer.forward(x, null, cache, 0))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("Autograd.noGrad");
        assertThat(cache.length()).isZero();
    }

    @Test
    void namesAreHuggingFacesAndEachProjectionHasItsInitializer() {
        var fresh = new CausalSelfAttention(
                Given.weights(), WIDTH, HEADS, SCALE, Initializer.constant(2), Initializer.constant(3));
        var named = fresh.namedParameters();
        assertThat(named).containsOnlyKeys("c_attn.weight", "c_attn.bias", "c_proj.weight", "c_proj.bias");
        assertThat(named.get("c_attn.weight").shape()).isEqualTo(Shape.of(WIDTH, 3 * WIDTH));
        assertThat(Arrays.stream(named.get("c_attn.weight").value().toDoubles()))
                .containsOnly(2.0);
        assertThat(Arrays.stream(named.get("c_proj.weight").value().toDoubles()))
                .containsOnly(3.0);
    }
}
