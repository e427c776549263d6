package io.gradus.core.kernel;

import io.gradus.core.Tensor;

/**
 * One step of a long short-term memory (Hochreiter &amp; Schmidhuber 1997, with the forget gate of Gers, Schmidhuber &amp; Cummins
 * 2000), after the matrix products: the nonlinearities of the gates and the update of the state, in one visit to each row.
 *
 * <p>A row has H units. The gates are side by side in PyTorch's order i, f, g, o, each of length H.
 */
public interface LstmKernels {

    /**
     * {@code c′ = σ(f)·c + σ(i)·tanh(g)} and {@code h = σ(o)·tanh(c′)}.
     *
     * @param gates {@code [B, 4H]}: the sums that enter the gates, replaced by σ(i), σ(f), tanh(g), σ(o)
     * @param cell {@code [B, H]}: c, the cell state before the step
     * @param nextCell {@code [B, H]}: c′, written
     * @param hidden {@code [B, H]}: h, written
     */
    void lstmCell(Tensor gates, Tensor cell, Tensor nextCell, Tensor hidden);

    /**
     * The gradients. With the gates a = σ(i), b = σ(f), u = tanh(g), v = σ(o), and t = tanh(c′):
     *
     * <pre>
     *   δ = dc′ + dh·v·(1 − t²)      the gradient of c′, also through h
     *   di = δ·u·a·(1 − a)    df = δ·c·b·(1 − b)    dg = δ·a·(1 − u²)    do = dh·t·v·(1 − v)
     *   dc = δ·b
     * </pre>
     *
     * @param gates as {@link #lstmCell} left them; likewise {@code nextCell}
     * @param dhidden {@code [B, H]}: dh
     * @param dcell {@code [B, H]}: dc′, replaced by dc
     * @param dgates {@code [B, 4H]}: di, df, dg, do, the gradients of the sums, written
     */
    void lstmCellBackward(Tensor gates, Tensor cell, Tensor nextCell, Tensor dhidden, Tensor dcell, Tensor dgates);
}
