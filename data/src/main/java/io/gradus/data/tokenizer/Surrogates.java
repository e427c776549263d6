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
        check(text, 0, text.length(), 0);
    }

    /**
     * Requires that all surrogates in a part of a text are paired.
     *
     * @param from the index of the first character, not the second half of a pair
     * @param to the index after the last character, not the second half of a pair
     * @param before the number of characters in front of {@code text}
     * @throws IllegalArgumentException naming the position of an unpaired one
     */
    static void check(CharSequence text, int from, int to, long before) {
        for (int i = from; i < to; i++) {
            if (!Character.isSurrogate(text.charAt(i))) {
                continue;
            }
            if (Character.charCount(Character.codePointAt(text, i)) == 1) {
                throw new IllegalArgumentException(String.format(
                        Locale.ROOT,
                        "tokenizer: half a surrogate pair (U+%04X) at character %d of the text is"
                                + " no character; the text was cut in the middle of one",
                        (int) text.charAt(i),
                        before + i));
            }
            i++;
        }
    }
}
