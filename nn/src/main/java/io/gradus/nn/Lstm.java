package io.gradus.nn;

import io.gradus.autograd.Variable;
import io.gradus.core.DType;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * A long short-term memory (Hochreiter &amp; Schmidhuber 1997) of one layer, like {@code torch.nn.LSTM}: the same names, the gates
 * in its order i, f, g, o, and two biases that are added. The steps come first: {@code [T, B, in]}.
 *
 * {@snippet :
 * Lstm layer = new Lstm(8, 4);
 * Variable x = Variable.constant(Tensor.of(new float[5 * 3 * 8], 5, 3, 8));
 * Lstm.Output output = layer.forward(x, null);
 * Variable y = output.hidden(); // [5, 3, 4]
 * Lstm.Output later = layer.forward(x, output.state()); // continues where the first call ended
 * }
 */
public final class Lstm extends Module {
    private final Variable weightIh;
    private final Variable weightHh;
    private final Variable biasIh;
    private final Variable biasHh;
    private final @Nullable Dropout weightDrop;

    /** A layer on the CPU, initialized like {@code torch.nn.LSTM}: see {@link WeightSource#manualSeed}. */
    public Lstm(long in, long units) {
        this(WeightSource.defaults(), in, units, null);
    }

    /**
     * A layer initialized like {@code torch.nn.LSTM}: all parameters are uniform in {@code ±1/√units}.
     *
     * @param weights provides {@code weight_ih_l0}, {@code [4·units, in]}, {@code weight_hh_l0}, {@code [4·units, units]}, and
     *     {@code bias_ih_l0} and {@code bias_hh_l0}, {@code [4·units]}
     * @param weightDrop drops weights between the hidden states of two steps, the same in all steps of a call (DropConnect,
     *     as in Merity, Keskar &amp; Socher 2017, section 2); or null
     */
    public Lstm(WeightSource weights, long in, long units, @Nullable Dropout weightDrop) {
        Initializer uniform = Initializer.uniform(1 / Math.sqrt(units));
        this.weightIh = register(weights.parameter("weight_ih_l0", Shape.of(4 * units, in), uniform));
        this.weightHh = register(weights.parameter("weight_hh_l0", Shape.of(4 * units, units), uniform));
        this.biasIh = register(weights.parameter("bias_ih_l0", Shape.of(4 * units), uniform));
        this.biasHh = register(weights.parameter("bias_hh_l0", Shape.of(4 * units), uniform));
        this.weightDrop = weightDrop == null ? null : register("weight_drop", weightDrop);
    }

    /**
     * What the layer remembers between two steps.
     *
     * @param hidden {@code [B, units]}
     * @param cell {@code [B, units]}
     */
    public record State(Variable hidden, Variable cell) {}

    /**
     * The result for T steps.
     *
     * @param hidden {@code [T, B, units]}: the hidden states after each step
     * @param state after the last step
     */
    public record Output(Variable hidden, State state) {}

    /**
     * Runs the layer.
     *
     * @param x {@code [T, B, in]}, at least one step
     * @param state before the first step; null for zeros
     */
    public Output forward(Variable x, @Nullable State state) {
        long steps = x.shape().get(0);
        var parts = steps(x, state).split(0, steps, 1);
        Variable hidden = parts.getFirst();
        long[] shape = {x.shape().get(1), units()};
        return new Output(
                hidden,
                new State(
                        hidden.slice(0, steps - 1, steps).reshape(shape),
                        parts.getLast().reshape(shape)));
    }

    /**
     * {@link #forward} with a result in one tensor, {@code [T + 1, B, units]}: the hidden states of all steps, and then the cell
     * state of the last.
     */
    public Variable steps(Variable x, @Nullable State state) {
        Variable weight = weightDrop == null ? weightHh : weightDrop.forward(weightHh);
        State before = state != null ? state : zeros(x);
        return x.lstm(before.hidden(), before.cell(), weightIh, weight, biasIh, biasHh);
    }

    private State zeros(Variable x) {
        DType dtype = x.value().dtype().computed();
        Variable zeros = Variable.constant(
                Tensor.zeros(x.device(), dtype, Shape.of(x.shape().get(1), units()), MemoryCategory.ACTIVATIONS));
        return new State(zeros, zeros);
    }

    /** The elements of a hidden state. */
    public long units() {
        return weightHh.shape().get(1);
    }

    @Override
    protected String extraRepr() {
        return weightIh.shape().get(1) + ", " + units();
    }
}
