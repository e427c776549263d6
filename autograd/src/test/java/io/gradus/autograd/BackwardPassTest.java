package io.gradus.autograd;

import static io.gradus.autograd.OnReference.constant;
import static io.gradus.autograd.OnReference.grad;
import static io.gradus.autograd.OnReference.parameter;
import static io.gradus.autograd.OnReference.vector;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.gradus.core.AttentionOptions;
import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.GradientBuffer;
import io.gradus.core.MemoryCategory;
import io.gradus.core.MemoryLedger;
import io.gradus.core.Philox;
import io.gradus.core.Scope;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.core.reference.ReferenceBackend;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/** The engine adds the gradients of every path from a leaf to the root, in any graph, and releases its memory. */
class BackwardPassTest {

    @Test
    void gradientsOfBothPathsOfADiamondAreAdded() {
        Variable x = parameter("x", 3);
        Variable a = x.multiply(2);
        Variable left = a.multiply(a); // 4x²
        Variable right = a.exp();
        left.add(right).sum().backward();
        assertThat(grad(x)[0]).isCloseTo(8 * 3 + 2 * Math.exp(6), within(1e-9));
    }

    @Test
    void variableReadDirectlyAndThroughAnotherGetsBothGradients() {
        // h is an input of the product itself and of exp, which is the other input: h must come after exp.
        for (boolean swapped : new boolean[] {false, true}) {
            Variable x = parameter("x", 0.5);
            Variable h = x.multiply(2);
            Variable e = h.exp();
            (swapped ? e.multiply(h) : h.multiply(e)).sum().backward();
            assertThat(grad(x)[0]).isCloseTo(2 * Math.E * (1 + 1), within(1e-12));
        }
    }

    @Test
    void gradientsOfRandomGraphsMatchDifferenceQuotients() {
        for (int seed = 0; seed < 200; seed++) {
            Philox.Key key = new Philox.Key(seed, 0, 0);
            GradientCheck.of(
                            inputs -> randomGraph(key, inputs),
                            2e-3,
                            1e-5,
                            vector(0.3, -0.7, 0.2).reshape(1, 3),
                            vector(0.9, 0.1, -0.4, 0.6, -0.2, 0.8).reshape(2, 3))
                    .assertPasses();
        }
    }

    /** Each variable is computed from random earlier ones, so many are read several times. */
    private static Variable randomGraph(Philox.Key key, Variable... inputs) {
        List<Variable> variables = new ArrayList<>(List.of(inputs));
        int draw = 0;
        for (int i = 0; i < 14; i++) {
            Variable a = variables.get(Philox.below(key, draw++, variables.size()));
            Variable b = variables.get(Philox.below(key, draw++, variables.size()));
            variables.add(
                    switch (Philox.below(key, draw++, 7)) {
                        case 0 -> a.add(b);
                        case 1 -> a.subtract(b);
                        case 2 -> a.multiply(b).tanh();
                        case 3 -> a.tanh();
                        case 4 -> a.reshape(1, -1).reshape(a.shape().toArray()).add(a);
                        case 5 -> a.softmax(-1);
                        default ->
                            Variable.concat(0, List.of(a, b)).mean(0, true).add(a);
                    });
        }
        return variables.getLast().add(variables.get(variables.size() - 2)).multiply(inputs[0]);
    }

    @Test
    void graphOf100000OperationsInARowIsDifferentiated() {
        int depth = 100_000;
        Variable x = parameter("x", 1);
        Variable y = x;
        for (int i = 0; i < depth; i++) {
            y = y.add(x);
        }
        y.sum().backward();
        assertThat(grad(x)).containsExactly(depth + 1);
    }

    @Test
    void gradientPassedToTheSameVariableTwiceIsAdded() {
        Variable x = parameter("x", 1, 2);
        Variable h = x.multiply(3);
        h.add(h).backward(vector(1, 10), false);
        assertThat(grad(x)).containsExactly(6, 60);
    }

    @Test
    void residualBranchesDoNotOverwriteEachOther() {
        // Both branches of each sum are handed the same tensor; one of them is then added to.
        Variable x = parameter("x", 0.5, -1);
        Variable h = x.multiply(1);
        Variable y = h.add(h.multiply(h)); // h + h²
        Variable z = y.reshape(1, 2).reshape(2).add(y.multiply(5)); // 6y
        Variable probe = h.subtract(z).retainGrad();
        probe.backward(vector(1, 1), false); // h − 6h − 6h²
        assertThat(grad(x)).containsExactly(-5 - 12 * 0.5, -5 + 12);
        assertThat(grad(probe)).containsExactly(1, 1);
    }

