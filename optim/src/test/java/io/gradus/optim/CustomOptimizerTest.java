package io.gradus.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import io.gradus.autograd.Variable;
import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Philox;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.core.cpu.CpuBackend;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** An optimizer that a user writes with tensor operations gets everything that the built-in ones have. */
class CustomOptimizerTest {
    private final Device device = new Device("cpu", 0, new CpuBackend(1));

    /** {@link AdamW} without its kernel. */
    private static final class TensorAdamW extends Optimizer {
        private final Adam.Settings settings;

        TensorAdamW(List<ParameterGroup> groups, double learningRate, Adam.Settings settings) {
            super(groups, learningRate, "exp_avg", "exp_avg_sq");
            this.settings = settings;
        }

        @Override
        protected void update(ParameterStep step) {
            Tensor g = step.gradient();
            Tensor m = step.state("exp_avg");
            Tensor v = step.state("exp_avg_sq");
            InPlace.lerp(m, g, 1 - settings.beta1());
            InPlace.scale(v, settings.beta2());
            InPlace.addProduct(v, g, g, 1 - settings.beta2());
            Tensor denominator = InPlace.copy(v);
            InPlace.scale(denominator, 1 / (1 - Math.pow(settings.beta2(), step.number())));
            InPlace.sqrt(denominator);
            InPlace.add(denominator, settings.epsilon());
            InPlace.scale(step.weight(), 1 - step.learningRate() * step.weightDecay());
            double rate = step.learningRate() / (1 - Math.pow(settings.beta1(), step.number()));
            InPlace.addQuotient(step.weight(), m, denominator, -rate);
        }
    }

    private static TensorAdamW tensorAdamW(List<ParameterGroup> groups, double learningRate) {
        return new TensorAdamW(groups, learningRate, Adam.Settings.DEFAULT);
    }

    static List<String> cases() throws IOException {
        return PytorchFixture.cases("adamw/");
    }

    @ParameterizedTest
    @MethodSource("cases")
    void adamWFromTensorOperationsFollowsPytorch(String name) throws IOException {
        try (PytorchFixture fixture = PytorchFixture.open()) {
            JsonNode settings = fixture.settings(name);
            JsonNode betas = settings.get("betas");
            Variable parameter = Variable.parameter("p", fixture.read("start/0", Device.cpu()));
            Tensor gradients = fixture.read("gradient/0", Device.cpu());
            Tensor expected = fixture.read(name + "/0", Device.cpu());
            Optimizer optimizer = new TensorAdamW(
                    ParameterGroups.single(
                            List.of(parameter), settings.get("weight_decay").doubleValue()),
                    settings.get("lr").doubleValue(),
                    new Adam.Settings(
                            betas.get(0).doubleValue(),
                            betas.get(1).doubleValue(),
                            settings.get("eps").doubleValue()));
            for (long step = 0; step < expected.shape().get(0); step++) {
                TestParameters.gradient(parameter, PytorchFixture.at(step, gradients));
                optimizer.step();
                PytorchFixture.assertClose(
                        parameter.value(), PytorchFixture.at(step, expected), 2e-6, name + ", step " + step);
            }
        }
    }

    private Tensor random(int place, DType dtype) {
        Tensor tensor = Tensor.empty(device, DType.F32, Shape.of(20, 30), MemoryCategory.WEIGHTS);
        tensor.kernels().random().normal(tensor, 0, 0.5, new Philox.Key(3, 0, place));
        return tensor.to(dtype);
    }

    private void train(Optimizer optimizer, int from, int to) {
        for (int step = from; step < to; step++) {
            for (Variable parameter : optimizer.parameters()) {
                TestParameters.gradient(parameter, random(10 + step, DType.F32));
            }
            optimizer.setLearningRate(Schedule.cosine(2, 6, 0.1), step);
            optimizer.step(0.5);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "BF16", "F16"})
    void resumedRunEndsWithTheSameBits(DType dtype) {
        Variable whole = Variable.parameter("w", random(0, dtype));
        train(tensorAdamW(TestParameters.group(whole), 1e-2), 0, 6);

        Variable first = Variable.parameter("w", random(0, dtype));
        Optimizer stopped = tensorAdamW(TestParameters.group(first), 1e-2);
        train(stopped, 0, 3);
        Map<String, Tensor> saved = new LinkedHashMap<>();
        stopped.state().forEach((name, tensor) -> saved.put(name, tensor.copy()));
        assertThat(saved).containsKeys("w.exp_avg", "w.exp_avg_sq", "w.step").hasSize(dtype == DType.F32 ? 3 : 4);

        Variable second = Variable.parameter("w", first.value().copy());
        Optimizer resumed = tensorAdamW(TestParameters.group(second), 1e-2);
        resumed.load(saved);
        train(resumed, 3, 6);
        assertThat(second.value().toFloats()).containsExactly(whole.value().toFloats());
    }

