package io.gradus.autograd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

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
import java.util.Objects;
import java.util.function.BiFunction;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/** A checkpointed function gives the same bits as without a checkpoint, in less memory. */
class CheckpointTest {
    private static final int ROWS = 6;
    private static final int WIDTH = 17;

    private final Device device = new Device("cpu", 0, new CpuBackend(1));
    private final MemoryLedger memory = device.backend().memory();

    private Tensor random(int place, long... shape) {
        Tensor tensor = Tensor.empty(device, io.gradus.core.DType.F32, Shape.of(shape), MemoryCategory.WEIGHTS);
        tensor.kernels().random().normal(tensor, 0, 0.5, new Philox.Key(3, 0, place));
        return tensor;
    }

    private Variable parameter(int place, long... shape) {
        return Variable.parameter("w" + place, random(place, shape));
    }

    /** Ways to apply a block. */
    private static final BiFunction<UnaryOperator<Variable>, Variable, Variable> PLAIN = UnaryOperator::apply;

    private static final BiFunction<UnaryOperator<Variable>, Variable, Variable> CHECKPOINTED =
            (block, x) -> x.checkpoint(block);

    private static float[] grad(Variable variable) {
        return Objects.requireNonNull(variable.grad()).toFloats();
    }

    /** A network of blocks with a residual connection, a norm, one weight per block and one shared weight. */
    private final class Network {
        final Variable x = parameter(0, ROWS, WIDTH);
        final Variable shared = parameter(1, WIDTH);
        final List<Variable> weights = new ArrayList<>();
        int calls;

        Network(int blocks) {
            for (int i = 0; i < blocks; i++) {
                weights.add(parameter(2 + i, WIDTH, WIDTH));
            }
        }

        Variable loss(BiFunction<UnaryOperator<Variable>, Variable, Variable> how) {
            Variable h = x.multiply(1); // like the result of an embedding: only the blocks read it
            for (Variable weight : weights) {
                h = how.apply(in -> block(in, weight), h);
            }
            return h.multiply(shared).sum();
        }

        private Variable block(Variable in, Variable weight) {
            int call = Autograd.once(() -> calls++);
            Variable inside = in.rmsNorm(shared, 1e-5).matmul(weight).gelu();
            return in.add(inside.dropout(0.3, new Philox.Key(9, call, 0)).multiply(inside));
        }

        List<float[]> gradients() {
            List<float[]> all = new ArrayList<>(List.of(grad(x), grad(shared)));
            weights.forEach(weight -> all.add(grad(weight)));
            return all;
        }
    }

    private static void assertSameBits(List<float[]> actual, List<float[]> expected) {
        assertThat(actual).hasSameSizeAs(expected);
        for (int i = 0; i < actual.size(); i++) {
            assertThat(actual.get(i)).as("gradient " + i).containsExactly(expected.get(i));
        }
    }

    @Test
    void checkpointedGradientsWithDropoutHaveTheSameBits() {
        for (int pass = 0; pass < 2; pass++) {
            Network plain = new Network(4);
            Network checkpointed = new Network(4);
            for (int step = 0; step < 3; step++) { // the second adds to the first's
                Variable expected = plain.loss(PLAIN);
                Variable actual = checkpointed.loss(CHECKPOINTED);
                assertThat(actual.item()).isEqualTo(expected.item());
                if (pass == 0) {
                    expected.backward();
                    actual.backward();
                } else {
                    expected.backwardAndRelease();
                    actual.backwardAndRelease();
                }
                assertSameBits(checkpointed.gradients(), plain.gradients());
            }
            assertThat(checkpointed.calls).isEqualTo(plain.calls).isEqualTo(12);
        }
    }

    @Test
    void nestedCheckpointsGiveTheSameBits() {
        Network plain = new Network(4);
        Network nested = new Network(4);
        plain.loss(PLAIN).backward();
        Variable whole = nested.x.multiply(1).checkpoint(x -> {
            Variable h = x;
            for (Variable weight : nested.weights) {
                h = h.checkpoint(in -> in.checkpoint(inner -> nested.block(inner, weight)));
            }
            return h.multiply(nested.shared);
        });
        whole.sum().backward();
        assertSameBits(nested.gradients(), plain.gradients());
        assertThat(nested.calls).isEqualTo(4);
    }

