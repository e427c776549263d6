package io.gradus.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import io.gradus.autograd.Variable;
import io.gradus.core.Device;
import io.gradus.core.Tensor;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** L2-SP and EWC: value, gradient and proximal step, with λ from 0 to infinity. */
class ProximalPenaltyTest {

    static List<String> cases() throws IOException {
        return PytorchFixture.finetuningCases("penalty/");
    }

    @ParameterizedTest
    @MethodSource("cases")
    void matchesPytorchOnCpu(String name) throws IOException {
        assertHeld(name, Device.cpu(), 2e-6);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void matchesPytorchOnReference(String name) throws IOException {
        assertHeld(name, Device.reference(), 6e-8);
    }

    private static void assertHeld(String name, Device device, double tolerance) throws IOException {
        try (PytorchFixture fixture = PytorchFixture.finetuning()) {
            FineTuned run = FineTuned.begin(fixture, device);
            JsonNode settings = fixture.settings(name);
            double strength = settings.get("strength").doubleValue();
            AnchorWeights start = AnchorWeights.of(run.parameters);
            Optimizer optimizer = optimizer(settings, run.parameters);
            optimizer.setPenalty(
                    settings.get("importance").booleanValue()
                            ? ProximalPenalty.ewc(start, run.importance(), strength)
                            : ProximalPenalty.l2sp(start, strength));
            run.assertMatches(fixture, name, device, tolerance, () -> {
                optimizer.step();
                return run.values();
            });
        }
    }

    private static Optimizer optimizer(JsonNode settings, List<Variable> parameters) {
        List<ParameterGroup> groups =
                ParameterGroups.single(parameters, settings.get("weight_decay").doubleValue());
        double rate = settings.get("lr").doubleValue();
        return settings.get("optimizer").textValue().equals("sgd")
                ? new Sgd(
                        groups,
                        rate,
                        Sgd.Settings.momentum(settings.get("momentum").doubleValue()))
                : new AdamW(groups, rate);
    }

    @ParameterizedTest
    @ValueSource(strings = {"l2sp", "ewc"})
    void valueAndGradientAreThoseOfAutograd(String kind) throws IOException {
        for (Device device : List.of(Device.cpu(), Device.reference())) {
            try (PytorchFixture fixture = PytorchFixture.finetuning()) {
                String name = "elastic/" + kind;
                double tolerance = device.equals(Device.cpu()) ? 1e-6 : 6e-8;
                AnchorWeights start = AnchorWeights.of(FineTuned.begin(fixture, device).parameters);
                FineTuned now = new FineTuned(fixture, device, "weights/");
                double strength = fixture.settings(name).get("strength").doubleValue();
                ProximalPenalty penalty = kind.equals("ewc")
                        ? ProximalPenalty.ewc(start, now.importance(), strength)
                        : ProximalPenalty.l2sp(start, strength);
                double value = fixture.read(name + "/value", device).item();
                assertThat(penalty.value(now.parameters)).isCloseTo(value, within(tolerance * value));
                List<Tensor> gradients = fixture.readAll(name + "/gradient", device);
                for (int i = 0; i < gradients.size(); i++) {
                    PytorchFixture.assertClose(
                            penalty.gradient(now.parameters.get(i)), gradients.get(i), tolerance, name + " " + i);
                }
            }
        }
    }

    @Test
    void zeroStrengthEqualsTrainingWithoutPenalty() throws IOException {
        try (PytorchFixture fixture = PytorchFixture.finetuning()) {
            float[][] plain = trained(fixture, (optimizer, run) -> {});
            assertThat(trained(
                            fixture,
                            (optimizer, run) ->
                                    optimizer.setPenalty(ProximalPenalty.l2sp(AnchorWeights.of(run.parameters), 0))))
                    .isDeepEqualTo(plain);
            assertThat(trained(
                            fixture,
                            (optimizer, run) -> optimizer.setPenalty(
                                    ProximalPenalty.ewc(AnchorWeights.of(run.parameters), run.importance(), 0))))
                    .isDeepEqualTo(plain);
            assertThat(trained(
                            fixture,
                            (optimizer, run) -> optimizer.setPenalty(
                                    ProximalPenalty.ewc(AnchorWeights.of(run.parameters), nothing(run), 7))))
                    .isDeepEqualTo(plain);
        }
    }

    @Test
    void infiniteStrengthKeepsTheAnchorExactly() throws IOException {
        try (PytorchFixture fixture = PytorchFixture.finetuning()) {
            float[][] held = trained(
                    fixture,
                    (optimizer, run) -> optimizer.setPenalty(
                            ProximalPenalty.l2sp(AnchorWeights.of(run.parameters), Double.POSITIVE_INFINITY)));
            List<Tensor> start = FineTuned.begin(fixture, Device.cpu()).values();
            for (int i = 0; i < held.length; i++) {
                assertThat(held[i]).containsExactly(start.get(i).toFloats());
            }
        }
    }

    @Test
    void strongerPenaltyMovesWeightsLess() throws IOException {
        try (PytorchFixture fixture = PytorchFixture.finetuning()) {
            double longer = Double.POSITIVE_INFINITY;
            for (double strength : new double[] {0, 0.1, 1, 10, 1000, 1e9}) {
                FineTuned run = FineTuned.begin(fixture, Device.cpu());
                AnchorWeights start = AnchorWeights.of(run.parameters);
                Optimizer optimizer = new AdamW(ParameterGroups.single(run.parameters, 0), 0.05);
                optimizer.setPenalty(ProximalPenalty.l2sp(start, strength));
                for (int step = 0; step < 10; step++) {
                    run.gradients(step);
                    optimizer.step();
                }
                assertThat(start.distance(run.parameters)).isLessThan(longer);
                longer = start.distance(run.parameters);
            }
            assertThat(longer).isLessThan(1e-6);
        }
    }

    /** SGD with the penalty converges to the point where the gradient of loss + penalty is zero. */
    @Test
    void fixedPointMinimizesLossPlusPenalty() {
        Variable w = TestParameters.parameter("w", 1, 1);
        AnchorWeights start = AnchorWeights.of(List.of(w));
        Optimizer sgd = new Sgd(TestParameters.group(w), 0.3);
        FisherInformation importance = FisherInformation.of(Map.of("w.fisher", Tensor.of(new float[] {1, 4}, 2)));
        sgd.setPenalty(ProximalPenalty.ewc(start, importance, 0.5));
        for (int step = 0; step < 200; step++) {
            float[] at = w.value().toFloats();
            TestParameters.gradient(w, at[0] - 4, at[1] - 4); // of ½(w − 4)²
            sgd.step();
        }
        // w − 4 + λF(w − 1) = 0
        assertThat(w.value().toFloats()).containsExactly(new float[] {3, 2}, within(1e-5f));
    }

    /** If the penalty were part of Adam's gradient, it would be divided by √v. */
    @Test
    void penaltyIsIndependentOfGradientSize() {
        Variable w = TestParameters.parameter("w", 0, 0);
        Optimizer adam = new AdamW(TestParameters.group(w), 0.01);
        adam.setPenalty(ProximalPenalty.l2sp(AnchorWeights.of(List.of(w)), 10));
        for (int step = 0; step < 200; step++) {
            TestParameters.gradient(w, 1e3f, 1e-3f);
            adam.step();
        }
        // Adam's update is 1 for either; θ′ = θ − η, and θ = θ′/(1 + ηλ) stays where θ·ηλ = −η
        assertThat(w.value().toFloats()).containsExactly(new float[] {-0.1f, -0.1f}, within(1e-4f));
    }

    /** Weights and state come from the checkpoint, the anchor from the base model. */
    @Test
    void resumedRunEndsWithTheSameBits() throws IOException {
        try (PytorchFixture fixture = PytorchFixture.finetuning()) {
            FineTuned whole = FineTuned.begin(fixture, Device.cpu());
            steps(whole, held(whole, AnchorWeights.of(whole.parameters)), 0, 10);
            for (int stop = 0; stop <= 10; stop += 5) {
                FineTuned first = FineTuned.begin(fixture, Device.cpu());
                Optimizer interrupted = held(first, AnchorWeights.of(first.parameters));
                steps(first, interrupted, 0, stop);

                FineTuned second = FineTuned.begin(fixture, Device.cpu());
                AnchorWeights base = AnchorWeights.of(FineTuned.begin(fixture, Device.cpu()).parameters);
                for (int i = 0; i < second.parameters.size(); i++) {
                    second.values().get(i).copyFrom(first.values().get(i));
                }
                Optimizer resumed = held(second, base);
                resumed.load(interrupted.state());
                steps(second, resumed, stop, 10);
                for (int i = 0; i < second.parameters.size(); i++) {
                    assertThat(second.values().get(i).toFloats())
                            .as("stopped after %d steps, parameter %d", stop, i)
                            .containsExactly(whole.values().get(i).toFloats());
                }
            }
        }
    }

    private static Optimizer held(FineTuned run, AnchorWeights start) {
        Optimizer optimizer = new AdamW(ParameterGroups.single(run.parameters, 0.1), 0.05);
        optimizer.setPenalty(ProximalPenalty.ewc(start, run.importance(), 2));
        return optimizer;
    }

    private static void steps(FineTuned run, Optimizer optimizer, int from, int to) {
        for (int step = from; step < to; step++) {
            run.gradients(step);
            optimizer.step();
        }
    }

    @Test
    void proximalStepUsesTheGroupsLearningRate() {
        Variable a = TestParameters.parameter("a", 1);
        Variable b = TestParameters.parameter("b", 1);
        Optimizer sgd = new Sgd(
                List.of(new ParameterGroup("a", List.of(a), 1, 0), new ParameterGroup("b", List.of(b), 0.5, 0)), 1);
        sgd.setPenalty(ProximalPenalty.l2sp(AnchorWeights.of(List.of(a, b)), 2));
        TestParameters.gradient(a, -3);
        TestParameters.gradient(b, -6);
        sgd.step();
        assertThat(a.value().item()).isEqualTo(1 + 3 / (1.0f + 2));
        assertThat(b.value().item()).isEqualTo(1 + 3 / (1.0f + 1));
        sgd.setPenalty(null);
        TestParameters.gradient(a, -3);
        sgd.step();
        assertThat(a.value().item()).isEqualTo(5);
    }

    @Test
    void zeroLearningRateAppliesNoPenalty() {
        Variable a = TestParameters.parameter("a", 1);
        AnchorWeights start = AnchorWeights.of(List.of(a));
        Optimizer sgd = new Sgd(TestParameters.group(a), 0);
        sgd.setPenalty(ProximalPenalty.l2sp(start, Double.POSITIVE_INFINITY));
        TestParameters.gradient(a, 5);
        sgd.step();
        assertThat(a.value().item()).isEqualTo(1);
    }

    @Test
    void parameterWithoutAnchorIsRejectedByName() {
        Variable a = TestParameters.parameter("a", 1);
        Variable b = TestParameters.parameter("b", 1, 2);
        Optimizer sgd = new Sgd(TestParameters.group(a, b), 1);
        AnchorWeights both = AnchorWeights.of(List.of(a, b));
        FisherInformation ofA = FisherInformation.of(Map.of("a.fisher", Tensor.of(new float[] {1}, 1)));
        assertThatThrownBy(() -> sgd.setPenalty(ProximalPenalty.l2sp(AnchorWeights.of(List.of(a)), 1)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("Sgd: the penalty has no anchor weights or no Fisher information for b");
        assertThatThrownBy(() -> sgd.setPenalty(ProximalPenalty.ewc(both, ofA, 1)))
                .hasMessageContaining("Sgd: the penalty has no anchor weights or no Fisher information for b");
        for (double strength : new double[] {-1, Double.NaN}) {
            assertThatThrownBy(() -> ProximalPenalty.l2sp(both, strength))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("penalty: the strength is " + strength);
        }
    }

    private static FisherInformation nothing(FineTuned run) {
        return FisherInformation.estimate(run.parameters, 1, _ -> {});
    }

    private interface Setup {
        void apply(Optimizer optimizer, FineTuned run);
    }

    private static float[][] trained(PytorchFixture fixture, Setup setup) throws IOException {
        FineTuned run = FineTuned.begin(fixture, Device.cpu());
        Optimizer optimizer = new AdamW(ParameterGroups.single(run.parameters, 0.1), 0.05);
        setup.apply(optimizer, run);
        for (int step = 0; step < 10; step++) {
            run.gradients(step);
            optimizer.step();
        }
        return run.values().stream().map(Tensor::toFloats).toArray(float[][]::new);
    }
}
