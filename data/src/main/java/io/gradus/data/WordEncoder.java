package io.gradus.data;

import io.gradus.data.tokenizer.EncodedText;
import io.gradus.data.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Writes sentences that are split into words as the tokens that a classifier of tokens reads. Thread-safe.
 *
 * <p>Each word is tokenized alone, as by transformers with {@code is_split_into_words=True}; where the tokens of a word depend on the
 * space before it, as those of GPT-2 and RoBERTa, each word gets one ({@code add_prefix_space}).
 */
public final class WordEncoder {
    private final Tokenizer tokenizer;
    private final int maxLength;
    private final String before;
    private final int specialBefore;
    private final int special;

    /**
     * Rows of one sentence.
     *
     * @param text with special tokens
     * @param firstTokens for each word of the row the index of its first token; -1 if it has none
     */
    public record Row(EncodedText text, int[] firstTokens) {}

    /**
     * An encoder.
     *
     * @param maxLength tokens of a row, special ones included
     * @throws IllegalArgumentException if there is no room for a token beside the special ones
     */
    public WordEncoder(Tokenizer tokenizer, int maxLength) {
        this.tokenizer = tokenizer;
        this.maxLength = maxLength;
        this.before = needsSpace(tokenizer) ? " " : "";
        this.special = tokenizer.withSpecialTokens(new int[0]).ids().length;
        this.specialBefore = specialBefore(tokenizer);
        if (maxLength <= special) {
            throw new IllegalArgumentException("data.max_seq_len is " + maxLength + ", which leaves no room for a word"
                    + " beside " + special + " special tokens");
        }
    }

    /** Whether the tokens of a word alone are not those of the same word after another. */
    private static boolean needsSpace(Tokenizer tokenizer) {
        int[] both = IntStream.concat(Arrays.stream(tokenizer.encode("a")), Arrays.stream(tokenizer.encode("b")))
                .toArray();
        return !Arrays.equals(both, tokenizer.encode("a b"));
    }

    private static int specialBefore(Tokenizer tokenizer) {
        int[] word = tokenizer.encode("a");
        int[] all = tokenizer.withSpecialTokens(word).ids();
        for (int at = 0; at + word.length <= all.length; at++) {
            if (Arrays.equals(word, Arrays.copyOfRange(all, at, at + word.length))) {
                return at;
            }
        }
        throw new IllegalArgumentException("the special tokens of the tokenizer replace the text");
    }

    /**
     * Encodes a sentence. One that is too long becomes several rows, cut between words, so that each word is in one of them. A single
     * word that is longer than a row loses its end.
     *
     * @param words at least one
     */
    public List<Row> encode(List<String> words) {
        int room = maxLength - special;
        List<Row> rows = new ArrayList<>();
        List<int[]> pending = new ArrayList<>();
        int used = 0;
        for (String word : words) {
            int[] ids = tokenizer.encode(before + word);
            if (ids.length > room) {
                ids = Arrays.copyOf(ids, room);
            }
            if (used + ids.length > room) {
                rows.add(row(pending));
                pending.clear();
                used = 0;
            }
            pending.add(ids);
            used += ids.length;
        }
        rows.add(row(pending));
        return rows;
    }

    private Row row(List<int[]> words) {
        int[] first = new int[words.size()];
        int at = specialBefore;
        for (int word = 0; word < first.length; word++) {
            int length = words.get(word).length;
            first[word] = length == 0 ? -1 : at;
            at += length;
        }
        int[] ids = words.stream().flatMapToInt(Arrays::stream).toArray();
        if (ids.length + special == 0) {
            throw new IllegalArgumentException("a sentence has no tokens: the tokenizer removes all of its words");
        }
        return new Row(tokenizer.withSpecialTokens(ids), first);
    }

    /** The id that fills rows, as {@link ExampleEncoder#pad}. */
    public int pad() {
        return new ExampleEncoder(tokenizer, maxLength, ExampleEncoder.Truncation.HEAD).pad();
    }
}