    @Test
    void sharedGradientIsCopiedBeforeOneOfItsVariablesGetsMore() {
        for (boolean swapped : new boolean[] {false, true}) {
            Variable x = parameter("x", 1);
            Variable y = parameter("y", 1);
            Variable a = x.multiply(1);
            Variable b = y.multiply(1);
            Variable sum = (swapped ? b.add(a) : a.add(b)).multiply(3);
            Variable more = a.multiply(100).multiply(1);
            (swapped ? more.add(sum) : sum.add(more)).multiply(2).sum().backward();
            assertThat(grad(x)).containsExactly(206);
            assertThat(grad(y)).containsExactly(6);
        }
    }

    @Test
    void gradientOfTheRootIsNotModified() {
        Variable x = parameter("x", 1, 2);
        Variable h = x.multiply(1);
        Tensor gradient = vector(1, 10);
        h.add(h.multiply(4).multiply(1)).backward(gradient, false);
        assertThat(grad(x)).containsExactly(5, 50);
        assertThat(gradient.toDoubles()).containsExactly(1, 10);
    }

    @Test
    void selfAttentionAddsGradientsOfQueriesKeysAndValues() {
        Tensor start = vector(0.3, -0.5, 0.8, 0.1, 0.9, -0.2).reshape(1, 3, 1, 2);
        AttentionOptions settings = new AttentionOptions(true, null, 0.7);
        Variable x = Variable.parameter("x", start);
        x.attention(x, x, settings).sum().backward();
        Variable q = Variable.parameter("q", start);
        Variable k = Variable.parameter("k", start);
        Variable v = Variable.parameter("v", start);
        q.attention(k, v, settings).sum().backward();
        for (int i = 0; i < 6; i++) {
            assertThat(grad(x)[i]).isCloseTo(grad(q)[i] + grad(k)[i] + grad(v)[i], within(1e-14));
        }
    }

    @Test
    void buffersOfOneVariableMayBeFilledInAnyOrder() {
        for (boolean leaf : new boolean[] {true, false}) {
            Variable x = parameter("x", 3, 5);
            Variable h = leaf ? x : x.multiply(1);
            Variable.apply(new BackToFront(), h, h).sum().backward();
            assertThat(grad(x)).containsExactly(7 + 2, 7 + 2);
        }
    }

    /** Has the gradients of 7a + 2b, and fills the second buffer before the first. */
    private static final class BackToFront extends Operation {
        @Override
        protected Tensor forward(Tensor... inputs) {
            return inputs[0].copy();
        }

        @Override
        protected void backward(Tensor dy, Gradients gradients) {
            GradientBuffer first = gradients.buffer(0);
            GradientBuffer second = gradients.buffer(1);
            dy.kernels().elementwise().affine(dy, 2, 0, second.gradient(), second.accumulate());
            dy.kernels().elementwise().affine(dy, 7, 0, first.gradient(), first.accumulate());
        }
    }

    @Test
    void bufferOfAnUnwantedGradientIsReleased() {
        Device device = new Device("reference", 0, new ReferenceBackend());
        Tensor start = Tensor.of(device, new double[] {0.3, -0.5, 0.8, 0.1, 0.9, -0.2}, 1, 3, 1, 2);
        Variable q = Variable.parameter("q", start);
        Variable frozen = Variable.constant(start.copy());
        Variable out = q.attention(frozen, frozen, new AttentionOptions(false, null, 0.7));
        long before = device.backend().memory().live(MemoryCategory.GRADIENTS);
        out.backward(start, false);
        assertThat(frozen.grad()).isNull();
        assertThat(grad(q)).hasSize(6);
        assertThat(device.backend().memory().live(MemoryCategory.GRADIENTS) - before)
                .isEqualTo(start.byteSize());
    }

    @Test
    void givenGradientIsUsedOrAddedAndReleased() {
        for (int readers = 1; readers <= 2; readers++) {
            for (boolean leaf : new boolean[] {true, false}) {
                Device device = new Device("reference", 0, new ReferenceBackend());
                Variable x = Variable.parameter("x", Tensor.of(device, new double[] {3, 5}, 2));
                Variable h = leaf ? x : x.multiply(1);
                Variable y = Variable.apply(new Gives(), h, x.detach());
                Variable sum = readers == 1
                        ? y.sum()
                        : y.add(Variable.apply(new Gives(), h, x.detach())).sum();
                long before = device.backend().memory().live(MemoryCategory.GRADIENTS);
                sum.backward();
                assertThat(grad(x)).containsExactly(7 * readers, 7 * readers);
                assertThat(device.backend().memory().live(MemoryCategory.GRADIENTS) - before)
                        .as("the gradients of the leaf and of the root")
                        .isEqualTo(2 * 8 + 8);
            }
        }
    }

    /** Has the gradient of 7a, and gives both inputs a new tensor. */
    private static final class Gives extends Operation {
        @Override
        protected Tensor forward(Tensor... inputs) {
            return inputs[0].copy();
        }

