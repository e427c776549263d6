package io.gradus.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.gradus.autograd.Variable;
import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.MemoryLedger;
import io.gradus.core.Philox;
import io.gradus.core.Scope;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.core.cpu.CpuBackend;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Updating parameters during the backward pass. */
class StepInBackwardTest {
    private static final int LAYERS = 8;
    private static final int WIDTH = 32;

    private final Device device = new Device("cpu", 0, new CpuBackend(1));
    private final MemoryLedger memory = device.backend().memory();

    /** A tied embedding with layers in between. */
    private final class Network {
        final List<Variable> parameters = new ArrayList<>();
        final Optimizer optimizer;

        Network(DType dtype) {
            parameters.add(parameter("table", dtype, 0, 20, WIDTH));
            for (int i = 0; i < LAYERS; i++) {
                parameters.add(parameter("layer" + i, dtype, i + 1, WIDTH, WIDTH));
            }
            optimizer = new AdamW(ParameterGroups.single(parameters, 0.1), 1e-2);
        }

        Variable loss(boolean checkpointed) {
            Variable h = parameters.getFirst().embedding(Tensor.of(device, new int[] {1, 3, 3, 7, 19}, 5));
            for (Variable layer : parameters.subList(1, parameters.size())) {
                h = checkpointed ? h.checkpoint(x -> block(x, layer)) : block(h, layer);
            }
            return h.linear(parameters.getFirst(), null).crossEntropy(Tensor.of(device, new int[] {3, 3, 7, 19, 1}, 5));
        }

        private static Variable block(Variable x, Variable layer) {
            return x.add(x.linear(layer, null).tanh());
        }
    }

    private Variable parameter(String name, DType dtype, int place, long... shape) {
        Tensor tensor = Tensor.empty(device, DType.F32, Shape.of(shape), MemoryCategory.WEIGHTS);
        tensor.kernels().random().normal(tensor, 0, 0.3, new Philox.Key(3, 0, place));
        return Variable.parameter(name, tensor.to(dtype));
    }

    @ParameterizedTest
    @CsvSource({"F32, false", "F32, true", "BF16, false", "BF16, true"})
    void weightsEqualThoseOfAnOrdinaryStep(DType dtype, boolean checkpointed) {
        Network ordinary = new Network(dtype);
        Network fused = new Network(dtype);
        for (int step = 0; step < 4; step++) {
            ordinary.optimizer.zeroGrad();
            ordinary.loss(false).backward();
            double norm = GradientClipping.norm(ordinary.parameters);
            ordinary.optimizer.step(0.5);
            assertThat(fused.optimizer.stepInBackward(fused.loss(checkpointed), 0.5))
                    .isCloseTo(norm, within(1e-9 * norm));
            for (int i = 0; i < ordinary.parameters.size(); i++) {
                assertThat(fused.parameters.get(i).value().toFloats())
                        .as(fused.parameters.get(i).name())
                        .containsExactly(ordinary.parameters.get(i).value().toFloats());
            }
        }
        ordinary.optimizer
                .state()
                .forEach((name, tensor) -> assertThat(
                                fused.optimizer.state().get(name).toDoubles())
                        .as(name)
                        .containsExactly(tensor.toDoubles()));
    }

    @Test
    void onlyOneGradientExistsAtATime() {
        long layer = WIDTH * WIDTH * 4;
        long table = 20 * WIDTH * 4;
        Network network = new Network(DType.F32);
        try (Scope _ = Scope.open("before")) {
            network.loss(false).backward(); // allocates gradient buffers, which the next step frees
        }
        network.optimizer.zeroGrad();
        assertThat(memory.live(MemoryCategory.GRADIENTS)).isEqualTo(table + LAYERS * layer);
        for (int step = 0; step < 3; step++) {
            memory.resetPeak();
            try (Scope _ = Scope.open("step")) {
                network.optimizer.stepInBackward(network.loss(step == 2), 1);
            }
            assertThat(memory.live(MemoryCategory.GRADIENTS)).isZero();
        }
        long activationGradients = 6 * 5 * WIDTH * 4;
        assertThat(memory.atPeak().getOrDefault(MemoryCategory.GRADIENTS, 0L))
                .isLessThanOrEqualTo(table + layer + activationGradients)
                .isLessThan(LAYERS * layer / 2);
    }

    @Test
    void existingGradientsAreRejected() {
        Network network = new Network(DType.F32);
        network.loss(false).backward();
        float[] before = network.parameters.get(1).value().toFloats();
        Variable loss = network.loss(false);
        assertThatThrownBy(() -> network.optimizer.stepInBackward(loss, 1))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContainingAll("AdamW", "table", "4 more", "accumulate", "zeroGrad()");
        assertThat(network.parameters.get(1).value().toFloats()).containsExactly(before);
        network.optimizer.zeroGrad();
        network.optimizer.stepInBackward(loss, 1);
        assertThatThrownBy(() -> network.optimizer.stepInBackward(network.loss(false), -1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("gradient scale");
    }

    @Test
    void nonFiniteGradientThrowsBeforeItsUpdate() {
        Variable bad = Variable.parameter("bad", Tensor.of(new float[] {1}, 1));
        Variable good = Variable.parameter("good", Tensor.of(new float[] {1}, 1));
        Optimizer optimizer = new Sgd(TestParameters.group(bad, good), 1);
        Variable infinite = bad.multiply(Double.POSITIVE_INFINITY).add(good).sum();
        assertThatThrownBy(() -> optimizer.stepInBackward(infinite, 1))
                .isInstanceOf(ArithmeticException.class)
                .hasMessageContainingAll("Sgd", "gradient of bad", "checkpoint");
        assertThat(bad.value().item()).isOne();
    }

    @Test
    void frozenParametersAndParametersOfOthersAreUnchanged() {
        Variable mine = Variable.parameter("mine", Tensor.of(new float[] {1}, 1));
        Variable frozen = Variable.parameter("frozen", Tensor.of(new float[] {2}, 1));
        Variable foreign = Variable.parameter("foreign", Tensor.of(new float[] {3}, 1));
        frozen.setRequiresGrad(false);
        Optimizer optimizer = new Sgd(TestParameters.group(mine, frozen), 1);
        double norm =
                optimizer.stepInBackward(mine.multiply(frozen).multiply(foreign).sum(), 0.5);
        assertThat(norm).isEqualTo(6);
        assertThat(mine.value().item()).isEqualTo(-2);
        assertThat(frozen.value().item()).isEqualTo(2);
        assertThat(foreign.value().item()).isEqualTo(3);
        assertThat(foreign.grad()).isNotNull();
        assertThat(mine.grad()).isNull();
    }
}