    @Test
    void retainedGraphWithCheckpointsCanBeDifferentiatedTwice() {
        Network plain = new Network(2);
        Network checkpointed = new Network(2);
        Variable expected = plain.loss(PLAIN);
        Variable actual = checkpointed.loss(CHECKPOINTED);
        for (int pass = 0; pass < 2; pass++) {
            expected.backward(pass == 0);
            actual.backward(pass == 0);
        }
        assertSameBits(checkpointed.gradients(), plain.gradients());
    }

    @Test
    void checkpointOfSeveralInputsGivesEachItsGradient() {
        Variable a = parameter(0, 5);
        Variable b = parameter(1, 5);
        Variable frozen = Variable.constant(random(2, 5));
        Checkpoint.apply(in -> in.get(0).multiply(in.get(1)).multiply(in.get(2)).multiply(a), a, b, frozen)
                .sum()
                .backward();
        float[] x = a.value().toFloats();
        float[] y = b.value().toFloats();
        float[] z = frozen.value().toFloats();
        for (int i = 0; i < 5; i++) {
            assertThat(grad(a)[i]).isCloseTo(2 * x[i] * y[i] * z[i], org.assertj.core.api.Assertions.within(1e-6f));
            assertThat(grad(b)[i]).isCloseTo(x[i] * x[i] * z[i], org.assertj.core.api.Assertions.within(1e-6f));
        }
        assertThat(frozen.grad()).isNull();
    }

    @Test
    void checkpointOfAConstantGivesParametersTheirGradient() {
        Variable data = Variable.constant(random(0, 4));
        Variable weight = parameter(1, 4);
        data.checkpoint(x -> x.multiply(weight)).sum().backward();
        assertThat(grad(weight)).containsExactly(data.value().toFloats());
    }

    @Test
    void checkpointWithoutParametersGivesAConstant() {
        Variable weight = parameter(0, 4);
        assertThat(Variable.constant(random(1, 4)).checkpoint(Variable::exp).requiresGrad())
                .isFalse();
        assertThat(weight.checkpoint(w -> w.exp().detach()).requiresGrad()).isFalse();
    }

    @Test
    void checkpointedFunctionMayReturnItsInputOrAView() {
        Variable weight = parameter(0, 4);
        weight.checkpoint(w -> w).sum().backward();
        weight.checkpoint(w -> w.reshape(2, 2)).sum().backward();
        weight.checkpoint(_ -> weight).sum().backward();
        assertThat(grad(weight)).containsOnly(3);
    }

    @Test
    void checkpointUnderNoGradCallsTheFunctionOnce() {
        Variable weight = parameter(0, 4);
        int[] calls = new int[1];
        Variable y = Autograd.noGrad(() -> weight.checkpoint(w -> {
            calls[0]++;
            return w.exp();
        }));
        assertThat(y.requiresGrad()).isFalse();
        assertThat(calls[0]).isOne();
    }

    @Test
    void backwardThroughACheckpointWorksUnderNoGrad() {
        Variable weight = parameter(0, 4);
        Variable loss = weight.checkpoint(w -> w.multiply(w)).sum();
        Autograd.noGrad(() -> {
            loss.backward();
            return 0;
        });
        assertThat(grad(weight)).isNotEmpty();
    }

    // ---- memory ----

    private final List<Network> alive = new ArrayList<>();

    /** The peak of bytes beyond weights and their gradients. */
    private long peak(int blocks, BiFunction<UnaryOperator<Variable>, Variable, Variable> how) {
        Network network = new Network(blocks);
        alive.add(network); // reachable, so that the garbage collector does not change the count
        long before = 0;
        for (int step = 0; step < 2; step++) { // in the second step, gradient buffers exist already
            before = memory.live();
            memory.resetPeak();
            try (Scope _ = Scope.open("step")) {
                network.loss(how).backwardAndRelease();
            }
        }
        assertThat(memory.live()).isEqualTo(before);
        return memory.peak() - before;
    }

