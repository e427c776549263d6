package io.gradus.nn.model.decoder;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.autograd.Variable;
import io.gradus.nn.Formula;
import io.gradus.nn.Given;
import io.gradus.nn.WeightSource;
import io.gradus.nn.model.llama.LlamaConfig;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class SwiGluMlpTest {

    /** Of hidden size 3 and intermediate size 5. */
    private static SwiGluMlp layer(WeightSource weights, boolean bias) {
        return new SwiGluMlp(
                weights,
                LlamaConfig.read(LlamaConfig.of(11, 4, 5, 1, 1, 1, 16)
                                .toJson()
                                .set("hidden_size", 3)
                                .set("head_dim", 2))
                        .settings(),
                bias);
    }

    @Test
    void equalsDownProjectionOfSiluGateTimesUp() {
        SwiGluMlp layer = Given.randomized(layer(Given.weights(), true));
        Variable x = Variable.parameter("x", Given.random(1, 2, 3));
        List<Variable> inputs = new ArrayList<>(List.of(x));
        inputs.addAll(layer.parameters());
        Formula formula = v -> {
            double[] gate = Formula.linear(v[0], 3, v[1], v[2]);
            double[] up = Formula.linear(v[0], 3, v[3], v[4]);
            double[] inner = new double[gate.length];
            for (int i = 0; i < inner.length; i++) {
                inner[i] = gate[i] / (1 + Math.exp(-gate[i])) * up[i];
            }
            return Formula.linear(inner, 5, v[5], v[6]);
        };
        formula.assertAgrees(() -> layer.forward(x), inputs);
    }

    @Test
    void namesAreHuggingFaces() {
        WeightSource weights = Given.weights().in("mlp");
        assertThat(layer(weights, false).namedParameters().keySet())
                .containsExactly("mlp.gate_proj.weight", "mlp.up_proj.weight", "mlp.down_proj.weight");
    }
}
