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
 * one text at a time, and again in the backward pass: slower, and with memory for the probabilities of one text. A text is a row of
 * the batch, or one of those that share the only row.
 */
public final class AttentionDropout extends Module {
    /** Above the numbers of all dropout layers; each text of a batch adds a multiple of it. */
    private static final int TEXT = 1 << 16;

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
        Shape shape = q.shape();
        List<Integer> lengths = options.textLengths();
        long rows = shape.get(0);
        // The tokens of all texts, one after the other: slices of them are views.
        Variable queries = q.reshape(rows * shape.get(1), shape.get(2), shape.get(3));
        Variable keys =
                k.reshape(rows * k.shape().get(1), k.shape().get(2), k.shape().get(3));
        Variable values =
                v.reshape(rows * v.shape().get(1), v.shape().get(2), v.shape().get(3));
        List<Variable> results = new ArrayList<>();
        long t0 = 0;
        long s0 = 0;
        for (int i = 0; i < (lengths == null ? rows : lengths.size()); i++) {
            int text = i;
            long t = lengths == null ? shape.get(1) : lengths.get(i);
            long s = lengths == null ? k.shape().get(1) : lengths.get(i);
            Philox.Key own = new Philox.Key(key.seed(), key.step(), key.place() + i * TEXT);
            results.add(Checkpoint.apply(
                    inputs -> attend(inputs.get(0), inputs.get(1), inputs.get(2), options, text, own),
                    queries.slice(0, t0, t0 + t),
                    keys.slice(0, s0, s0 + s),
                    values.slice(0, s0, s0 + s)));
            t0 += t;
            s0 += s;
        }
        return Variable.concat(0, results).reshape(shape.toArray());
    }

    /** One text: {@code [T, H, D]}. The query heads of a key-value head are one matrix. */
    private Variable attend(Variable q, Variable k, Variable v, AttentionOptions options, int text, Philox.Key key) {
        long t = q.shape().get(0);
        long heads = q.shape().get(1);
        long width = q.shape().get(2);
        long s = k.shape().get(0);
        long groups = k.shape().get(1);
        Variable queries = q.permute(1, 0, 2).reshape(groups, heads / groups * t, width);
        Variable keys = k.permute(1, 0, 2).reshape(groups, s, width);
        Variable values = v.permute(1, 0, 2).reshape(groups, s, width);
        Variable products =
                queries.matmul(keys, false, true).multiply(options.scale()).reshape(heads, t, s);
        double softcap = options.softcap();
        Variable scores = softcap == 0 ? products : products.softcap(softcap);
        Tensor seen = seen(q, (int) t, (int) s, options, text);
        Variable probabilities =
                Variable.where(seen, scores, number(HIDDEN, scores)).softmax(-1);
        if (options.attentionMask() != null) { // a query may see nothing, and then its result is 0
            probabilities = Variable.where(seen, probabilities, number(0, scores));
        }
        return dropout.drop(probabilities, key)
                .reshape(groups, heads / groups * t, s)
                .matmul(values)
                .reshape(heads, t, width)
                .permute(1, 0, 2);
    }

    private static Variable number(double value, Variable like) {
        Tensor tensor = like.value();
        return Variable.constant(
                Tensor.full(tensor.device(), tensor.dtype(), Shape.scalar(), value, MemoryCategory.WORKSPACE));
    }

    /** For each query of a text and each key 1 if it is attended to, else 0: I32 {@code [1, T, S]}. */
    private static Tensor seen(Variable q, int t, int s, AttentionOptions options, int text) {
        int[] padding = row(options.attentionMask(), text);
        int[] starts = row(options.documentStarts(), text);
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
