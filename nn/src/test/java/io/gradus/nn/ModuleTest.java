package io.gradus.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.autograd.Variable;
import io.gradus.core.Tensor;
import org.junit.jupiter.api.Test;

class ModuleTest {
    /** Owns a variable, and two children of which the second shares it. */
    private static final class Shared extends Module {
        private final Leaf first;
        private final Leaf second;

        Shared(Variable own, Variable other) {
            own(own);
            first = child(new Leaf(other));
            second = child(new Leaf(own));
        }
    }

    private static final class Leaf extends Module {
        Leaf(Variable variable) {
            own(variable);
        }
    }

    private static Variable parameter(String name, int size) {
        return Variable.parameter(name, Tensor.of(new float[size], size));
    }

    @Test
    void parametersComeInTheOrderOfRegistrationAndASharedOneOnce() {
        Variable a = parameter("a", 2);
        Variable b = parameter("b", 3);
        Shared module = new Shared(a, b);
        assertThat(module.parameters()).containsExactly(a, b);
        assertThat(module.namedParameters()).containsOnlyKeys("a", "b").containsEntry("b", b);
        assertThat(module.parameterCount()).isEqualTo(5);
    }

    @Test
    void twoParametersOfOneNameAreRefusedWhenNamesAreAskedFor() {
        Shared module = new Shared(parameter("a", 1), parameter("a", 1));
        assertThat(module.parameters()).hasSize(2);
        assertThatThrownBy(module::namedParameters)
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("two parameters are named 'a'");
    }

    @Test
    void trainingIsOffAtFirstAndSwitchesAllThatIsInside() {
        Shared module = new Shared(parameter("a", 1), parameter("b", 1));
        assertThat(module.isTraining()).isFalse();
        assertThat(module.second.isTraining()).isFalse();
        module.train();
        assertThat(module.isTraining()).isTrue();
        assertThat(module.first.isTraining()).isTrue();
        assertThat(module.second.isTraining()).isTrue();
        module.eval();
        assertThat(module.first.isTraining()).isFalse();
    }
}
