package io.gradus.data;

import io.gradus.data.tokenizer.EncodedText;
import io.gradus.data.tokenizer.Tokenizer;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Writes texts and pairs as the tokens that a classifier reads, at most a given number. Thread-safe.
 *
 * @param maxLength tokens, special ones included
 * @param truncation of texts that are longer
 */
public record ExampleEncoder(Tokenizer tokenizer, int maxLength, Truncation truncation) {
    /** Tokens of the beginning, of those of the whole, in the split of Sun et al. 2019 (section 4.1.1), which was best there. */
    private static final int HEAD_TOKENS = 128;

    private static final int ALL_TOKENS = 510;

    /** What remains of a text that is too long. */
    public enum Truncation {
        /** The first quarter of the tokens from the beginning, and the others from the end: 128 and 382 of 510. */
        HEAD_TAIL,
        /** The beginning, as in transformers. */
        HEAD,
        /** The end. */
        TAIL,
        /** Everything, in windows of the most tokens, of which there may be {@value #MOST_WINDOWS}; of more, as {@link #HEAD_TAIL}. */
        WINDOWS;

        /** The most windows of a text. */
        public static final int MOST_WINDOWS = 4;

        /** The name in recipes, such as {@code head_tail}. */
        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }

        /** At most {@code length} of the ids. */
        int[] of(int[] ids, int length) {
            if (ids.length <= length) {
                return ids;
            }
            int head = switch (this) {
                case HEAD_TAIL, WINDOWS -> Math.round((float) length * HEAD_TOKENS / ALL_TOKENS);
                case HEAD -> length;
                case TAIL -> 0;
            };
            return IntStream.concat(
                            Arrays.stream(ids, 0, head), Arrays.stream(ids, ids.length - (length - head), ids.length))
                    .toArray();
        }
    }

    /**
     * A text as tokens.
     *
     * @param windows of the text; one, unless the truncation is {@link Truncation#WINDOWS}
     * @param truncated whether a part was left out
     */
    public record Encoded(List<EncodedText> windows, boolean truncated) {}

    /**
     * Encodes a text, or two. Of two that are too long together, the longer one is shortened first.
     *
     * @throws IllegalArgumentException if there is no room for a token of the text, or the tokenizer has no template for pairs
     */
    public Encoded encode(String text, @Nullable String pair) {
        int[] first = tokenizer.encode(text);
        int[] second = pair == null ? new int[0] : tokenizer.encode(pair);
        int special = (pair == null
                        ? tokenizer.withSpecialTokens(new int[0])
                        : tokenizer.withSpecialTokens(new int[0], new int[0]))
                .ids()
                .length;
        int room = maxLength - special;
        if (room < (pair == null ? 1 : 2)) {
            throw new IllegalArgumentException("data.max_seq_len is " + maxLength + ", which leaves no room for a text"
                    + " beside " + special + " special tokens");
        }
        if (first.length + second.length + special == 0) {
            throw new IllegalArgumentException("the text '" + text + "' has no tokens");
        }
        boolean truncated = first.length + second.length > room;
        if (truncation == Truncation.WINDOWS) {
            if (pair != null) {
                throw new IllegalArgumentException(
                        "classification.truncation=windows is for single texts, and there are"
                                + " pairs; use head_tail");
            }
            int most = room * Truncation.MOST_WINDOWS;
            return new Encoded(windows(truncation.of(first, most), room), first.length > most);
        }
        if (pair == null) {
            return new Encoded(List.of(tokenizer.withSpecialTokens(truncation.of(first, room))), truncated);
        }
        int ofFirst = Math.min(first.length, Math.max(room - second.length, room / 2));
        int ofSecond = Math.min(second.length, room - ofFirst);
        return new Encoded(
                List.of(tokenizer.withSpecialTokens(truncation.of(first, ofFirst), truncation.of(second, ofSecond))),
                truncated);
    }

    /** Windows of nearly equal lengths, so that the last is no rest of a few tokens. */
    private List<EncodedText> windows(int[] ids, int room) {
        int count = Math.max(1, Math.ceilDiv(ids.length, room));
        return IntStream.range(0, count)
                .mapToObj(i -> Arrays.copyOfRange(
                        ids, (int) ((long) ids.length * i / count), (int) ((long) ids.length * (i + 1) / count)))
                .map(tokenizer::withSpecialTokens)
                .toList();
    }

    /** The id that fills rows: that for padding, or else the one that ends a text; it is masked, so any will do. */
    public int pad() {
        return tokenizer.pad().orElse(tokenizer.eos().orElse(0));
    }
}
