package io.gradus.nn.model.llama;

import io.gradus.autograd.Variable;
import io.gradus.core.AttentionOptions;
import io.gradus.core.Tensor;
import io.gradus.nn.Initializer;
import io.gradus.nn.KeyValueCache;
import io.gradus.nn.Linear;
import io.gradus.nn.Module;
import io.gradus.nn.WeightSource;
import org.jspecify.annotations.Nullable;

/**
 * Causal self-attention with rotary positions, in which several query heads share one head of keys and values (Ainslie et
 * al. 2023). With as many key-value heads as query heads it is ordinary multi-head attention.
 */
public final class GroupedQueryAttention extends Module {
    /**
     * The sizes of the block.
     *
     * @param width of the model
     * @param heads of queries
     * @param keyValueHeads a divisor of {@code heads}
     * @param headDim elements per head
     * @param inputBias whether the query, key and value layers have a bias
     * @param outputBias whether the output layer has one
     */
    public record Sizes(
            long width, long heads, long keyValueHeads, long headDim, boolean inputBias, boolean outputBias) {}

    private final Sizes sizes;
    private final Linear query;
    private final Linear key;
    private final Linear value;
    private final Linear output;

    /**
     * @param weights gives {@code q_proj}, {@code k_proj}, {@code v_proj} and {@code o_proj}
     */
    public GroupedQueryAttention(WeightSource weights, Sizes sizes, Initializer initializer) {
        long all = sizes.heads * sizes.headDim;
        long shared = sizes.keyValueHeads * sizes.headDim;
        this.sizes = sizes;
        this.query = child(new Linear(weights.in("q_proj"), sizes.width, all, sizes.inputBias, initializer));
        this.key = child(new Linear(weights.in("k_proj"), sizes.width, shared, sizes.inputBias, initializer));
        this.value = child(new Linear(weights.in("v_proj"), sizes.width, shared, sizes.inputBias, initializer));
        this.output = child(new Linear(weights.in("o_proj"), all, sizes.width, sizes.outputBias, initializer));
    }

    /**
     * @param x {@code [B, T, width]}
     * @param context positions, padding and what was seen before
     * @param layer which layer's cache is this block's
     * @throws IllegalStateException when there is a cache and history is recorded: no gradient passes through it
     */
    public Variable forward(Variable x, Context context, int layer) {
        long b = x.shape().get(0);
        long t = x.shape().get(1);
        Variable q = context.rotate(query.forward(x).reshape(b, t, sizes.heads, sizes.headDim));
        Variable k = context.rotate(key.forward(x).reshape(b, t, sizes.keyValueHeads, sizes.headDim));
        Variable v = value.forward(x).reshape(b, t, sizes.keyValueHeads, sizes.headDim);
        KeyValueCache cache = context.cache();
        if (cache != null) {
            KeyValueCache.Seen seen = cache.append(layer, k, v);
            k = seen.keys();
            v = seen.values();
        }
        var settings = new AttentionOptions(
                true, context.attentionMask(), 1 / Math.sqrt(sizes.headDim), context.documentStarts());
        return output.forward(q.attention(k, v, settings).reshape(b, t, sizes.heads * sizes.headDim));
    }

    /**
     * What all layers of one forward pass share.
     *
     * @param rotary the angles
     * @param positions I32 {@code [B, T]}
     * @param attentionMask I32 {@code [B, S]} over all keys, the cached ones included, 0 for padding; or null
     * @param cache the keys and values of earlier tokens, or null
     * @param documentStarts I32 {@code [B, T]}: where each token's document begins among all keys; or null
     */
    public record Context(
            RotaryTable rotary,
            Tensor positions,
            @Nullable Tensor attentionMask,
            @Nullable KeyValueCache cache,
            @Nullable Tensor documentStarts) {

        /** One document to a row. */
        public Context(
                RotaryTable rotary, Tensor positions, @Nullable Tensor attentionMask, @Nullable KeyValueCache cache) {
            this(rotary, positions, attentionMask, cache, null);
        }

        Variable rotate(Variable x) {
            return x.rotary(rotary.cos(), rotary.sin(), positions, rotary.layout());
        }
    }
}
