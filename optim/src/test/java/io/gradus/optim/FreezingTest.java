package io.gradus.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.autograd.Variable;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Name patterns freeze the parameters that they match. */
class FreezingTest {
    private final List<Variable> parameters = Stream.of(
                    "model.embed_tokens.weight",
                    "model.layers.0.mlp.up_proj.weight",
                    "model.layers.0.input_layernorm.weight",
                    "model.layers.10.mlp.up_proj.weight",
                    "model.norm.weight")
            .map(name -> TestParameters.parameter(name, 1, 2))
            .toList();

    @ParameterizedTest
    @CsvSource({
        "model.layers.0.*, 2",
        "*norm*, 2",
        "model.layers.*.mlp.*, 2",
        "model.layers.?.mlp.*, 1",
        "*, 5",
        "model.norm.weight, 1",
        "norm, 0",
        "model_norm_weight, 0",
        "model.layers.[0-9].*, 0"
    })
    void patternMustMatchTheWholeName(String pattern, int matches) {
        assertThat(Freezing.matching(parameters, pattern)).hasSize(matches);
    }

    @Test
    void onlyMatchingParametersAreFrozen() {
        List<Variable> frozen = Freezing.freeze(parameters, List.of("model.layers.0.*", "*norm*"));
        assertThat(frozen)
                .extracting(Variable::name)
                .containsExactly(
                        "model.layers.0.mlp.up_proj.weight",
                        "model.layers.0.input_layernorm.weight",
                        "model.norm.weight");
        assertThat(parameters.stream().filter(Variable::requiresGrad))
                .extracting(Variable::name)
                .containsExactly("model.embed_tokens.weight", "model.layers.10.mlp.up_proj.weight");
    }

    @Test
    void frozenParameterIsUnchangedAndHasNoState() {
        Freezing.freeze(parameters, List.of("model.layers.*"));
        Optimizer optimizer = new AdamW(ParameterGroups.single(parameters, 0.1), 0.1);
        parameters.forEach(parameter -> {
            if (parameter.requiresGrad()) {
                TestParameters.gradient(parameter, 1, 1);
            }
        });
        optimizer.step();
        assertThat(parameters.get(1).value().toFloats()).containsExactly(1, 2);
        assertThat(parameters.get(0).value().toFloats()).isNotEqualTo(new float[] {1, 2});
        assertThat(optimizer.state().keySet()).noneMatch(name -> name.startsWith("model.layers."));
    }

    @Test
    void noPatternsFreezeNothing() {
        assertThat(Freezing.freeze(parameters, List.of())).isEmpty();
    }

    @Test
    void unmatchedPatternIsRejectedAndNothingIsFrozen() {
        assertThatThrownBy(() -> Freezing.freeze(parameters, List.of("*norm*", "model.layer.0.*", "lm_head.*")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("freeze: no parameter matches model.layer.0.*, lm_head.*")
                .hasMessageContaining("model.embed_tokens.weight");
        assertThat(parameters).allMatch(Variable::requiresGrad);
    }

    @Test
    void freezingEveryParameterIsRejected() {
        assertThatThrownBy(() -> Freezing.freeze(parameters, List.of("*")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("freeze: * would freeze every parameter");
        assertThat(parameters).allMatch(Variable::requiresGrad);
    }
}
