package io.gradus.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.gradus.autograd.Variable;
import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Scope;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Which parameters a step updates, at which learning rate, and which arguments are rejected. */
class OptimizerTest {
    private final Variable a = TestParameters.parameter("a", 1, 2);
    private final Variable b = TestParameters.parameter("b", 3, 4, 5);

    @Test
    void stepSubtractsLearningRateTimesGradient() {
        Optimizer sgd = new Sgd(TestParameters.group(a), 0.5);
        TestParameters.gradient(a, 2, -4);
        sgd.step();
        assertThat(a.value().toFloats()).containsExactly(0, 4);
    }

    @Test
    void learningRateCanChangeAndIsScaledByTheGroupsFactor() {
        Optimizer sgd = new Sgd(
                List.of(new ParameterGroup("slow", List.of(a), 0.5, 0), new ParameterGroup("fast", List.of(b), 2, 0)),
                100);
        sgd.setLearningRate(0.25);
        TestParameters.gradient(a, 8, 0);
        TestParameters.gradient(b, 2, 0, 0);
        sgd.step();
        assertThat(sgd.learningRate()).isEqualTo(0.25);
        assertThat(a.value().toFloats()).containsExactly(0, 2);
        assertThat(b.value().toFloats()).containsExactly(2, 4, 5);
    }

    @Test
    void weightDecayIsSetByGroup() {
        Optimizer adamW = new AdamW(
                List.of(
                        new ParameterGroup("decay", List.of(a), 1, 0.5),
                        new ParameterGroup("no_decay", List.of(b), 1, 0)),
                0.5);
        TestParameters.gradient(a, 0, 0);
        TestParameters.gradient(b, 0, 0, 0);
        adamW.step();
        assertThat(a.value().toFloats()).containsExactly(0.75f, 1.5f);
        assertThat(b.value().toFloats()).containsExactly(3, 4, 5);
    }

    @Test
    void gradientScaleMultipliesGradientsWithoutChangingThem() {
        Optimizer sgd = new Sgd(TestParameters.group(a), 1);
        TestParameters.gradient(a, 4, 8);
        sgd.step(0.25);
        assertThat(a.value().toFloats()).containsExactly(0, 0);
        assertThat(gradient(a).toFloats()).containsExactly(4, 8);
    }

    @Test
    void parameterWithoutGradientIsSkippedAndItsStepNotCounted() {
        Optimizer adam = new Adam(ParameterGroups.single(List.of(a, b), 0.1), 0.1);
        TestParameters.gradient(a, 1, 1);
        adam.step();
        assertThat(b.value().toFloats()).containsExactly(3, 4, 5);
        assertThat(adam.state().get("a.step").item()).isEqualTo(1);
        assertThat(adam.state().get("b.step").item()).isEqualTo(0);

        Variable alone = TestParameters.parameter("b", 3, 4, 5);
        Optimizer other = new Adam(ParameterGroups.single(List.of(alone), 0.1), 0.1);
        TestParameters.gradient(b, 1, 2, 3);
        TestParameters.gradient(alone, 1, 2, 3);
        adam.step();
        other.step();
        assertThat(b.value().toFloats())
                .as("its first step, independent of the steps of a")
                .containsExactly(alone.value().toFloats());
    }

    @Test
    void frozenParameterHasNoStateAndIsUnchanged() {
        b.setRequiresGrad(false);
        Optimizer adam = new AdamW(ParameterGroups.single(List.of(a, b), 0.1), 0.1);
        TestParameters.gradient(a, 1, 1);
        adam.step();
        assertThat(b.value().toFloats()).containsExactly(3, 4, 5);
        assertThat(adam.state()).containsOnlyKeys("a.exp_avg", "a.exp_avg_sq", "a.step");
    }

    @Test
    void parameterFrozenLaterIsUnchangedDespiteItsGradient() {
        Optimizer sgd = new Sgd(TestParameters.group(a), 1);
        TestParameters.gradient(a, 1, 1);
        a.setRequiresGrad(false);
        sgd.step();
        assertThat(a.value().toFloats()).containsExactly(1, 2);
    }

