package io.gradus.autograd.op;

import io.gradus.autograd.Gradients;
import io.gradus.autograd.Operation;
import io.gradus.core.Shape;
import io.gradus.core.ShapeException;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.GemmKernels;
import io.gradus.core.kernel.GemmKernels.Epilogue;
import org.jspecify.annotations.Nullable;

/**
 * A long short-term memory over T steps (Hochreiter &amp; Schmidhuber 1997; PyTorch's {@code nn.LSTM}), each step for B rows:
 *
 * <pre>
 *   aₜ = xₜ·Wxᵀ + bx + hₜ₋₁·Whᵀ + bh        the sums that enter the gates i, f, g, o
 *   cₜ = σ(fₜ)·cₜ₋₁ + σ(iₜ)·tanh(gₜ)         hₜ = σ(oₜ)·tanh(cₜ)
 * </pre>
 *
 * The result is {@code [T + 1, B, H]}: h of every step, and then the last c.
 *
 * <p>The products of all x are one product; those of h wait for the step before. Backwards, {@code hₜ} leads to the loss
 * directly and through {@code aₜ₊₁}, and {@code cₜ} through hₜ and cₜ₊₁. The kernel computes from the sum of both what
 * arrives at the gates, {@code daₜ}, and at {@code cₜ₋₁}; the formulas are in
 * {@link io.gradus.core.kernel.LstmKernels#lstmCellBackward}. So from the last step to the first
 *
 * <pre>
 *   dhₜ = dyₜ + daₜ₊₁·Wh
 * </pre>
 *
 * and with the steps' rows below each other, since a is linear in all of its inputs,
 *
 * <pre>
 *   dx = da·Wx     dWx = daᵀ·x     dWh = daᵀ·(h₀, …, hₜ₋₁)     dbx = dbh = the sum of the rows of da     dh₀ = da₁·Wh
 * </pre>
 */
public final class Lstm extends Operation {
    private static final int X = 0;
    private static final int HIDDEN = 1;
    private static final int CELL = 2;
    private static final int INPUT_WEIGHT = 3;
    private static final int HIDDEN_WEIGHT = 4;
    private static final int INPUT_BIAS = 5;
    private static final int HIDDEN_BIAS = 6;

    private boolean biased;
    private Tensor x; // [T, B, I]
    private Tensor hidden; // [B, H], before the first step
    private Tensor cell; // [B, H], likewise
    private Tensor inputWeight; // [4H, I]
    private Tensor hiddenWeight; // [4H, H]
    private Tensor y; // [T + 1, B, H]
    private Tensor gates; // [T, B, 4H], σ(i), σ(f), tanh(g), σ(o)
    private Tensor cells; // [T − 1, B, H], c of all steps but the last

    /** Creates the operation. */
    public Lstm() {}

    /**
     * Takes x {@code [T, B, I]} of at least one step, h and c before it {@code [B, H]}, the weights {@code [4H, I]} and
     * {@code [4H, H]} and, if there are any, the two biases {@code [4H]}.
     */
    @Override
    protected Tensor forward(Tensor... inputs) {
        x = inputs[X];
        hidden = inputs[HIDDEN];
        cell = inputs[CELL];
        inputWeight = inputs[INPUT_WEIGHT];
        hiddenWeight = inputs[HIDDEN_WEIGHT];
        biased = inputs.length > INPUT_BIAS;
        checkShapes(biased ? inputs[INPUT_BIAS] : null, biased ? inputs[HIDDEN_BIAS] : null);
        Shape state = hidden.shape();
        long steps = steps();
        long width = state.get(1);
        y = x.emptyLike(Shape.of(steps + 1, state.get(0), width));
        gates = x.emptyLike(Shape.of(steps, state.get(0), 4 * width));
        cells = x.emptyLike(Shape.of(steps - 1, state.get(0), width));
        GemmKernels gemm = x.kernels().gemm();
        if (biased) {
            Tensor bias = Workspace.like(x, Shape.of(4 * width));
            x.kernels().elementwise().affine(inputs[INPUT_BIAS], 1, 0, bias, false);
            x.kernels().elementwise().affine(inputs[HIDDEN_BIAS], 1, 0, bias, true);
            gemm.matmul(rows(x), false, inputWeight, true, new Epilogue(bias, null), rows(gates));
            bias.release();
        } else {
            gemm.matmul(rows(x), false, inputWeight, true, rows(gates), false);
        }
        for (long step = 0; step < steps; step++) {
            gemm.matmul(hiddenBefore(step), false, hiddenWeight, true, at(gates, step), true);
            x.kernels().lstm().lstmCell(at(gates, step), cellBefore(step), cellAfter(step), at(y, step));
        }
        return y;
    }

    private long steps() {
        return x.shape().get(0);
    }

