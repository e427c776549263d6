package io.gradus.data.tokenizer;

import java.util.Locale;

/** Detects unpaired surrogates, which UTF-8 cannot encode. */
final class Surrogates {
    private Surrogates() {}

    /**
     * Requires that all surrogates are paired.
     *
     * @throws IllegalArgumentException naming the position of an unpaired one
     */
    static void check(String text) {
        for (int i = 0; i < text.length(); i++) {
            if (!Character.isSurrogate(text.charAt(i))) {
                continue;
            }
            if (Character.charCount(text.codePointAt(i)) == 1) {
                throw new IllegalArgumentException(String.format(
                        Locale.ROOT,
                        "tokenizer: half a surrogate pair (U+%04X) at character %d of the text is"
                                + " no character; the text was cut in the middle of one",
                        (int) text.charAt(i),
                        i));
            }
            i++;
        }
    }
}
