package io.gradus.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.gradus.autograd.Variable;
import io.gradus.core.Device;
import io.gradus.core.Tensor;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Norm and factor against PyTorch, and errors for gradients that are not finite. */
class GradientClippingTest {

    static List<String> cases() throws IOException {
        return PytorchFixture.cases("clip_grad_norm/");
    }

    @ParameterizedTest
    @MethodSource("cases")
    void matchesPytorchOnCpu(String name) throws IOException {
        assertClipsAsPytorch(name, Device.cpu());
    }

    @ParameterizedTest
    @MethodSource("cases")
    void matchesPytorchOnReference(String name) throws IOException {
        assertClipsAsPytorch(name, Device.reference());
    }

    private static void assertClipsAsPytorch(String name, Device device) throws IOException {
        try (PytorchFixture fixture = PytorchFixture.open()) {
            List<Variable> parameters = new ArrayList<>();
            for (int i = 0; fixture.contains(name + "/before" + i); i++) {
                Tensor before = fixture.read(name + "/before" + i, device);
                parameters.add(Variable.parameter("p" + i, before.copy()));
                TestParameters.gradient(parameters.getLast(), before);
            }
            double norm = GradientClipping.norm(parameters);
            double expected = fixture.read(name + "/total_norm", device).item();
            assertThat(norm).isCloseTo(expected, within(1e-6 * expected));

            double maxNorm = fixture.settings(name).get("max_norm").doubleValue();
            double factor = new GradientClipping(maxNorm).factor(norm);
            for (int i = 0; i < parameters.size(); i++) {
                double[] before = parameters.get(i).value().toDoubles();
                double[] after = fixture.read(name + "/after" + i, device).toDoubles();
                for (int j = 0; j < after.length; j++) {
                    assertThat(before[j] * factor).isCloseTo(after[j], within(2e-7 * Math.abs(after[j])));
                }
            }
        }
    }

    @Test
    void clippingInTheStepEqualsClippingTheGradients() {
        // Multiplication by a power of two is exact, so the results must be equal.
        Variable folded = TestParameters.parameter("w", 1, 2, 3);
        Variable before = TestParameters.parameter("w", 1, 2, 3);
        Optimizer first = new AdamW(ParameterGroups.single(List.of(folded), 0.1), 0.01);
        Optimizer second = new AdamW(ParameterGroups.single(List.of(before), 0.1), 0.01);
        for (int step = 0; step < 3; step++) {
            TestParameters.gradient(folded, 0.3f, -0.7f, 0.11f);
            TestParameters.gradient(before, 0.3f / 4, -0.7f / 4, 0.11f / 4);
            first.step(0.25);
            second.step();
        }
        assertThat(folded.value().toFloats()).containsExactly(before.value().toFloats());
    }

    @Test
    void normCoversAllGradientsExceptFrozenOnes() {
        Variable a = TestParameters.parameter("a", 0);
        Variable b = TestParameters.parameter("b", 0);
        Variable without = TestParameters.parameter("c", 0);
        Variable frozen = TestParameters.parameter("d", 0);
        TestParameters.gradient(a, 3);
        TestParameters.gradient(b, 4);
        TestParameters.gradient(frozen, 100);
        frozen.setRequiresGrad(false);
        assertThat(GradientClipping.norm(List.of(a, b, without, frozen))).isEqualTo(5);
        assertThat(GradientClipping.norm(List.of(without))).isZero();
    }

    @Test
    void normBeyondF32IsFinite() {
        Variable w = TestParameters.parameter("w", 0, 0);
        TestParameters.gradient(w, 3e30f, 4e30f);
        assertThat(GradientClipping.norm(List.of(w))).isCloseTo(5e30, within(1e24));
    }

    @Test
    void nonFiniteGradientsAreNamed() {
        Variable fine = TestParameters.parameter("fine", 0, 0);
        Variable nan = TestParameters.parameter("layers.0.weight", 0, 0);
        Variable infinite = TestParameters.parameter("layers.1.weight", 0, 0);
        TestParameters.gradient(fine, 1, 2);
        TestParameters.gradient(nan, 1, Float.NaN);
        TestParameters.gradient(infinite, Float.NEGATIVE_INFINITY, 1);
        List<Variable> all = List.of(fine, nan, infinite);
        assertThat(GradientClipping.nonFinite(all)).containsExactly("layers.0.weight", "layers.1.weight");
        assertThat(GradientClipping.nonFinite(List.of(fine))).isEmpty();
        assertThatThrownBy(() -> GradientClipping.norm(all))
                .isInstanceOf(ArithmeticException.class)
                .hasMessageContaining("the gradient's norm is NaN")
                .hasMessageContaining("layers.0.weight, layers.1.weight");
    }

    @Test
    void infiniteMaxNormDisablesClipping() {
        assertThat(new GradientClipping(Double.POSITIVE_INFINITY).factor(1e9)).isEqualTo(1);
        assertThat(new GradientClipping(1).factor(0)).isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(doubles = {0, -1, Double.NaN})
    void maxNormOfZeroOrLessIsRejected(double maxNorm) {
        assertThatThrownBy(() -> new GradientClipping(maxNorm))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("clipping: maxNorm is " + maxNorm);
    }

    @ParameterizedTest
    @ValueSource(doubles = {-1, Double.NaN, Double.POSITIVE_INFINITY})
    void invalidNormIsRejected(double norm) {
        assertThatThrownBy(() -> new GradientClipping(1).factor(norm))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("clipping: the gradient's norm is " + norm);
    }
}
