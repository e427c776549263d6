package io.gradus.core;

import org.jspecify.annotations.Nullable;

/**
 * Which keys a query of {@code [B, T, H, D]} attends to, out of keys {@code [B, S, G, D]}, and how scores are scaled.
 *
 * @param causal query t of T attends only to the keys s of S with {@code s ≤ t + S − T}; with a key-value cache, the last
 *     query attends to all
 * @param attentionMask I32 {@code [B, S]}, 0 where a key is padding; null if there is no padding
 * @param scale the factor of the scores, usually {@code 1/√D}
 * @param documentStarts I32 {@code [B, T]}: query t of row b attends only to the keys {@code s ≥ documentStarts[b, t]}. Where
 *     several documents share a row, it is the index of the first token of the query's own document. 0 hides nothing, S
 *     hides everything; null if each row holds one document
 */
public record AttentionOptions(
        boolean causal,
        @Nullable Tensor attentionMask,
        double scale,
        @Nullable Tensor documentStarts) {

    /** Options for one document per row. */
    public AttentionOptions(boolean causal, @Nullable Tensor attentionMask, double scale) {
        this(causal, attentionMask, scale, null);
    }

    /**
     * Causal attention with the scale {@code 1/√headDim}, as in a language model.
     *
     * @param headDim D
     */
    public static AttentionOptions causal(long headDim) {
        return new AttentionOptions(true, null, 1 / Math.sqrt(headDim));
    }

    /**
     * Every query attends to every key, with the scale {@code 1/√headDim}, as in an encoder.
     *
     * @param headDim D
     */
    public static AttentionOptions bidirectional(long headDim) {
        return new AttentionOptions(false, null, 1 / Math.sqrt(headDim));
    }

    /** These options with another {@link #attentionMask}. */
    public AttentionOptions withAttentionMask(@Nullable Tensor attentionMask) {
        return new AttentionOptions(causal, attentionMask, scale, documentStarts);
    }

    /** These options with another {@link #scale}. */
    public AttentionOptions withScale(double scale) {
        return new AttentionOptions(causal, attentionMask, scale, documentStarts);
    }

    /** These options with other {@link #documentStarts}. */
    public AttentionOptions withDocumentStarts(@Nullable Tensor documentStarts) {
        return new AttentionOptions(causal, attentionMask, scale, documentStarts);
    }
}
