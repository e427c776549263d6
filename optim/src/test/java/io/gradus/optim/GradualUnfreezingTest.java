package io.gradus.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.autograd.Variable;
import io.gradus.core.Tensor;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** One more group from the top is trained at each interval, also in a resumed run. */
class GradualUnfreezingTest {
    private static final int INTERVAL = 2;
    private static final int STEPS = 9;

    private final List<Variable> parameters = parameters();

    private static List<Variable> parameters() {
        return Stream.of("embed_tokens.weight", "layers.0.w", "layers.1.w", "layers.1.b", "norm.weight")
                .map(name -> TestParameters.parameter(name, 1, 2))
                .toList();
    }

    private static GradualUnfreezing unfreezing(List<Variable> parameters) {
        return new GradualUnfreezing(parameters, LayerDepth.of(parameters), INTERVAL);
    }

    private List<String> trained() {
        return parameters.stream()
                .filter(Variable::requiresGrad)
                .map(ParameterGroup::nameOf)
                .toList();
    }

    @Test
    void groupsAreUnfrozenFromTheTop() {
        GradualUnfreezing unfreezing = unfreezing(parameters);
        assertThat(unfreezing.groups()).hasSize(4);
        assertThat(unfreezing.apply(0)).isEmpty();
        assertThat(trained()).containsExactly("norm.weight");
        assertThat(unfreezing.apply(1)).isEmpty();
        assertThat(unfreezing.apply(2)).extracting(Variable::name).containsExactly("layers.1.w", "layers.1.b");
        assertThat(trained()).containsExactly("layers.1.w", "layers.1.b", "norm.weight");
        assertThat(unfreezing.apply(4)).extracting(Variable::name).containsExactly("layers.0.w");
        assertThat(unfreezing.apply(6)).extracting(Variable::name).containsExactly("embed_tokens.weight");
        assertThat(unfreezing.trainableGroups(1_000_000)).isEqualTo(4);
        unfreezing.apply(0);
        assertThat(trained()).containsExactly("norm.weight");
    }

    @Test
    void frozenParametersRemainFrozen() {
        Freezing.freeze(parameters, List.of("layers.1.*"));
        GradualUnfreezing unfreezing = unfreezing(parameters);
        assertThat(unfreezing.groups()).hasSize(3);
        unfreezing.apply(100);
        assertThat(trained()).containsExactly("embed_tokens.weight", "layers.0.w", "norm.weight");
    }

    @Test
    void resumedRunEndsWithTheSameBits() {
        train(parameters, new AdamW(ParameterGroups.single(parameters, 0.1), 0.1), 0, STEPS, unfreezing(parameters));
        for (int stop = 0; stop <= STEPS; stop++) {
            List<Variable> first = parameters();
            GradualUnfreezing before = unfreezing(first);
            before.apply(0);
            Optimizer interrupted = new AdamW(ParameterGroups.single(first, 0.1), 0.1);
            train(first, interrupted, 0, stop, before);
            Map<String, Tensor> state = interrupted.state();

            List<Variable> second = parameters();
            for (int i = 0; i < second.size(); i++) {
                second.get(i).value().copyFrom(first.get(i).value());
            }
            GradualUnfreezing after = unfreezing(second);
            after.apply(Math.max(0, stop - 1)); // the groups whose state was saved
            Optimizer resumed = new AdamW(ParameterGroups.single(second, 0.1), 0.1);
            resumed.load(state);
            train(second, resumed, stop, STEPS, after);
            for (int i = 0; i < second.size(); i++) {
                assertThat(second.get(i).value().toFloats())
                        .as("stopped after %d steps, parameter %d", stop, i)
                        .containsExactly(parameters.get(i).value().toFloats());
            }
        }
    }

    private static void train(
            List<Variable> parameters, Optimizer optimizer, int from, int to, GradualUnfreezing unfreezing) {
        for (int step = from; step < to; step++) {
            unfreezing.apply(step);
            for (Variable parameter : parameters) {
                if (parameter.requiresGrad()) {
                    float[] at = parameter.value().toFloats();
                    TestParameters.gradient(parameter, at[0] * 0.3f + step, (float) Math.sin(step) - at[1]);
                }
            }
            optimizer.step();
            optimizer.zeroGrad();
        }
    }

    @Test
    void invalidArgumentsAreRejected() {
        assertThatThrownBy(() -> new GradualUnfreezing(parameters, _ -> 0, 0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("the interval is 0");
        assertThatThrownBy(() -> unfreezing(parameters).apply(-1)).hasMessageContaining("the step is -1");
        parameters.forEach(parameter -> parameter.setRequiresGrad(false));
        assertThatThrownBy(() -> unfreezing(parameters)).hasMessageContaining("there is no parameter to train");
    }
}
