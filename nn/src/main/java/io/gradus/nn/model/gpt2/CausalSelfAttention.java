package io.gradus.nn.model.gpt2;

import io.gradus.autograd.Variable;
import io.gradus.core.AttentionOptions;
import io.gradus.core.Tensor;
import io.gradus.nn.Initializer;
import io.gradus.nn.KeyValueCache;
import io.gradus.nn.Module;
import io.gradus.nn.WeightSource;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Causal multi-head self-attention (Vaswani et al. 2017, section 3.2.2) as GPT-2 has it: one layer makes queries, keys and
 * values side by side, and positions are not its business.
 */
public final class CausalSelfAttention extends Module {
    private final long heads;
    private final double scale;
    private final Conv1D packed;
    private final Conv1D output;

    /**
     * @param weights gives {@code c_attn}, {@code [width, 3·width]} for queries, keys and values in this order, and
     *     {@code c_proj}, {@code [width, width]}
     * @param width of the model
     * @param heads a divisor of {@code width}
     * @param scale of the scores, by custom {@code 1/√(width / heads)}
     * @param initializer of {@code c_attn}
     * @param outputInitializer of {@code c_proj}
     */
    public CausalSelfAttention(
            WeightSource weights,
            long width,
            long heads,
            double scale,
            Initializer initializer,
            Initializer outputInitializer) {
        this.heads = heads;
        this.scale = scale;
        this.packed = child(new Conv1D(weights.in("c_attn"), width, 3 * width, initializer));
        this.output = child(new Conv1D(weights.in("c_proj"), width, width, outputInitializer));
    }

    /** One document to a row. */
    public Variable forward(Variable x, @Nullable Tensor attentionMask, @Nullable KeyValueCache cache, int layer) {
        return forward(x, attentionMask, cache, layer, null);
    }

    /**
     * @param x {@code [B, T, width]}
     * @param attentionMask I32 {@code [B, S]} over all keys, the cached ones included, 0 for padding; or null
     * @param cache the keys and values of earlier tokens, or null
     * @param layer which layer's cache is this block's
     * @param documentStarts I32 {@code [B, T]}: where each token's document begins among all keys; or null
     * @throws IllegalStateException when there is a cache and history is recorded: no gradient passes through it
     */
    public Variable forward(
            Variable x,
            @Nullable Tensor attentionMask,
            @Nullable KeyValueCache cache,
            int layer,
            @Nullable Tensor documentStarts) {
        long b = x.shape().get(0);
        long t = x.shape().get(1);
        long width = x.shape().last();
        List<Variable> parts = packed.forward(x).split(-1, width, width, width).stream()
                .map(part -> part.reshape(b, t, heads, width / heads))
                .toList();
        Variable k = parts.get(1);
        Variable v = parts.get(2);
        if (cache != null) {
            KeyValueCache.Seen seen = cache.append(layer, k, v);
            k = seen.keys();
            v = seen.values();
        }
        var settings = new AttentionOptions(true, attentionMask, scale, documentStarts);
        return output.forward(parts.getFirst().attention(k, v, settings).reshape(b, t, width));
    }
}
