package io.gradus.nn.model.decoder;

import io.gradus.autograd.Variable;
import io.gradus.core.AttentionOptions;
import io.gradus.nn.AttentionDropout;
import io.gradus.nn.KeyValueCache;
import io.gradus.nn.Module;
import io.gradus.nn.model.PretrainedModel.Input;
import org.jspecify.annotations.Nullable;

/**
 * Attention of the tokens of an input to each other (Vaswani et al. 2017, section 3.2): what all layers do with their queries,
 * keys and values, however these are computed. It keeps to the padding mask and the documents of the input, appends to its cache,
 * and drops probabilities in training. It has no parameters.
 */
public final class SelfAttention extends Module {
    private final int layer;
    private final AttentionOptions options;
    private final @Nullable AttentionDropout dropout;

    /**
     * @param layer the index of the layer in the key-value cache
     * @param options whether attention is causal, its scale, window and softcap
     * @param dropout of the probabilities, or null
     */
    public SelfAttention(int layer, AttentionOptions options, @Nullable AttentionDropout dropout) {
        this.layer = layer;
        this.options = options;
        this.dropout = dropout == null ? null : register("attn_dropout", dropout);
    }

    /** Causal attention of a layer with the scale {@code 1/√head_dim}. */
    public static SelfAttention of(DecoderSettings settings, int layer) {
        return of(settings, layer, AttentionOptions.causal(settings.headDim()));
    }

    /**
     * Attention of a layer with the window and the dropout of the settings.
     *
     * @param options whether attention is causal, its scale and softcap
     */
    public static SelfAttention of(DecoderSettings settings, int layer, AttentionOptions options) {
        double p = settings.attentionDropout();
        return new SelfAttention(
                layer,
                options.withWindow(settings.slidingWindow().sizeOf(layer)),
                p == 0 ? null : new AttentionDropout(p, DecoderSettings.dropoutLayer(layer, 0)));
    }

    /**
     * @param q {@code [B, T, H, D]}
     * @param k {@code [B, T, G, D]}, where G divides H
     * @param v {@code [B, T, G, D]}
     * @param input padding mask, document starts, text lengths and cache of the forward pass
     * @return {@code [B, T, H·D]}
     * @throws IllegalStateException if there is a cache and gradients are recorded: none pass through a cache
     */
    public Variable forward(Variable q, Variable k, Variable v, Input input) {
        KeyValueCache cache = input.cache();
        if (cache != null) {
            KeyValueCache.Entry all = cache.append(layer, k, v);
            k = all.keys();
            v = all.values();
        }
        AttentionOptions seen = options.withAttentionMask(input.attentionMask())
                .withDocumentStarts(input.documentStarts())
                .withTextLengths(input.textLengths());
        Variable attended = dropout == null ? q.attention(k, v, seen) : dropout.forward(q, k, v, seen);
        long b = q.shape().get(0);
        long t = q.shape().get(1);
        return attended.reshape(b, t, q.shape().get(2) * q.shape().get(3));
    }

    /**
     * The heads of a projection.
     *
     * @param x {@code [B, T, H·D]}
     * @param headDim D
     * @return {@code [B, T, H, D]}
     */
    public static Variable heads(Variable x, long headDim) {
        return x.reshape(x.shape().get(0), x.shape().get(1), x.shape().last() / headDim, headDim);
    }
}
