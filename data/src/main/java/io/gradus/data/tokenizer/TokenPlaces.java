package io.gradus.data.tokenizer;

import java.util.Arrays;

/** The tokens of a text, and where in the text they are. */
public interface TokenPlaces {

    /** The tokens, as {@link Tokenizer#encode} returns them. */
    int[] ids();

    /** The number of tokens that end at or before a character. The next token has a part of the text after it. */
    int endingBefore(int character);

    /** The number of tokens that begin before a character. The last of them has a part of the text before it. */
    int beginningBefore(int character);

    /**
     * Tokens with known places.
     *
     * @param ids the tokens
     * @param starts for each, the index of its first character, ascending
     * @param ends for each, the index after its last character, ascending
     */
    record Known(int[] ids, int[] starts, int[] ends) implements TokenPlaces {

        @Override
        public int endingBefore(int character) {
            return count(ends, character + 1);
        }

        @Override
        public int beginningBefore(int character) {
            return count(starts, character);
        }

        /** How many of the ascending numbers are less than a limit. */
        private static int count(int[] numbers, int limit) {
            int low = 0;
            int high = numbers.length;
            while (low < high) {
                int middle = (low + high) >>> 1;
                if (numbers[middle] < limit) {
                    low = middle + 1;
                } else {
                    high = middle;
                }
            }
            return low;
        }
    }

    /**
     * Tokens whose places are found by encoding the beginning of the text, again for each place.
     *
     * @param ids of the text
     */
    record Searched(Tokenizer tokenizer, String text, int[] ids) implements TokenPlaces {

        @Override
        public int endingBefore(int character) {
            int seam = Arrays.mismatch(beginning(character), ids);
            return seam < 0 ? ids.length : seam;
        }

        @Override
        public int beginningBefore(int character) {
            int[] tokens = beginning(character);
            int seam = Arrays.mismatch(tokens, ids);
            return seam < 0 ? ids.length : seam < tokens.length ? seam + 1 : seam;
        }

        private int[] beginning(int character) {
            return tokenizer.encode(text.substring(0, character));
        }
    }
}
