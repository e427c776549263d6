package io.gradus.autograd;

import static io.gradus.autograd.OnReference.constant;
import static io.gradus.autograd.OnReference.grad;
import static io.gradus.autograd.OnReference.parameter;
import static io.gradus.autograd.OnReference.vector;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.core.AttentionOptions;
import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.MemoryLedger;
import io.gradus.core.Philox;
import io.gradus.core.Scope;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.core.reference.ReferenceBackend;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** A releasing backward pass frees every value it no longer needs, and changes no gradient. */
class IntermediateValuesTest {

    @Test
    void releasingLowersThePeakAndKeepsTheGradients() {
        Network kept = new Network();
        Network released = new Network();
        long peakWhenKept = kept.train(Variable::backward);
        long peakWhenReleased = released.train(Variable::backwardAndRelease);
        for (int i = 0; i < kept.weights.size(); i++) {
            assertThat(grad(released.weights.get(i))).containsExactly(grad(kept.weights.get(i)));
        }
        // After the forward pass all values are in memory; gradients then take their place instead of adding to them.
        assertThat(peakWhenReleased - released.afterForward).isLessThan((peakWhenKept - kept.afterForward) / 4);
        assertThat(released.afterBackward)
                .as("weights, their gradients, the input, the loss and the gradient it starts from")
                .isEqualTo(2 * released.weightBytes() + 8 * 8 * 16 + 2 * 8);
    }

    /** Twelve blocks of attention and a gated MLP, of width 16, for one sequence of 8 tokens. */
    private static final class Network {
        private final Device device = new Device("reference", 0, new ReferenceBackend());
        private final MemoryLedger memory = device.backend().memory();
        private final List<Variable> weights = new ArrayList<>();
        private long afterForward;
        private long afterBackward;

        Network() {
            for (int i = 0; i < 12; i++) {
                weight(16);
                weight(48, 16);
                weight(48);
                weight(16, 16);
                weight(16);
                weight(64, 16);
                weight(16, 32);
            }
        }

        private void weight(long... shape) {
            double[] elements = new double[(int) Shape.of(shape).size()];
            Philox.Key key = new Philox.Key(weights.size(), 0, 0);
            Arrays.setAll(elements, i -> Philox.nextDouble(key, i) - 0.5);
            weights.add(Variable.parameter("weight " + weights.size(), Tensor.of(device, elements, shape)));
        }

        private Variable block(Variable x, List<Variable> w) {
            List<Variable> qkv = x.rmsNorm(w.get(0), 1e-5)
                    .linear(w.get(1), w.get(2))
                    .reshape(1, 8, 6, 8)
                    .split(2, 2, 2, 2);
            Variable attended = qkv.get(0).attention(qkv.get(1), qkv.get(2), new AttentionOptions(true, null, 0.35));
            x = x.add(attended.reshape(1, 8, 16).linear(w.get(3), null, false));
            List<Variable> gateAndUp =
                    x.rmsNorm(w.get(4), 1e-5).linear(w.get(5), null).split(-1, 32, 32);
            return x.add(Variable.swiglu(gateAndUp.get(0), gateAndUp.get(1)).linear(w.get(6), null));
        }

        /** The peak of bytes in use; the scope is closed afterwards. */
        long train(Consumer<Variable> backward) {
            try (Scope _ = Scope.open("step")) {
                double[] elements = new double[8 * 16];
                Arrays.setAll(elements, i -> Math.sin(i));
                Variable x = Variable.constant(Tensor.of(device, elements, 1, 8, 16));
                for (int i = 0; i < 12; i++) {
                    x = block(x, weights.subList(7 * i, 7 * i + 7));
                }
                int[] targets = {1, 3, 5, 7, 9, 11, 13, 15};
                Variable loss = x.crossEntropy(Tensor.of(device, targets, 1, 8));
                afterForward = memory.live();
                memory.resetPeak();
                backward.accept(loss);
                afterBackward = memory.live() - 8 * 4; // the targets
                assertThat(loss.item()).isPositive();
                return memory.peak();
            }
        }