    @Test
    void checkpointsHoldTheInsideOfOneBlockAtATime() {
        long one = (long) ROWS * WIDTH * 4;
        long inside = peak(2, CHECKPOINTED) - one;
        assertThat(peak(12, CHECKPOINTED)).isEqualTo(inside + 11 * one);
        assertThat(peak(12, PLAIN)).isGreaterThan(2 * peak(12, CHECKPOINTED));
    }

    @Test
    void checkpointsUnderNoGradHoldTheInsideOfOneBlockAtATime() {
        long shallow = peakWithoutHistory(2, CHECKPOINTED);
        long one = (long) ROWS * WIDTH * 4;
        assertThat(peakWithoutHistory(12, CHECKPOINTED)).isEqualTo(shallow + 10 * one);
        assertThat(peakWithoutHistory(12, PLAIN)).isGreaterThan(2 * peakWithoutHistory(12, CHECKPOINTED));
    }

    private long peakWithoutHistory(int blocks, BiFunction<UnaryOperator<Variable>, Variable, Variable> how) {
        Network network = new Network(blocks);
        alive.add(network);
        long before = memory.live();
        memory.resetPeak();
        try (Scope _ = Scope.open("evaluation")) {
            Autograd.noGrad(() -> network.loss(how));
        }
        assertThat(memory.live()).isEqualTo(before);
        return memory.peak() - before;
    }

    // ---- errors ----

    @Test
    void checkpointThatReadsAnOutsideResultIsRejected() {
        Variable weight = parameter(0, 4);
        Variable outside = weight.exp();
        assertThatThrownBy(() -> weight.checkpoint(w -> w.multiply(outside)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("checkpoint", "exp", "[4]", "pass it as an input");
        assertThatThrownBy(() -> weight.checkpoint(w -> {
                    Variable inside = w.exp();
                    return w.checkpoint(inner -> inner.multiply(inside));
                }))
                .hasMessageContainingAll("checkpoint", "exp", "pass it as an input");
        weight.checkpoint(w -> w.multiply(outside.detach())).sum().backward();
        assertThat(grad(weight)).containsExactly(outside.value().toFloats());
    }

    @Test
    void checkpointedFunctionThatChangesIsRejected() {
        Variable weight = parameter(0, 4);
        int[] calls = new int[1];
        Variable otherShape =
                weight.checkpoint(w -> calls[0]++ == 0 ? w.exp() : w.exp().reshape(2, 2));
        assertThatThrownBy(() -> otherShape.backward(random(1, 4), false))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContainingAll("checkpoint", "[4]", "[2, 2]", "the same each time");
        int[] more = new int[1];
        Variable drawsMore = weight.checkpoint(w -> {
            if (more[0]++ > 0) {
                Autograd.once(() -> 1);
            }
            return w.exp();
        });
        assertThatThrownBy(() -> drawsMore.sum().backward()).hasMessageContainingAll("0 times", "more often");
        int[] fewer = new int[1];
        Variable drawsFewer = weight.checkpoint(w -> {
            if (fewer[0]++ == 0) {
                Autograd.once(() -> 1);
            }
            return w.exp();
        });
        assertThatThrownBy(() -> drawsFewer.sum().backward()).hasMessageContainingAll("1 times", "0 times");
    }

    @Test
    void exceptionInACheckpointReleasesItsMemory() {
        Variable weight = parameter(0, 4);
        long before = memory.live();
        try (Scope _ = Scope.open("step")) {
            assertThatThrownBy(() -> weight.checkpoint(w -> {
                        w.exp();
                        throw new IllegalStateException("broken");
                    }))
                    .hasMessage("broken");
            assertThat(memory.live()).isEqualTo(before);
            assertThat(Replay.current()).isNull();
            assertThat(Autograd.isRecording()).isTrue();
        }
    }

    @Test
    void onceOutsideACheckpointComputesEachTime() {
        int[] calls = new int[1];
        assertThat(Autograd.once(() -> calls[0]++) + Autograd.once(() -> calls[0]++))
                .isOne();
    }
}
