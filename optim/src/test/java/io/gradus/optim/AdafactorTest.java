package io.gradus.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import io.gradus.autograd.Variable;
import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Adafactor against PyTorch, and the layout of its state. */
class AdafactorTest {

    static List<String> cases() throws IOException {
        return PytorchFixture.finetuningCases("adafactor/");
    }

    @ParameterizedTest
    @MethodSource("cases")
    void matchesPytorchOnCpu(String name) throws IOException {
        assertMatches(name, Device.cpu(), 2e-6);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void matchesPytorchOnReference(String name) throws IOException {
        assertMatches(name, Device.reference(), 6e-8);
    }

    private static void assertMatches(String name, Device device, double tolerance) throws IOException {
        try (PytorchFixture fixture = PytorchFixture.finetuning()) {
            FineTuned run = FineTuned.begin(fixture, device);
            JsonNode settings = fixture.settings(name);
            JsonNode epsilons = settings.get("eps");
            Optimizer optimizer = new Adafactor(
                    ParameterGroups.single(
                            run.parameters, settings.get("weight_decay").doubleValue()),
                    settings.get("lr").doubleValue(),
                    new Adafactor.Settings(
                            settings.get("beta2_decay").doubleValue(),
                            epsilons.get(0).doubleValue(),
                            epsilons.get(1).doubleValue(),
                            settings.get("d").doubleValue(),
                            settings.get("relative").booleanValue()));
            run.assertMatches(fixture, name, device, tolerance, () -> {
                optimizer.step();
                return run.values();
            });
        }
    }

    @Test
    void matrixStateIsRowAndColumnMeans() {
        Device device = Device.cpu(1); // with its own memory ledger
        Variable matrix =
                Variable.parameter("w", Tensor.zeros(device, DType.F32, Shape.of(2, 300, 200), MemoryCategory.WEIGHTS));
        Variable bias = Variable.parameter("b", Tensor.zeros(device, DType.F32, Shape.of(200), MemoryCategory.WEIGHTS));
        Optimizer optimizer = new Adafactor(TestParameters.group(matrix, bias), 0.01);
        assertThat(optimizer.state().get("w.row_var").shape()).isEqualTo(Shape.of(2, 300, 1));
        assertThat(optimizer.state().get("w.col_var").shape()).isEqualTo(Shape.of(2, 1, 200));
        assertThat(optimizer.state().get("b.variance").shape()).isEqualTo(Shape.of(200));
        assertThat(device.backend().memory().live(MemoryCategory.OPTIMIZER_STATE))
                .isEqualTo(4 * (2 * 500 + 200));
    }

    @Test
    void gradientScaleEqualsScaledGradient() {
        Variable folded = Variable.parameter("w", Tensor.of(new float[] {1, 2, 3, 4, 5, 6}, 2, 3));
        Variable before = Variable.parameter("w", Tensor.of(new float[] {1, 2, 3, 4, 5, 6}, 2, 3));
        Optimizer first = new Adafactor(ParameterGroups.single(List.of(folded), 0.1), 0.01);
        Optimizer second = new Adafactor(ParameterGroups.single(List.of(before), 0.1), 0.01);
        for (int step = 0; step < 3; step++) {
            TestParameters.gradient(folded, 0.5f, -3, step, 0.1f, 0, 7);
            TestParameters.gradient(before, 0.125f, -0.75f, step / 4f, 0.1f / 4, 0, 1.75f);
            first.step(0.25);
            second.step();
        }
        assertThat(folded.value().toFloats()).containsExactly(before.value().toFloats());
    }

    @Test
    void firstRelativeStepIsLearningRateTimesWeightRms() {
        Variable w = TestParameters.parameter("w", 3, -4);
        Optimizer optimizer = new Adafactor(TestParameters.group(w), 0.01);
        TestParameters.gradient(w, 1e-4f, -200);
        optimizer.step();
        float move = (float) (0.01 * Math.sqrt(12.5));
        assertThat(w.value().toFloats()).containsExactly(new float[] {3 - move, -4 + move}, within(1e-6f));
    }
}