    private void checkShapes(@Nullable Tensor inputBias, @Nullable Tensor hiddenBias) {
        if (x.shape().rank() != 3 || x.shape().get(0) == 0) {
            throw new ShapeException("lstm", "the input is not [T, B, I] with at least one step", "reshape it", x);
        }
        long rows = x.shape().get(1);
        if (hidden.shape().rank() != 2 || hidden.shape().get(0) != rows) {
            throw new ShapeException(
                    "lstm", "the hidden state does not match the input", "pass a state [B, H]", x, hidden);
        }
        long width = hidden.shape().get(1);
        require(cell, hidden.shape(), "the cell state");
        require(inputWeight, Shape.of(4 * width, x.shape().get(2)), "the weight of the input");
        require(hiddenWeight, Shape.of(4 * width, width), "the weight of the hidden state");
        if (inputBias != null && hiddenBias != null) {
            require(inputBias, Shape.of(4 * width), "the bias of the input");
            require(hiddenBias, Shape.of(4 * width), "the bias of the hidden state");
        }
    }

    private void require(Tensor tensor, Shape expected, String what) {
        if (!tensor.shape().equals(expected)) {
            throw new ShapeException("lstm", what + " is not " + expected, "pass one of that shape", x, hidden, tensor);
        }
    }

    @Override
    protected boolean readsHalf(int input) {
        return input == INPUT_WEIGHT || input == HIDDEN_WEIGHT;
    }

    @Override
    protected boolean computesInHalf() {
        return false;
    }

    @Override
    protected void backward(Tensor dy, Gradients gradients) {
        Tensor dgates = Workspace.like(gates, gates.shape());
        Tensor dcell = Workspace.like(cell, cell.shape());
        throughSteps(dy, dcell, dgates);
        GemmKernels gemm = dy.kernels().gemm();
        gradients.write(X, (dx, add) -> gemm.matmul(rows(dgates), false, inputWeight, false, rows(dx), add));
        gradients.write(HIDDEN, (dh, add) -> gemm.matmul(at(dgates, 0), false, hiddenWeight, false, dh, add));
        gradients.write(CELL, (dc, add) -> dc.kernels().elementwise().affine(dcell, 1, 0, dc, add));
        gradients.write(INPUT_WEIGHT, (dw, add) -> gemm.matmul(rows(dgates), true, rows(x), false, dw, add));
        gradients.write(HIDDEN_WEIGHT, (dw, add) -> {
            gemm.matmul(at(dgates, 0), true, hidden, false, dw, add);
            if (steps() > 1) {
                Tensor later = rows(dgates.slice(1, steps()));
                gemm.matmul(later, true, rows(y.slice(0, steps() - 1)), false, dw, true);
            }
        });
        if (biased) {
            gradients.pass(INPUT_BIAS, dgates); // summed over steps and rows, like any broadcast operand
            gradients.pass(HIDDEN_BIAS, dgates);
        }
        dgates.release();
        dcell.release();
    }

    /** From the last step to the first: the gradients of all sums, and that of the first cell state. */
    private void throughSteps(Tensor dy, Tensor dcell, Tensor dgates) {
        var elementwise = dy.kernels().elementwise();
        Tensor dhidden = Workspace.like(hidden, hidden.shape());
        elementwise.affine(at(dy, steps()), 1, 0, dcell, false);
        for (long step = steps() - 1; step >= 0; step--) {
            elementwise.affine(at(dy, step), 1, 0, dhidden, false);
            if (step + 1 < steps()) {
                dy.kernels().gemm().matmul(at(dgates, step + 1), false, hiddenWeight, false, dhidden, true);
            }
            dy.kernels()
                    .lstm()
                    .lstmCellBackward(
                            at(gates, step), cellBefore(step), cellAfter(step), dhidden, dcell, at(dgates, step));
        }
        dhidden.release();
    }

    @Override
    protected void release() {
        gates.release();
        cells.release();
    }

    // ---- views ----

    private Tensor hiddenBefore(long step) {
        return step == 0 ? hidden : at(y, step - 1);
    }

    private Tensor cellBefore(long step) {
        return step == 0 ? cell : at(cells, step - 1);
    }

    private Tensor cellAfter(long step) {
        return step == steps() - 1 ? at(y, steps()) : at(cells, step);
    }

    /** One step of {@code [T, B, n]}: {@code [B, n]}. */
    private static Tensor at(Tensor steps, long step) {
        return steps.slice(step, step + 1)
                .reshape(steps.shape().get(1), steps.shape().get(2));
    }

    /** All steps below each other: {@code [T·B, n]}. */
    private static Tensor rows(Tensor steps) {
        return steps.reshape(
                steps.shape().get(0) * steps.shape().get(1), steps.shape().get(2));
    }
}
