package io.gradus.nn.model.llama;

import io.gradus.autograd.Variable;
import io.gradus.core.AttentionOptions;
import io.gradus.nn.AttentionDropout;
import io.gradus.nn.Initializer;
import io.gradus.nn.KeyValueCache;
import io.gradus.nn.Linear;
import io.gradus.nn.Module;
import io.gradus.nn.WeightSource;
import io.gradus.nn.model.LanguageModel.Input;
import org.jspecify.annotations.Nullable;

/**
 * Causal self-attention with rotary positions in which several query heads share one key-value head (Ainslie et al. 2023).
 * With as many key-value heads as query heads it is ordinary multi-head attention.
 */
public final class GroupedQueryAttention extends Module {
    private final int layer;
    private final long heads;
    private final long keyValueHeads;
    private final long headDim;
    private final Linear qProj;
    private final Linear kProj;
    private final Linear vProj;
    private final Linear oProj;
    private final @Nullable AttentionDropout dropout;

    /**
     * @param weights provides {@code q_proj}, {@code k_proj}, {@code v_proj} and {@code o_proj}
     * @param layer the index of this layer in the key-value cache
     */
    public GroupedQueryAttention(WeightSource weights, LlamaConfig config, int layer) {
        this.layer = layer;
        this.heads = config.numAttentionHeads();
        this.keyValueHeads = config.numKeyValueHeads();
        this.headDim = config.headDim();
        long hidden = config.hiddenSize();
        boolean bias = config.hasInputBias();
        Initializer normal = Initializer.normal(config.initializerRange());
        this.qProj = register(new Linear(weights.in("q_proj"), hidden, heads * headDim, bias, normal));
        this.kProj = register(new Linear(weights.in("k_proj"), hidden, keyValueHeads * headDim, bias, normal));
        this.vProj = register(new Linear(weights.in("v_proj"), hidden, keyValueHeads * headDim, bias, normal));
        this.oProj =
                register(new Linear(weights.in("o_proj"), heads * headDim, hidden, config.attentionBias(), normal));
        double p = config.attentionDropout();
        this.dropout = p == 0 ? null : register("attn_dropout", new AttentionDropout(p, layer));
    }

    /**
     * @param x {@code [B, T, hidden_size]}
     * @param input positions, padding mask, document starts and cache of the forward pass
     * @return {@code [B, T, hidden_size]}
     * @throws IllegalStateException if there is a cache and gradients are recorded: none pass through a cache
     */
    public Variable forward(Variable x, Input input, RotaryTable rotary) {
        long b = x.shape().get(0);
        long t = x.shape().get(1);
        Variable q = rotary.rotate(qProj.forward(x).reshape(b, t, heads, headDim), input.positions());
        Variable k = rotary.rotate(kProj.forward(x).reshape(b, t, keyValueHeads, headDim), input.positions());
        Variable v = vProj.forward(x).reshape(b, t, keyValueHeads, headDim);
        KeyValueCache cache = input.cache();
        if (cache != null) {
            KeyValueCache.Entry all = cache.append(layer, k, v);
            k = all.keys();
            v = all.values();
        }
        var options = new AttentionOptions(true, input.attentionMask(), 1 / Math.sqrt(headDim), input.documentStarts());
        Variable attended = dropout == null ? q.attention(k, v, options) : dropout.forward(q, k, v, options);
        return oProj.forward(attended.reshape(b, t, heads * headDim));
    }
}
