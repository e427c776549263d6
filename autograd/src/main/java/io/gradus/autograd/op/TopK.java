package io.gradus.autograd.op;

import io.gradus.autograd.Gradients;
import io.gradus.autograd.Operation;
import io.gradus.autograd.Variable;
import io.gradus.core.DType;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Shape;
import io.gradus.core.ShapeException;
import io.gradus.core.Tensor;

/**
 * The k largest elements along an axis, in descending order.
 *
 * <p>Each result is a copy of one element of x. So the gradient of a result goes to the element at its index, and all
 * other elements get 0.
 */
public final class TopK extends Operation {
    private final long k;
    private final int axis;
    private int along; // the axis, from 0
    private Tensor indices; // I32, of the shape of y

    /** Creates the operation. */
    public TopK(long k, int axis) {
        this.k = k;
        this.axis = axis;
    }

    /**
     * The k largest elements.
     *
     * @param values in descending order along the axis
     * @param indices I32, the index of each value along the axis
     */
    public record Result(Variable values, Tensor indices) {}

    /** Applies the operation. */
    public static Result of(Variable x, long k, int axis) {
        TopK operation = new TopK(k, axis);
        Variable values = Variable.apply(operation, x);
        return new Result(values, operation.indices);
    }

    @Override
    public String label() {
        return "topk";
    }

    @Override
    protected Tensor forward(Tensor... inputs) {
        Tensor x = inputs[0];
        Shape shape = x.shape();
        along = x.axis(label(), axis);
        if (k < 0 || k > shape.get(along)) {
            throw new ShapeException(
                    label(), "axis " + axis + " does not have " + k + " elements", "choose a smaller k", x);
        }
        Tensor y = x.emptyLike(shape.with(along, k));
        indices = Tensor.empty(x.device(), DType.I32, y.shape(), MemoryCategory.ACTIVATIONS);
        x.kernels().scan().topk(x, along, y, indices);
        return y;
    }

    @Override
    protected void backward(Tensor dy, Gradients gradients) {
        gradients.write(0, (dx, add) -> dy.kernels().movement().gatherBackward(indices, along, dy, dx, add));
    }
}
