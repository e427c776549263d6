package io.gradus.autograd;

import io.gradus.core.Tensor;
import java.util.List;

/**
 * One application of a differentiable function. An instance belongs to one place in the graph: {@link #forward} keeps
 * in fields what {@link #backward} will need.
 *
 * <p>To add an operation, extend this class and call {@link Variable#apply}. Nothing else needs to know about it. For
 * {@code y = x³}, with {@code dy/dx = 3x²}:
 *
 * {@snippet :
 * class Cube extends Operation {
 *     private Tensor x; // the input's shape
 *
 *     @Override
 *     protected Tensor forward(Tensor... inputs) {
 *         x = inputs[0];
 *         return Autograd.noGrad(() -> Variable.constant(x).pow(3).value());
 *     }
 *
 *     @Override
 *     protected void backward(Tensor dy, Gradients gradients) {
 *         Variable slope = Variable.constant(x).pow(2).multiply(3);
 *         gradients.give(0, Autograd.noGrad(() -> slope.multiply(Variable.constant(dy)).value()));
 *     }
 * }
 *
 * Variable x = Variable.parameter("x", Tensor.of(new float[] {2}, 1));
 * Variable.apply(new Cube(), x).sum().backward(); // x.grad() is 12
 * GradientCheck.of(in -> Variable.apply(new Cube(), in[0]), x.value()).assertPasses();
 * }
 */
public abstract class Operation {
    private boolean recorded;

    /** Creates an operation, to be applied once. */
    protected Operation() {}

    /** The name in error messages and drawings of the graph: the class name, starting in lower case. */
    public String label() {
        String name = getClass().getSimpleName();
        return Character.toLowerCase(name.charAt(0)) + name.substring(1);
    }

    /** Whether this is part of a graph, so that {@link #backward} may follow {@link #forward}. */
    protected final boolean isRecorded() {
        return recorded;
    }

    /**
     * Computes the result.
     *
     * @param inputs the values of the variables that the operation is applied to
     * @return a new tensor, or a view of an input
     */
    protected abstract Tensor forward(Tensor... inputs);

    /**
     * Computes the gradient of each input that requires one.
     *
     * @param dy the gradient of the loss with respect to the result, of the result's shape; must not be modified
     * @param gradients receives the inputs' gradients, by the inputs' index
     */
    protected abstract void backward(Tensor dy, Gradients gradients);

    /**
     * {@link #backward(Tensor, Gradients)} for an operation that runs a nested pass, whose events the listeners
     * receive.
     */
    void backward(Tensor dy, Gradients gradients, List<BackwardListener> listeners) {
        backward(dy, gradients);
    }

    /**
     * Whether the operation reads an input of BF16 or F16 on every device, such as the weight of a matrix product. If
     * not, and if it does not {@linkplain #computesInHalf() compute} in that dtype, it gets the input converted to F32.
     */
    protected boolean readsHalf(int input) {
        return false;
    }

    /**
     * Whether the operation takes 16-bit inputs where the device {@linkplain io.gradus.core.Backend#computesIn computes} in
     * them. Its kernels then read operands of several dtypes and round each result to that of the tensor they write to.
     */
    protected boolean computesInHalf() {
        return true;
    }

    /**
     * Frees tensors that {@link #forward} created only for {@link #backward}, and that are neither an input nor the
     * result. The engine calls this once no backward pass can follow. Does nothing by default.
     */
    protected void release() {}

    /** Applies the operation, once. */
    final Tensor apply(boolean recorded, Tensor... inputs) {
        this.recorded = recorded;
        Tensor result = forward(inputs);
        if (!recorded) {
            release();
        }
        return result;
    }
}
