package io.gradus.autograd;

import io.gradus.core.GradientBuffer;
import io.gradus.core.Tensor;
import java.util.Collection;
import java.util.IdentityHashMap;
import java.util.function.Consumer;

/**
 * Adds up the gradients of several backward passes, such as those of the batches of one optimizer step.
 *
 * <p>{@link Variable#backward()} adds to the gradients of earlier passes too, but each operation that reads a leaf adds its
 * contribution as soon as it is known: {@code ((earlier + a) + b)}. Here the gradient of a pass is complete before it is added:
 * {@code earlier + (a + b)}. So the sum has the same bits whether one process makes the passes one after the other, or several
 * processes make one each and add their gradients in order. The price is memory for the second gradient of each leaf while it is
 * incomplete.
 */
public final class GradientAccumulation {
    private GradientAccumulation() {}

    /**
     * {@link Variable#backwardAndRelease(Consumer)} whose gradients are added, when they are complete, to those that the leaves
     * already have.
     *
     * @param loss a scalar
     * @param leaves those whose gradients add up, such as all parameters
     * @param whenComplete called for each leaf on which the loss depends, when its gradient includes that of this pass
     */
    public static void backwardAndRelease(Variable loss, Collection<Variable> leaves, Consumer<Variable> whenComplete) {
        IdentityHashMap<Variable, Tensor> earlier = new IdentityHashMap<>();
        for (Variable leaf : leaves) {
            if (leaf.grad() != null) {
                earlier.put(leaf, leaf.takeGrad());
            }
        }
        loss.backwardAndRelease(leaf -> {
            Tensor sum = earlier.remove(leaf);
            if (sum != null) {
                add(leaf, sum);
            }
            whenComplete.accept(leaf);
        });
        earlier.forEach(Variable::setGrad); // of leaves that this pass did not reach
    }

    private static void add(Variable leaf, Tensor sum) {
        Tensor pass = leaf.takeGrad();
        add(pass, sum);
        pass.release();
        leaf.setGrad(sum);
    }

    /**
     * {@code sum = sum + pass}, rounded to the dtype of the two as gradients are.
     *
     * @param pass the gradient of one pass
     * @param sum of the gradients of earlier passes
     */
    public static void add(Tensor pass, Tensor sum) {
        HalfBuffers.writeOnce(new GradientBuffer(sum, true), (buffer, accumulate) -> {
            Tensor addend = pass.to(buffer.dtype());
            addend.kernels().elementwise().affine(addend, 1, 0, buffer, accumulate);
            if (addend != pass) {
                addend.release();
            }
        });
    }
}