    @Test
    void sixteenBitParameterIsRoundedFromItsMaster() {
        Variable half = Variable.parameter("w", random(0, DType.BF16));
        Variable single = Variable.parameter("w", half.value().to(DType.F32));
        Optimizer mixed = tensorAdamW(TestParameters.group(half), 1e-2);
        Optimizer plain = tensorAdamW(TestParameters.group(single), 1e-2);
        for (int step = 0; step < 3; step++) {
            Tensor gradient = random(10 + step, DType.BF16).to(DType.F32);
            TestParameters.gradient(half, gradient);
            TestParameters.gradient(single, gradient);
            mixed.step(0.5);
            plain.step(0.5);
        }
        assertThat(mixed.weight(half).toFloats()).containsExactly(single.value().toFloats());
        assertThat(half.value().toFloats())
                .containsExactly(single.value().to(DType.BF16).toFloats());
    }

    @Test
    void stepInBackwardEqualsBackwardAndStep() {
        Variable ordinary = Variable.parameter("w", random(0, DType.F32));
        Variable fused = Variable.parameter("w", random(0, DType.F32));
        Optimizer afterBackward = tensorAdamW(TestParameters.group(ordinary), 1e-2);
        Optimizer inBackward = tensorAdamW(TestParameters.group(fused), 1e-2);
        for (int step = 0; step < 3; step++) {
            afterBackward.zeroGrad();
            ordinary.tanh().sum().backward();
            afterBackward.step(0.25);
            inBackward.stepInBackward(fused.tanh().sum(), 0.25);
        }
        assertThat(fused.value().toFloats()).containsExactly(ordinary.value().toFloats());
    }

    @Test
    void penaltyAndGroupFactorsApply() {
        Variable held = Variable.parameter("held", random(0, DType.F32));
        Variable still = Variable.parameter("still", random(1, DType.F32));
        float[] start = held.value().toFloats();
        float[] stillStart = still.value().toFloats();
        Optimizer optimizer = tensorAdamW(
                List.of(new ParameterGroup("held", List.of(held)), new ParameterGroup("still", List.of(still), 0, 0)),
                1e-2);
        optimizer.setPenalty(ProximalPenalty.l2sp(AnchorWeights.of(optimizer.parameters()), Double.POSITIVE_INFINITY));
        train(optimizer, 0, 3);
        assertThat(held.value().toFloats()).containsExactly(start);
        assertThat(still.value().toFloats()).containsExactly(stillStart);
    }

    @Test
    void updateFreesItsTemporariesAndKeepsTheGradient() {
        Variable w = Variable.parameter("w", random(0, DType.BF16));
        Optimizer optimizer = tensorAdamW(TestParameters.group(w), 1e-2);
        Tensor gradient = random(10, DType.F32);
        TestParameters.gradient(w, gradient);
        long before = device.backend().memory().live();
        optimizer.step(0.5);
        assertThat(device.backend().memory().live()).isEqualTo(before);
        assertThat(device.backend().memory().live(MemoryCategory.WORKSPACE)).isZero();
        Tensor kept = w.grad();
        assertThat(kept).isNotNull();
        assertThat(kept.toFloats()).containsExactly(gradient.to(DType.BF16).toFloats());
    }

    /** Does nothing but ask for a state tensor. */
    private static final class Asking extends Optimizer {
        private final String wanted;

        Asking(Variable parameter, String declared, String wanted) {
            super(TestParameters.group(parameter), 1, declared);
            this.wanted = wanted;
        }

        @Override
        protected void update(ParameterStep step) {
            step.state(wanted);
        }
    }

    @Test
    void undeclaredStateTensorIsAnErrorThatListsTheDeclaredOnes() {
        Variable w = TestParameters.parameter("w", 1);
        Optimizer optimizer = new Asking(w, "average", "avg");
        TestParameters.gradient(w, 1);
        assertThatThrownBy(optimizer::step)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("'avg' was not declared", "[average]", "constructor");
    }

    @Test
    void reservedStateNamesAreRejected() {
        Variable w = TestParameters.parameter("w", 1);
        for (String reserved : List.of("step", "master")) {
            assertThatThrownBy(() -> new Asking(w, reserved, reserved))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContainingAll("Asking", "'" + reserved + "' is reserved");
        }
    }
}
