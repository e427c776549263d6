package io.gradus.data.tokenizer;

import java.util.Arrays;

/**
 * Decodes ids as they come, in pieces that can be printed at once: a piece never ends inside a character. The pieces,
 * with that of {@link #finish}, join to {@link Tokenizer#decode} of all ids. (Only where the ids are no valid UTF-8 may
 * the number of replacement characters U+FFFD differ: some tokenisers, having met a bad byte, take back characters
 * before it.)
 *
 * <p>What a token looks like depends on those before it: many tokenisers drop the space in front of the first. So each
 * piece is the difference of two decodings that begin at the same token, a little before it.
 */
public final class StreamingDecoder {
    private static final String REPLACEMENT = "\uFFFD";

    private final Tokenizer tokenizer;
    private int[] window = new int[16];
    private int size;
    /** The ids of the window before this are printed; they only give the others their context. */
    private int printed;

    public StreamingDecoder(Tokenizer tokenizer) {
        this.tokenizer = tokenizer;
    }

    /** Takes one more id; returns the text that is now certain, often none. */
    public String next(int id) {
        if (size == window.length) {
            window = Arrays.copyOf(window, 2 * size);
        }
        window[size++] = id;
        String piece = unprinted();
        if (piece.isEmpty() || piece.endsWith(REPLACEMENT)) {
            return ""; // a special token, or the first bytes of a character
        }
        advance();
        return piece;
    }

    /** The text that was held back, for when there are no more ids: a character that was never completed. */
    public String finish() {
        String piece = unprinted();
        size = 0;
        printed = 0;
        return piece;
    }

    private String unprinted() {
        String before = tokenizer.decode(Arrays.copyOf(window, printed));
        String now = tokenizer.decode(Arrays.copyOf(window, size));
        return now.substring(Math.min(before.length(), now.length()));
    }

    private void advance() {
        System.arraycopy(window, printed, window, 0, size - printed);
        size -= printed;
        printed = size;
    }
}
