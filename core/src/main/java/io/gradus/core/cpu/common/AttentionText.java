package io.gradus.core.cpu.common;

import io.gradus.core.AttentionOptions;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.AttentionKernels;
import java.util.ArrayList;
import java.util.List;

/**
 * A text of which the tokens attend to each other, and where its numbers lie: a row of the batch, or one of the texts that share
 * the only row. Sizes are named as in {@link AttentionKernels}.
 *
 * @param b the row
 * @param from the place of the text in its row
 * @param t the number of queries
 * @param s the number of keys
 * @param rowT the number of queries of the row
 * @param rowS the number of keys of the row
 */
public record AttentionText(
        long b, int from, int t, int s, int rowT, int rowS, int h, int g, int d, AttentionOptions options) {

    /** All texts of a call, in order. */
    public static List<AttentionText> of(Tensor q, Tensor k, AttentionOptions options) {
        int rowT = Math.toIntExact(q.shape().get(1));
        int rowS = Math.toIntExact(k.shape().get(1));
        int h = Math.toIntExact(q.shape().get(2));
        int g = Math.toIntExact(k.shape().get(2));
        int d = Math.toIntExact(q.shape().get(3));
        List<AttentionText> texts = new ArrayList<>();
        if (options.textLengths() == null) {
            for (long b = 0; b < q.shape().get(0); b++) {
                texts.add(new AttentionText(b, 0, rowT, rowS, rowT, rowS, h, g, d, options));
            }
            return texts;
        }
        int from = 0;
        for (int length : options.textLengths()) {
            texts.add(new AttentionText(0, from, length, length, rowT, rowS, h, g, d, options));
            from += length;
        }
        return texts;
    }

    /** The queries of a head of a text from {@code t0} on, which are computed together. */
    public record Block(AttentionText text, int head, int t0) {}

    /** All queries of a call, in blocks of at most {@code queries} of one text and one head. */
    public static List<Block> blocks(Tensor q, Tensor k, AttentionOptions options, int queries) {
        List<Block> blocks = new ArrayList<>();
        for (AttentionText text : of(q, k, options)) {
            for (int head = 0; head < text.h; head++) {
                for (int t0 = 0; t0 < text.t; t0 += queries) {
                    blocks.add(new Block(text, head, t0));
                }
            }
        }
        return blocks;
    }

    /** The offset of a query in {@code [B, T, H, D]}. */
    public long queryAt(int query, int head) {
        return ((b * rowT + from + query) * h + head) * d;
    }

    /** The offset of a key or a value in {@code [B, S, G, D]}. */
    public long keyAt(int key, int keyHead) {
        return ((b * rowS + from + key) * g + keyHead) * d;
    }

    /** The offset of the first query's number in {@code [B, H, T]}; those of the others follow it. */
    public long statisticsAt(int head) {
        return (b * h + head) * rowT + from;
    }

    /** The first key visible to a query, which may be negative. */
    public int firstKey(int query) {
        int first = options.firstKey(query, t, s);
        Tensor documentStarts = options.documentStarts();
        return documentStarts == null
                ? first
                : Math.max(first, CpuStorage.getInt(CpuStorage.of(documentStarts), b * rowT + query));
    }

    /** The number of leading keys visible to the last query before {@code t1}. */
    public int visible(int t1) {
        return options.endOfKeys(t1 - 1, t, s);
    }

    /** Whether a key is padding. */
    public boolean hides(int key) {
        Tensor mask = options.attentionMask();
        return mask != null && CpuStorage.getInt(CpuStorage.of(mask), b * rowS + key) == 0;
    }
}
