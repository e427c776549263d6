package io.gradus.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.autograd.Autograd;
import io.gradus.core.DType;
import io.gradus.core.Tensor;
import io.gradus.nn.generate.Sampling;
import io.gradus.nn.generate.TextGeneration;
import io.gradus.nn.model.LanguageModel;
import io.gradus.nn.model.PretrainedModel.Input;
import io.gradus.nn.model.gpt2.Gpt2;
import io.gradus.nn.model.gpt2.Gpt2Config;
import io.gradus.nn.model.llama.Llama;
import io.gradus.nn.model.llama.LlamaConfig;
import java.util.Arrays;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NonFiniteTest {
    private static final LlamaConfig LLAMA = LlamaConfig.of(11, 12, 20, 2, 6, 2, 16);

    /** Sets some elements of a parameter. */
    private static void set(LanguageModel model, String name, float value, int... elements) {
        Tensor weight =
                Objects.requireNonNull(model.namedParameters().get(name)).value();
        float[] values = weight.toFloats();
        for (int i : elements.length > 0 ? elements : allOf(values)) {
            values[i] = value;
        }
        weight.copyFrom(Tensor.of(values, weight.shape().toArray()));
    }

    private static int[] allOf(float[] values) {
        int[] all = new int[values.length];
        Arrays.setAll(all, i -> i);
        return all;
    }

    private static String cause(LanguageModel model) {
        return NonFinite.cause(model, () -> Autograd.noGrad(() -> model.forward(Input.of(Given.ids(1, 1, 2, 3)))));
    }

    @ParameterizedTest
    @CsvSource({"NaN", "Infinity", "-Infinity"})
    void firstWeightThatIsNotFiniteIsNamed(float value) {
        Llama model = Given.randomized(new Llama(LLAMA, Given.weights()));
        set(model, "model.layers.1.mlp.down_proj.weight", value, 27);
        assertThat(cause(model))
                .isEqualTo("the weight model.layers.1.mlp.down_proj.weight has " + value
                        + " at [1, 7]; 1 of its 240 numbers is not finite");
        set(model, "model.layers.0.input_layernorm.weight", value, 3, 5);
        assertThat(cause(model))
                .isEqualTo("the weight model.layers.0.input_layernorm.weight has " + value
                        + " at [3]; 2 of its 12 numbers are not finite");
    }

    @Test
    void weightsOf16BitsAreRead() {
        LanguageModel model = new Llama(LLAMA, Given.weights().to(DType.BF16));
        set(model, "model.norm.weight", Float.NaN, 4);
        assertThat(cause(model)).startsWith("the weight model.norm.weight has NaN at [4]");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        model.layers.1.self_attn.v_proj.weight | linear in model.layers.1.self_attn.v_proj
        model.layers.0.mlp.down_proj.weight    | linear in model.layers.0.mlp.down_proj
        model.norm.weight                      | rmsNorm in model.norm
        """)
    void firstLayerThatOverflowsIsNamed(String weight, String where) {
        Llama model = Given.randomized(new Llama(LLAMA, Given.weights()));
        set(model, weight, 3e38f);
        assertThat(cause(model))
                .isEqualTo("all weights are finite, but activations overflow: the first result that is not is that of "
                        + where);
    }

    @Test
    void operationWithoutWeightsIsNamedWithTheLayerBefore() {
        Gpt2 model = Given.randomized(new Gpt2(Gpt2Config.of(11, 12, 2, 3, 16), Given.weights()));
        set(model, "transformer.wte.weight", 3e38f);
        set(model, "transformer.wpe.weight", 3e38f);
        assertThat(cause(model)).endsWith("is that of add after transformer.wpe");
    }

    @Test
    void finiteResultHasNoCause() {
        assertThat(cause(new Llama(LLAMA, Given.weights()))).isEqualTo("all weights are finite");
    }

    @Test
    void generationNamesTheWeight() {
        Llama model = Given.randomized(new Llama(LLAMA, Given.weights()));
        set(model, "model.norm.weight", Float.NaN, 0);
        for (double temperature : new double[] {0, 1}) {
            for (boolean cache : new boolean[] {true, false}) {
                var generation = new TextGeneration(new Sampling(temperature, 0, 1, 1), 3, Set.of(), cache);
                assertThatThrownBy(() -> generation.generate(model, new int[] {1, 2}, _ -> {}))
                        .isInstanceOf(NonFiniteException.class)
                        .hasMessageStartingWith(
                                "generate: the logits are not finite: the weight model.norm.weight has NaN");
            }
        }
    }
}
