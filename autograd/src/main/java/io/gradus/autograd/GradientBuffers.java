package io.gradus.autograd;

import io.gradus.core.DType;
import io.gradus.core.GradientBuffer;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import java.util.IdentityHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Where a backward pass adds up gradients. A leaf has a buffer of its own, {@link Variable#grad()}. The result of an
 * operation has a {@link Pending} gradient until the pass visits that operation.
 *
 * <p>Copies are avoided: the first complete gradient that arrives is used as it is, even if it is the gradient of
 * another variable or a view of it. Only when a second one arrives are the two added, in memory that nothing else
 * reads.
 */
final class GradientBuffers {
    private final IdentityHashMap<Variable, Pending> pending = new IdentityHashMap<>();

    /** The gradient of a variable whose operation is still to be visited. */
    record Pending(Tensor gradient, Memory memory) {

        /** Whether the gradient may be added to in place. */
        boolean isExclusive() {
            return memory.owned && memory.holders == 1;
        }
    }

    /** The memory of pending gradients. A gradient that was passed on shares that of the gradient it came from. */
    static final class Memory {
        private final Tensor tensor;
        private final boolean owned;
        private int holders;

        private Memory(Tensor tensor, boolean owned) {
            this.tensor = tensor;
            this.owned = owned;
        }

        /** Memory that the engine may write to, and frees when the last holder has released it. */
        static Memory owned(Tensor tensor) {
            return new Memory(tensor, true);
        }

        /** Memory that belongs to an operation or to the caller, and is only read. */
        static Memory borrowed(Tensor tensor) {
            return new Memory(tensor, false);
        }

        /** Adds a holder. */
        Pending hold(Tensor gradient) {
            holders++;
            return new Pending(gradient, this);
        }

        /** Removes a holder. */
        void release() {
            holders--;
            if (holders == 0 && owned) {
                tensor.release();
            }
        }
    }

    /** Starts at the root. */
    void begin(Variable root, Tensor gradient) {
        pending.put(root, Memory.borrowed(gradient).hold(gradient));
    }

    /** The complete gradient of a variable that is about to be visited; null if none was written. */
    @Nullable Pending remove(Variable variable) {
        return pending.remove(variable);
    }

    /**
     * Uses a gradient as it is if it is the first one of a variable and of its shape, and adds it otherwise.
     *
     * @param memory the memory that the gradient is in
     */
    void pass(Variable variable, Tensor gradient, Memory memory) {
        boolean complete = gradient.shape().equals(variable.shape()) && gradient.dtype() == dtype(variable);
        if (complete && !variable.isLeaf() && !pending.containsKey(variable)) {
            pending.put(variable, memory.hold(gradient));
        } else {
            add(variable, gradient);
        }
    }

    /** Adds a gradient to a variable's, summing over the axes along which the variable was broadcast. */
    void add(Variable variable, Tensor gradient) {
        writeOnce(variable, (buffer, accumulate) -> add(gradient, buffer, accumulate));
    }

    /** Lets kernels write to a variable's gradient. */
    void write(Variable variable, Gradients.Writer writer) {
        GradientBuffer buffer = bufferOf(variable);
        if (variable.isLeaf()) {
            HalfBuffers.write(buffer, writer);
        } else {
            writer.write(buffer.gradient(), buffer.accumulate());
        }
    }

    /** Lets a kernel that writes each element once write to a variable's gradient. */
    void writeOnce(Variable variable, Gradients.Writer writer) {
        HalfBuffers.writeOnce(bufferOf(variable), writer);
    }

    /** The buffer in which a variable's gradient is added up. */
    GradientBuffer bufferOf(Variable variable) {
        if (variable.isLeaf()) {
            return variable.gradientBuffer();
        }
        Pending present = pending.get(variable);
        if (present != null && present.isExclusive()) {
            return new GradientBuffer(present.gradient, true);
        }
        Tensor buffer = Tensor.empty(variable.device(), dtype(variable), variable.shape(), MemoryCategory.GRADIENTS);
        pending.put(variable, Memory.owned(buffer).hold(buffer));
        if (present == null) {
            return new GradientBuffer(buffer, false);
        }
        add(present.gradient, buffer, false);
        present.memory.release();
        return new GradientBuffer(buffer, true);
    }

    /** The dtype of the gradient of an operation's result: that of the result, if the device computes in it. */
    private static DType dtype(Variable variable) {
        DType own = variable.value().dtype();
        return variable.value().backend().computesIn(own) ? own : own.computed();
    }

    /** An undefined gradient of a variable, or of the shape that the variable was broadcast to, not rounded to 16 bits. */
    static Tensor empty(Variable variable, Shape shape) {
        DType dtype = variable.value().dtype().computed();
        return Tensor.empty(variable.device(), dtype, shape, MemoryCategory.GRADIENTS);
    }

    /** Adds to {@link Variable#grad()}. */
    static void addToStored(Variable variable, Tensor gradient) {
        HalfBuffers.writeOnce(variable.gradientBuffer(), (buffer, accumulate) -> add(gradient, buffer, accumulate));
    }

    private static void add(Tensor gradient, Tensor buffer, boolean accumulate) {
        if (gradient.shape().equals(buffer.shape())) {
            gradient.kernels().elementwise().affine(gradient, 1, 0, buffer, accumulate);
        } else {
            gradient.kernels().reduction().sumTo(gradient, buffer, accumulate);
        }
    }
}