        @Override
        protected void backward(Tensor dy, Gradients gradients) {
            for (int i = 0; i < 2; i++) {
                gradients.give(i, Tensor.full(dy.device(), dy.dtype(), dy.shape(), 7, MemoryCategory.GRADIENTS));
            }
        }
    }

    @Test
    void gradientOfABroadcastOperandIsSummed() {
        Variable row = parameter("row", 1, 2, 3);
        Variable number = Variable.parameter("number", vector(2).reshape());
        Variable column = Variable.parameter("column", vector(5, 7).reshape(2, 1));
        row.add(column).multiply(number).sum().backward();
        assertThat(grad(row)).containsExactly(4, 4, 4);
        assertThat(grad(column)).containsExactly(6, 6);
        assertThat(grad(number)).containsExactly(2 * 6 + 3 * 12);
    }

    @Test
    void backwardThroughAFreedGraphNamesRetainGraph() {
        Variable x = parameter("x", 2);
        Variable trunk = x.multiply(x);
        trunk.sum().backward();
        assertThatThrownBy(() -> trunk.multiply(3).sum().backward())
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("'multiply'")
                .hasMessageContaining("backward(true)");
        assertThat(grad(x)).as("untouched by the failed pass").containsExactly(4);
    }

    @Test
    void retainedGraphGivesTheSameGradientAgain() {
        Variable x = parameter("x", 2, -1);
        Variable loss = x.multiply(x).multiply(x).sum();
        loss.backward(true);
        double[] once = grad(x);
        x.clearGrad();
        loss.backward(true);
        assertThat(grad(x)).containsExactly(once);
        loss.backward();
        assertThat(grad(x)).containsExactly(2 * once[0], 2 * once[1]);
    }

    @Test
    void gradientOfAFrozenLeafIsNotComputed() {
        Variable frozen = parameter("frozen", 1, 2);
        frozen.setRequiresGrad(false);
        Variable x = parameter("x", 3, 4);
        Asks asks = new Asks();
        Variable.apply(asks, x, frozen).sum().backward();
        assertThat(asks.wanted).containsExactly(true, false);
        assertThat(frozen.grad()).isNull();
        assertThat(grad(x)).containsExactly(1, 1);
        assertThat(frozen.multiply(constant(2, 2)).requiresGrad()).isFalse();
    }

    /** Records whose gradient is wanted; its writer fails if it is called. */
    private static final class Asks extends Operation {
        private final List<Boolean> wanted = new ArrayList<>();

        @Override
        protected Tensor forward(Tensor... inputs) {
            return inputs[0].copy();
        }

        @Override
        protected void backward(Tensor dy, Gradients gradients) {
            wanted.add(gradients.wanted(0));
            wanted.add(gradients.wanted(1));
            gradients.pass(0, dy);
            gradients.write(1, (_, _) -> {
                throw new AssertionError("the gradient of a frozen leaf was computed");
            });
        }
    }

    @Test
    void gradientsOfActivationsAreReleasedDuringThePass() {
        long ofOneGradient = 1000 * 8;
        assertThat(peakOfGradients(h -> h.tanh())).isLessThanOrEqualTo(3 * ofOneGradient);
        assertThat(peakOfGradients(h -> h.add(h.tanh()))).isLessThanOrEqualTo(4 * ofOneGradient);
        assertThat(peakOfGradients(h -> h.reshape(10, 100).tanh().reshape(1000).add(h)))
                .isLessThanOrEqualTo(4 * ofOneGradient);
    }

    /** The peak of gradient bytes in a network of 50 layers of 1,000 elements. */
    private static long peakOfGradients(UnaryOperator<Variable> layer) {
        Device device = new Device("reference", 0, new ReferenceBackend());
        MemoryLedger memory = device.backend().memory();
        Variable x =
                Variable.parameter("x", Tensor.full(device, DType.F64, Shape.of(1000), 0.5, MemoryCategory.WEIGHTS));
        long peak;
        try (Scope _ = Scope.open("step")) {
            Variable h = x;
            for (int i = 0; i < 50; i++) {
                h = layer.apply(h);
            }
            Variable loss = h.sum();
            // From here on only gradients and scratch are allocated, so the peak of the total is that of the gradients.
            memory.resetPeak();
            long before = memory.live();
            loss.backward();
            peak = memory.peak() - before;
            assertThat(memory.live(MemoryCategory.GRADIENTS)).isLessThanOrEqualTo(1000 * 8 + 8);
        }
        assertThat(grad(x)).as("outlives the scope").hasSize(1000);
        assertThat(memory.live(MemoryCategory.GRADIENTS)).isEqualTo(1000 * 8);
        assertThat(memory.live(MemoryCategory.ACTIVATIONS)).isZero();
        assertThat(memory.live(MemoryCategory.WORKSPACE)).isZero();
        return peak;
    }
}
