package io.gradus.autograd;

import io.gradus.autograd.GradientBuffers.Memory;
import io.gradus.core.GradientBuffer;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import java.util.ArrayList;
import java.util.List;

/** The gradients of one operation's inputs, while the pass visits it. */
final class InputGradients implements Gradients {
    private final List<Variable> inputs;
    private final GradientBuffers.Pending result;
    private final GradientBuffers buffers;
    private final List<BackwardListener> listeners;
    /** The variables whose buffer {@link #buffer} has returned. */
    private final List<Variable> handedOut = new ArrayList<>(0);

    private final List<Scratch> scratch = new ArrayList<>(0);

    /** @param result the gradient of the operation's result */
    InputGradients(
            List<Variable> inputs,
            GradientBuffers.Pending result,
            GradientBuffers buffers,
            List<BackwardListener> listeners) {
        this.inputs = inputs;
        this.result = result;
        this.buffers = buffers;
        this.listeners = listeners;
    }

    /** A gradient that is added to its variable's after the kernel has written it. */
    private record Scratch(Variable variable, Tensor gradient) {}

    @Override
    public boolean wanted(int input) {
        return inputs.get(input).requiresGrad();
    }

    @Override
    public void write(int input, Writer writer) {
        if (wanted(input)) {
            buffers.write(inputs.get(input), writer);
        }
    }

    @Override
    public void writeOnce(int input, Writer writer) {
        if (wanted(input)) {
            buffers.writeOnce(inputs.get(input), writer);
        }
    }

    @Override
    public void write(int input, Shape broadcastTo, Writer writer) {
        Variable variable = inputs.get(input);
        if (variable.shape().equals(broadcastTo)) {
            write(input, writer);
        } else if (wanted(input)) {
            Tensor gradient = GradientBuffers.empty(variable, broadcastTo);
            writer.write(gradient, false);
            buffers.add(variable, gradient);
            gradient.release();
        }
    }

    @Override
    public void pass(int input, Tensor gradient) {
        boolean view = gradient.storage() == result.gradient().storage();
        if (!view) {
            listeners.forEach(listener -> listener.borrowed(gradient));
        }
        if (wanted(input)) {
            buffers.pass(inputs.get(input), gradient, view ? result.memory() : Memory.borrowed(gradient));
        }
    }

    @Override
    public void give(int input, Tensor gradient) {
        Memory memory = Memory.owned(gradient);
        memory.hold(gradient);
        if (wanted(input)) {
            buffers.pass(inputs.get(input), gradient, memory);
        }
        memory.release();
    }

    @Override
    public GradientBuffer buffer(int input) {
        Variable variable = inputs.get(input);
        Tensor value = variable.value();
        boolean half =
                variable.isLeaf() && value.dtype().isHalf() && !value.backend().computesIn(value.dtype());
        if (wanted(input) && !half && !handedOut.contains(variable)) {
            handedOut.add(variable);
            return buffers.bufferOf(variable);
        }
        // The gradient is not wanted, or is stored in 16 bits that kernels do not write, or the kernel is about to
        // write
        // to the variable's own buffer for another input (as in self-attention of x on x).
        Tensor gradient = GradientBuffers.empty(variable, variable.shape());
        scratch.add(new Scratch(variable, gradient));
        return new GradientBuffer(gradient, false);
    }

    /** Adds up what the operation wrote to scratch. */
    void finish() {
        for (Scratch written : scratch) {
            if (written.variable.requiresGrad()) {
                buffers.add(written.variable, written.gradient);
            }
            written.gradient.release();
        }
    }
}