        long weightBytes() {
            return weights.stream().mapToLong(w -> w.value().byteSize()).sum();
        }
    }

    @Test
    void releasingKeepsTheGradientsOfRandomGraphsBitForBit() {
        for (int seed = 0; seed < 300; seed++) {
            Philox.Key key = new Philox.Key(seed, 0, 0);
            Variable[] kept = inputs();
            Variable[] released = inputs();
            randomGraph(key, kept).backward();
            randomGraph(key, released).backwardAndRelease();
            for (int i = 0; i < kept.length; i++) {
                assertThat(released[i].grad() == null).isEqualTo(kept[i].grad() == null);
                if (kept[i].grad() != null) {
                    assertThat(grad(released[i])).as("seed %d", seed).containsExactly(grad(kept[i]));
                }
                assertThat(released[i].value().toDoubles())
                        .containsExactly(kept[i].value().toDoubles());
            }
        }
    }

    private static Variable[] inputs() {
        return new Variable[] {
            Variable.parameter("a", vector(0.3, -0.7, 0.2, 0.9, 0.1, -0.4).reshape(2, 3)),
            Variable.parameter("b", vector(0.6, -0.2, 0.8, -0.5, 0.7, 0.4).reshape(2, 3)),
            Variable.constant(vector(0.1, 0.2, 0.3, 0.4, 0.5, 0.6).reshape(2, 3)),
        };
    }

    /** A graph with many views, and with variables that are read several times or not at all. */
    private static Variable randomGraph(Philox.Key key, Variable... inputs) {
        List<Variable> made = new ArrayList<>(List.of(inputs));
        int draw = 0;
        for (int i = 0; i < 16; i++) {
            Variable a = made.get(Philox.below(key, draw++, made.size()));
            Variable b = made.get(Philox.below(key, draw++, made.size()));
            made.add(
                    switch (Philox.below(key, draw++, 9)) {
                        case 0 -> a.add(b);
                        case 1 -> a.multiply(b).tanh();
                        case 2 -> a.reshape(6).reshape(2, 3);
                        case 3 -> a.slice(0, 0, 1).add(b);
                        case 4 -> Variable.concat(0, a.split(0, 1, 1).reversed());
                        case 5 -> Variable.concat(1, List.of(a.split(1, 1, 2).get(1), b.slice(1, 0, 1)));
                        case 6 -> a.multiply(b.detach());
                        case 7 -> Variable.swiglu(a, b);
                        default -> a.softmax(-1);
                    });
        }
        return made.getLast().add(made.get(made.size() - 2)).multiply(inputs[0]).sum();
    }

    @Test
    void readingAReleasedValueNamesBackward() {
        Variable x = parameter("x", 2, 3);
        Variable h = x.multiply(x);
        Tensor early = h.detach().value();
        h.exp().sum().backwardAndRelease();
        assertThatThrownBy(() -> h.value().toDoubles())
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContainingAll("[2]", "backwardAndRelease()", "call backward()", "retainGrad()");
        assertThatThrownBy(early::toDoubles).hasMessageContaining("backwardAndRelease()");
        assertThat(h + "").startsWith("multiply F64 [2]");
    }

