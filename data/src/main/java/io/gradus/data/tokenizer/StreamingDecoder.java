package io.gradus.data.tokenizer;

import java.util.Arrays;

/**
 * Decodes ids as they are generated, in pieces that can be printed at once: a piece never ends inside a character. The pieces,
 * including that of {@link #finish}, concatenate to {@link Tokenizer#decode} of all ids. (If the ids are not valid UTF-8, the number
 * of replacement characters U+FFFD may differ, because some tokenizers retract characters before a malformed byte.)
 *
 * <p>The text of a token depends on the tokens before it: many tokenizers drop the space in front of the first. So each piece is
 * the difference of two decodings that begin at the same, slightly earlier token.
 */
public final class StreamingDecoder {
    private static final String REPLACEMENT = "\uFFFD";

    private final Tokenizer tokenizer;
    private int[] window = new int[16];
    private int size;
    /** Ids before this index are printed; they only provide context. */
    private int printed;

    public StreamingDecoder(Tokenizer tokenizer) {
        this.tokenizer = tokenizer;
    }

    /** Adds an id, and returns the text that is now complete, often empty. */
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

    /** The remaining text after the last id: an incomplete character. */
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
