package io.gradus.data.tokenizer;

import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * A text, or two, as a model reads them: with the special tokens with which it was trained.
 *
 * @param ids of all tokens
 * @param tokenTypeIds for each token 0, or 1 where the tokenizer says that it belongs to the second text
 */
public record EncodedText(int[] ids, int[] tokenTypeIds) {

    /** Tokens of type 0. */
    public static EncodedText of(int[] ids) {
        return new EncodedText(ids, new int[ids.length]);
    }

    /** This text followed by another. */
    public EncodedText followedBy(EncodedText next) {
        return new EncodedText(concat(ids, next.ids), concat(tokenTypeIds, next.tokenTypeIds));
    }

    private static int[] concat(int[] first, int[] second) {
        return IntStream.concat(Arrays.stream(first), Arrays.stream(second)).toArray();
    }
}
