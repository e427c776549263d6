package io.gradus.nn;

import io.gradus.autograd.Checkpoint;
import io.gradus.autograd.Variable;
import io.gradus.core.AttentionOptions;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Philox;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Scaled dot-product attention whose probabilities are dropped in training (Vaswani et al. 2017, section 5.4): with M from
 * {@link Dropout},
 *
 * <pre>
 *   O = (M ⊙ softmax(scale·Q·Kᵀ))·V
 * </pre>
 *
 * <p>The attention kernel never has all probabilities in memory, so it cannot drop any. In training they are computed here, for
 * one row of the batch at a time, and again in the backward pass: slower, and with memory for the probabilities of one row.
 */
public final class AttentionDropout extends Module {
    /** Above the numbers of all dropout layers; each row of a batch adds a multiple of it. */
    private static final int ROW = 1 << 16;

    private static final double HIDDEN = -1e30;

    private final Dropout dropout;

    /**
     * @param p from 0 to 1
     * @param layer a number that no other dropout layer of the model has, below 65,536
     */
    public AttentionDropout(double p, int layer) {
        this.dropout = register("dropout", new Dropout(p, 0, layer));
    }

    /**
     * @param q {@code [B, T, H, D]}
     * @param k {@code [B, S, G, D]}, where G divides H
     * @param v {@code [B, S, G, D]}
     * @return {@code [B, T, H, D]}
     */
    public Variable forward(Variable q, Variable k, Variable v, AttentionOptions options) {
        if (!isTraining()) {
            return q.attention(k, v, options);
        }
        Philox.Key key = dropout.key(dropout.nextCall());
        List<Variable> rows = new ArrayList<>();
        for (int b = 0; b < q.shape().get(0); b++) {
            int row = b;
            Philox.Key own = new Philox.Key(key.seed(), key.step(), key.place() + b * ROW);
            rows.add(Checkpoint.apply(
                    inputs -> attend(inputs.get(0), inputs.get(1), inputs.get(2), options, row, own),
                    q.slice(0, b, b + 1),
                    k.slice(0, b, b + 1),
                    v.slice(0, b, b + 1)));
        }
        return Variable.concat(0, rows);
    }

    /** One row of the batch: {@code [1, T, H, D]}. The query heads of a key-value head are one matrix. */
    private Variable attend(Variable q, Variable k, Variable v, AttentionOptions options, int row, Philox.Key key) {
        long t = q.shape().get(1);
        long heads = q.shape().get(2);
        long width = q.shape().get(3);
        long s = k.shape().get(1);
        long groups = k.shape().get(2);
        Variable queries = q.permute(0, 2, 1, 3).reshape(groups, heads / groups * t, width);
        Variable keys = k.permute(0, 2, 1, 3).reshape(groups, s, width);
        Variable values = v.permute(0, 2, 1, 3).reshape(groups, s, width);
        Variable products =
                queries.matmul(keys, false, true).multiply(options.scale()).reshape(heads, t, s);
        double softcap = options.softcap();
        Variable scores = softcap == 0 ? products : products.softcap(softcap);
        Tensor seen = seen(q, (int) t, (int) s, options, row);
        Variable probabilities =
                Variable.where(seen, scores, number(HIDDEN, scores)).softmax(-1);
        if (options.attentionMask() != null) { // a query may see nothing, and then its result is 0
            probabilities = Variable.where(seen, probabilities, number(0, scores));
        }
        return dropout.drop(probabilities, key)
                .reshape(groups, heads / groups * t, s)
                .matmul(values)
                .reshape(1, heads, t, width)
                .permute(0, 2, 1, 3);
    }

    private static Variable number(double value, Variable like) {
        Tensor tensor = like.value();
        return Variable.constant(
                Tensor.full(tensor.device(), tensor.dtype(), Shape.scalar(), value, MemoryCategory.WORKSPACE));
    }

    /** For each query of a row and each key 1 if it is attended to, else 0: I32 {@code [1, T, S]}. */
    private static Tensor seen(Variable q, int t, int s, AttentionOptions options, int row) {
        int[] padding = row(options.attentionMask(), row);
        int[] starts = row(options.documentStarts(), row);
        int[] seen = new int[t * s];
        for (int query = 0; query < t; query++) {
            int window = options.firstKey(query, t, s);
            int first = starts.length == 0 ? window : Math.max(window, starts[query]);
            for (int key = first; key < options.endOfKeys(query, t, s); key++) {
                seen[query * s + key] = padding.length == 0 || padding[key] != 0 ? 1 : 0;
            }
        }
        return Tensor.of(q.device(), seen, 1, t, s);
    }

    private static int[] row(@Nullable Tensor rows, int row) {
        return rows == null ? new int[0] : rows.slice(row, row + 1).toInts();
    }
}
