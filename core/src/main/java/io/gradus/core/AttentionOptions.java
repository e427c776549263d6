package io.gradus.core;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Which keys a query of {@code [B, T, H, D]} attends to, out of keys {@code [B, S, G, D]}, and how scores are computed. The own
 * place of query t of T among the keys is {@code t + S − T}; with a key-value cache, that of the last query is the last key.
 *
 * @param causal a query attends only to the keys up to its own place
 * @param attentionMask I32 {@code [B, S]}, 0 where a key is padding; null if there is no padding
 * @param scale the factor of the scores, usually {@code 1/√D}
 * @param documentStarts I32 {@code [B, T]}: query t of row b attends only to the keys {@code s ≥ documentStarts[b, t]}. Where
 *     several documents share a row, it is the index of the first token of the query's own document. 0 hides nothing, S
 *     hides everything; null if each row holds one document
 * @param window a query attends only to the keys less than this many places from its own (Beltagy et al. 2020): a causal query to
 *     so many keys, itself included; 0 if there is no window. Time is proportional to the window, not to S
 * @param softcap the bound c of the scores: {@code c·tanh(scale·q·k / c)} (Gemma Team 2024, section 2); 0 if there is none
 * @param textLengths the lengths of texts that share the only row, one after the other, as {@code cu_seqlens} of FlashAttention: a query
 *     attends only to the keys of its own text. Then B is 1, T and S are the sum of the lengths, and there are no mask and no document
 *     starts. Time is proportional to the sum of the squares of the lengths. Null if each row of the batch is a text
 */
public record AttentionOptions(
        boolean causal,
        @Nullable Tensor attentionMask,
        double scale,
        @Nullable Tensor documentStarts,
        int window,
        double softcap,
        @Nullable List<Integer> textLengths) {

    public AttentionOptions {
        textLengths = textLengths == null ? null : List.copyOf(textLengths);
        if (window < 0) {
            throw new IllegalArgumentException(
                    "attention: a window of " + window + " tokens; use at least 1, or 0 for none");
        }
        if (!(softcap >= 0 && Double.isFinite(softcap))) {
            throw new IllegalArgumentException(
                    "attention: a softcap of " + softcap + "; use a positive number, or 0 for none");
        }
    }

    /** Options without a window and without a softcap. */
    public AttentionOptions(
            boolean causal, @Nullable Tensor attentionMask, double scale, @Nullable Tensor documentStarts) {
        this(causal, attentionMask, scale, documentStarts, 0, 0, null);
    }

    /** Options for one document per row, without a window and without a softcap. */
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
        return new AttentionOptions(causal, attentionMask, scale, documentStarts, window, softcap, textLengths);
    }

    /** These options with another {@link #scale}. */
    public AttentionOptions withScale(double scale) {
        return new AttentionOptions(causal, attentionMask, scale, documentStarts, window, softcap, textLengths);
    }

    /** These options with other {@link #documentStarts}. */
    public AttentionOptions withDocumentStarts(@Nullable Tensor documentStarts) {
        return new AttentionOptions(causal, attentionMask, scale, documentStarts, window, softcap, textLengths);
    }

    /** These options with other {@link #textLengths}. */
    public AttentionOptions withTextLengths(@Nullable List<Integer> textLengths) {
        return new AttentionOptions(causal, attentionMask, scale, documentStarts, window, softcap, textLengths);
    }

    /** These options with another {@link #window}. */
    public AttentionOptions withWindow(int window) {
        return new AttentionOptions(causal, attentionMask, scale, documentStarts, window, softcap, textLengths);
    }

    /** These options with another {@link #softcap}. */
    public AttentionOptions withSoftcap(double softcap) {
        return new AttentionOptions(causal, attentionMask, scale, documentStarts, window, softcap, textLengths);
    }

    /**
     * The first key that a query may attend to, the mask and the document starts aside; 0 without a window.
     *
     * @param query t, from 0
     * @param queries T
     * @param keys S
     */
    public int firstKey(int query, int queries, int keys) {
        return window == 0 ? 0 : Math.max(0, query + keys - queries - window + 1);
    }

    /**
     * The end of the keys that a query may attend to, the mask aside: one after the last, or 0 if there are none.
     *
     * @param query t, from 0
     * @param queries T
     * @param keys S
     */
    public int endOfKeys(int query, int queries, int keys) {
        int ahead = causal ? 1 : window;
        return ahead == 0 ? keys : Math.clamp((long) query + keys - queries + ahead, 0, keys);
    }
}