    @Test
    void parameterUnfrozenLaterGetsItsStateThen() {
        a.setRequiresGrad(false);
        Optimizer adam = new Adam(TestParameters.group(a), 0.5);
        assertThat(adam.state()).isEmpty();
        a.setRequiresGrad(true);
        TestParameters.gradient(a, 1, -1);
        adam.step();
        assertThat(a.value().toFloats()).containsExactly(new float[] {0.5f, 2.5f}, within(1e-6f));
        assertThat(adam.state().get("a.step").item()).isEqualTo(1);
    }

    @Test
    void zeroGradClearsAllGradients() {
        Optimizer sgd = new Sgd(TestParameters.group(a, b), 1);
        TestParameters.gradient(a, 1, 1);
        TestParameters.gradient(b, 1, 1, 1);
        sgd.zeroGrad();
        assertThat(a.grad()).isNull();
        assertThat(b.grad()).isNull();
        sgd.step();
        assertThat(a.value().toFloats()).containsExactly(1, 2);
    }

    @Test
    void stateIsAllocatedByTheConstructorAndOutlivesTheScope() {
        Device device = Device.cpu(1); // with its own memory ledger
        Variable w = Variable.parameter("w", Tensor.zeros(device, DType.F32, Shape.of(3, 4), MemoryCategory.WEIGHTS));
        Optimizer adam;
        try (Scope _ = Scope.open("set-up")) {
            adam = new Adam(TestParameters.group(w), 1);
        }
        assertThat(device.backend().memory().live(MemoryCategory.OPTIMIZER_STATE))
                .isEqualTo(2 * 12 * 4);
        TestParameters.gradient(w, Tensor.full(device, DType.F32, Shape.of(3, 4), 1, MemoryCategory.GRADIENTS));
        adam.step();
        for (float element : w.value().toFloats()) {
            assertThat(element).isCloseTo(-1, within(1e-6f));
        }
    }

    @Test
    void invalidScaleOrLearningRateIsRejectedAndNothingChanges() {
        Optimizer sgd = new Sgd(TestParameters.group(a), 1);
        TestParameters.gradient(a, 1, 1);
        assertThatThrownBy(() -> sgd.step(Double.NaN)).hasMessageContaining("Sgd: the gradient scale is NaN");
        assertThatThrownBy(() -> sgd.step(-1)).hasMessageContaining("Sgd: the gradient scale is -1.0");
        assertThatThrownBy(() -> sgd.setLearningRate(Double.POSITIVE_INFINITY))
                .hasMessageContaining("Sgd: the learning rate is Infinity");
        assertThatThrownBy(() -> new Sgd(TestParameters.group(a), -0.1))
                .hasMessageContaining("Sgd: the learning rate is -0.1");
        assertThat(a.value().toFloats()).containsExactly(1, 2);
    }

    @Test
    void duplicateParameterOrNameIsRejected() {
        assertThatThrownBy(() -> new Sgd(TestParameters.group(a, a), 1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("Sgd: the parameter 'a' was given twice");
        Variable namesake = TestParameters.parameter("a", 1);
        assertThatThrownBy(() -> new AdamW(
                        List.of(new ParameterGroup("one", List.of(a)), new ParameterGroup("two", List.of(namesake))),
                        1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("AdamW: two parameters are named 'a'");
        assertThatThrownBy(() -> new Sgd(
                        List.of(new ParameterGroup("one", List.of(a)), new ParameterGroup("one", List.of(b))), 1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("Sgd: two parameter groups are named 'one'");
    }

    @Test
    void emptyGroupsAreRejected() {
        assertThatThrownBy(() -> new Sgd(ParameterGroups.withWeightDecay(List.of(), 0.1), 1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("Sgd: there is no parameter to train");
    }

    @Test
    void parameterWithUnsupportedDtypeIsRejectedByName() {
        Variable single = Variable.parameter("norm.weight", Tensor.of(Device.reference(), new float[] {1}, 1));
        assertThatThrownBy(() -> new AdamW(TestParameters.group(single), 1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("AdamW: norm.weight")
                .hasMessageContaining("F32")
                .hasMessageContaining("to(DType.F64)");
    }

    private static Tensor gradient(Variable parameter) {
        Tensor gradient = parameter.grad();
        assertThat(gradient).isNotNull();
        return gradient;
    }
}