    @Test
    void leavesRootAndRetainedVariablesKeepTheirValues() {
        Variable x = parameter("x", 2, 3);
        Variable data = constant(5, 7);
        Variable h = x.multiply(data);
        Variable kept = h.exp().retainGrad();
        Variable loss = kept.log().sum();
        loss.backwardAndRelease();
        assertThat(x.value().toDoubles()).containsExactly(2, 3);
        assertThat(data.value().toDoubles()).containsExactly(5, 7);
        assertThat(kept.value().toDoubles()).containsExactly(Math.exp(10), Math.exp(21));
        assertThat(grad(kept)).hasSize(2);
        assertThat(loss.item()).isEqualTo(31);
        assertThat(grad(x)).containsExactly(5, 7);
        assertThatThrownBy(() -> h.value().toDoubles()).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void viewsOfALeafOrTheRootKeepTheirValues() {
        Variable x = parameter("x", 2, 3);
        x.reshape(2, 1).slice(0, 1, 2).reshape(1).exp().sum().backwardAndRelease();
        assertThat(x.value().toDoubles()).containsExactly(2, 3);
        Variable whole = x.multiply(x);
        Variable loss = whole.slice(0, 0, 1).reshape();
        loss.backwardAndRelease();
        assertThat(loss.item()).isEqualTo(4);
        assertThat(whole.value().toDoubles()).containsExactly(4, 9);
    }

    @Test
    void valueIsKeptUntilItsViewWasVisited() {
        Variable x = parameter("x", 2, 3);
        Variable h = x.multiply(x);
        Variable late = h.exp(); // reads the memory of the view after the view's own reader was visited
        h.reshape(2, 1).multiply(2).reshape(2).add(late).sum().backwardAndRelease();
        assertThat(grad(x)).containsExactly(4 * (2 + Math.exp(4)), 6 * (2 + Math.exp(9)));
        assertThatThrownBy(() -> h.value().toDoubles()).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void detachedValueThatTheGraphReadsIsKept() {
        Variable x = parameter("x", 2, 3);
        Variable h = x.multiply(x);
        Variable constant = h.detach();
        h.multiply(constant).sum().backwardAndRelease();
        assertThat(grad(x)).containsExactly(2 * 2 * 4, 2 * 3 * 9);
        assertThat(constant.value().toDoubles()).containsExactly(4, 9);
    }

    @Test
    void tensorPassedOnAsAGradientIsKept() {
        Variable x = parameter("x", 2, 3);
        Variable h = x.multiply(x);
        Variable.apply(new PassesItsInput(), h.reshape(2)).sum().backwardAndRelease();
        assertThat(grad(x)).containsExactly(2 * 2 * 4, 2 * 3 * 9);
    }

    /** Passes its input on as the gradient. */
    private static final class PassesItsInput extends Operation {
        private Tensor x;

        @Override
        protected Tensor forward(Tensor... inputs) {
            x = inputs[0];
            return x.copy();
        }

        @Override
        protected void backward(Tensor dy, Gradients gradients) {
            gradients.pass(0, x);
        }
    }

    @Test
    void backwardAndReleaseOfALeafWorksAndOfAFreedGraphFails() {
        Variable x = parameter("x", 3);
        x.backwardAndRelease();
        assertThat(grad(x)).containsExactly(1);
        x.multiply(x).sum().backwardAndRelease();
        assertThat(grad(x)).containsExactly(1 + 6);
        Variable loss = x.multiply(x).sum();
        loss.backwardAndRelease();
        assertThatThrownBy(loss::backwardAndRelease).hasMessageContaining("freed");
        assertThatThrownBy(() -> parameter("y", 1, 2).exp().backwardAndRelease())
                .hasMessageContaining("not a scalar");
    }

    @Test
    void tensorsKeptForBackwardAreReleasedWithTheGraph() {
        for (boolean recorded : new boolean[] {true, false}) {
            Device device = new Device("reference", 0, new ReferenceBackend());
            MemoryLedger memory = device.backend().memory();
            Tensor ones = Tensor.full(device, DType.F64, Shape.of(1, 5, 1, 4), 1, MemoryCategory.WEIGHTS);
            Tensor weight = Tensor.full(device, DType.F64, Shape.of(4), 1, MemoryCategory.WEIGHTS);
            Variable x = recorded ? Variable.parameter("x", ones) : Variable.constant(ones);
            Variable w = Variable.constant(weight);
            try (Scope _ = Scope.open("step")) {
                Variable h = x.layerNorm(w, null, 1e-5)
                        .rmsNorm(w, 1e-5)
                        .attention(x, x, new AttentionOptions(true, null, 1));
                long results = 3 * ones.byteSize();
                if (recorded) {
                    assertThat(memory.live(MemoryCategory.ACTIVATIONS)).isGreaterThan(results);
                    h.sum().backward();
                    results += 8;
                }
                assertThat(memory.live(MemoryCategory.ACTIVATIONS)).isEqualTo(results);
                assertThat(h.value().toDoubles()).hasSize(20);
            }
        }
    }
}
