package io.gradus.autograd.op;

import io.gradus.autograd.Gradients;
import io.gradus.autograd.Operation;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.ElementwiseKernels.Binary;
import io.gradus.core.kernel.ElementwiseKernels.Unary;

/**
 * The binary cross-entropy of each logit x and the probability t that its class is present, with {@code p = σ(x)}:
 *
 * <pre>
 *   y = −t·ln p − (1 − t)·ln(1 − p)
 * </pre>
 *
 * <p>With {@code −ln σ(x) = ln(1 + e⁻ˣ)} and {@code −ln(1 − σ(x)) = x + ln(1 + e⁻ˣ)} this is
 * {@code x − x·t + ln(1 + e⁻ˣ)}. For negative x the exponential could overflow; {@code ln(1 + e⁻ˣ) = −x + ln(1 + eˣ)}
 * avoids that, and in both cases
 *
 * <pre>
 *   y = max(x, 0) − x·t + ln(1 + e^{−|x|})
 * </pre>
 *
 * <p>The derivative of {@code x − x·t + ln(1 + e⁻ˣ)} with respect to x is {@code 1 − t − e⁻ˣ/(1 + e⁻ˣ) = σ(x) − t}, so
 *
 * <pre>
 *   dx = dy ⊙ (σ(x) − t)        dt = −dy ⊙ x
 * </pre>
 */
public final class BinaryCrossEntropy extends Operation {
    private Tensor x; // of the shape of y
    private Tensor target; // t, of the shape of y

    @Override
    public String label() {
        return "binaryCrossEntropyWithLogits";
    }

    /** Takes x and t, of one shape. */
    @Override
    protected Tensor forward(Tensor... inputs) {
        x = inputs[0];
        target = inputs[1];
        ElementLoss.requireSameShape(label(), x, target);
        var kernels = x.kernels().elementwise();
        Tensor y = x.emptyLike(x.shape());
        Tensor part = Workspace.like(x, x.shape());
        kernels.unary(Unary.ABS, x, part);
        kernels.affine(part, -1, 0, part, false);
        kernels.unary(Unary.EXP, part, part);
        kernels.affine(part, 1, 1, part, false);
        kernels.unary(Unary.LOG, part, y); // ln(1 + e^{−|x|})
        kernels.unary(Unary.RELU, x, part);
        kernels.affine(part, 1, 0, y, true); // + max(x, 0)
        kernels.binary(Binary.MULTIPLY, x, target, part, false);
        kernels.affine(part, -1, 0, y, true); // − x·t
        part.release();
        return y;
    }

    @Override
    protected boolean computesInHalf() {
        return false;
    }

    @Override
    protected void backward(Tensor dy, Gradients gradients) {
        var kernels = dy.kernels().elementwise();
        gradients.write(0, (dx, add) -> {
            Tensor probability = Workspace.like(x, x.shape());
            Tensor difference = Workspace.like(x, x.shape());
            kernels.unary(Unary.SIGMOID, x, probability);
            kernels.binary(Binary.SUBTRACT, probability, target, difference, false);
            kernels.binary(Binary.MULTIPLY, dy, difference, dx, add);
            probability.release();
            difference.release();
        });
        gradients.write(1, (dt, add) -> {
            Tensor negative = Workspace.like(dy, dy.shape());
            kernels.affine(dy, -1, 0, negative, false);
            kernels.binary(Binary.MULTIPLY, negative, x, dt, add);
            negative.release();
        });
    }
}
