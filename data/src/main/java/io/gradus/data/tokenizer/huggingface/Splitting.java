package io.gradus.data.tokenizer.huggingface;

import com.fasterxml.jackson.databind.JsonNode;
import java.text.Normalizer;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Where a long text may be cut, so that the tokens of its pieces are those of the text. Each cut is verified on the text around it
 * ({@link io.gradus.data.tokenizer.LongText}). These are the cases in which tokens depend on text that is farther away:
 *
 * <ul>
 *   <li>A Unigram model (Kudo 2018) finds the most likely tokens of a whole text or word. At a place that no piece of the
 *       vocabulary contains, the tokens on both sides are independent of each other.
 *   <li>An added token with {@code lstrip} contains all white space in front of it.
 *   <li>The pre-tokenizer {@code FixedLength} counts characters from the beginning.
 * </ul>
 */
public final class Splitting {
    /** Any place that the text around it verifies. */
    public static final Splitting ANYWHERE = new Splitting(Integer.MAX_VALUE, false, Set.of(), -1, false, false);

    private static final List<String> DROPPING_SPACE = List.of("BertPreTokenizer", "Whitespace", "WhitespaceSplit");

    private final int longestText;
    private final boolean isUnigram;
    private final Set<Long> pairs;
    private final int longestStripping;
    private final boolean counts;
    private final boolean dropsSpace;

    private Splitting(
            int longestText,
            boolean isUnigram,
            Set<Long> pairs,
            int longestStripping,
            boolean counts,
            boolean dropsSpace) {
        this.longestText = longestText;
        this.isUnigram = isUnigram;
        this.pairs = pairs;
        this.longestStripping = longestStripping;
        this.counts = counts;
        this.dropsSpace = dropsSpace;
    }

    /**
     * The rules of a tokenizer.
     *
     * @param tokenizer the contents of a {@code tokenizer.json}
     * @param longestText the length of the longest text that can be tokenized at once
     */
    static Splitting of(JsonNode tokenizer, int longestText) {
        int longestStripping = -1;
        for (JsonNode token : tokenizer.path("added_tokens")) {
            if (token.path("lstrip").asBoolean()) {
                longestStripping = Math.max(
                        longestStripping, token.path("content").asText().length());
            }
        }
        JsonNode vocabulary = tokenizer.path("model").path("vocab");
        boolean isUnigram = vocabulary.isArray();
        Set<Long> pairs = new HashSet<>();
        if (isUnigram) {
            vocabulary.forEach(piece -> addPairs(piece.path(0).asText(), pairs));
        }
        List<String> steps = tokenizer.path("pre_tokenizer").findValuesAsText("type");
        return new Splitting(
                longestText,
                isUnigram,
                pairs,
                longestStripping,
                steps.contains("FixedLength"),
                !Collections.disjoint(steps, DROPPING_SPACE));
    }

    /** Adds all neighboring characters of a piece. */
    private static void addPairs(String piece, Set<Long> pairs) {
        int[] characters = piece.codePoints().toArray();
        for (int i = 1; i < characters.length; i++) {
            pairs.add(pair(characters[i - 1], characters[i]));
        }
    }

    private static long pair(int left, int right) {
        return (long) left << 32 | right;
    }

    /** The length in UTF-16 units of the longest text that can be tokenized at once. */
    public int longestText() {
        return longestText;
    }

    /** Whether white space never becomes a token, so that long text may have none. */
    public boolean dropsSpace() {
        return dropsSpace;
    }

    /**
     * Whether a text may be cut.
     *
     * @param index of the character after the cut
     * @param end the index up to which the text after the cut is known
     */
    public boolean allows(CharSequence text, int index, int end) {
        return !counts
                && (longestStripping < 0 || showsEndOfSpace(text, index, end))
                && (!isUnigram || separates(text, index));
    }

    /** Whether the known text is long enough to show a token that strips the white space after the cut. */
    private boolean showsEndOfSpace(CharSequence text, int index, int end) {
        int space = index;
        while (space < end && Character.isWhitespace(text.charAt(space))) {
            space++;
        }
        return space + longestStripping <= end;
    }

    private boolean separates(CharSequence text, int index) {
        int left = Character.codePointBefore(text, index);
        int right = Character.codePointAt(text, index);
        String both = Character.toString(left) + Character.toString(right);
        return Normalizer.isNormalized(both, Normalizer.Form.NFKC)
                && Normalizer.isNormalized(both, Normalizer.Form.NFKD)
                && forms(left).noneMatch(l -> forms(right).anyMatch(r -> pairs.contains(pair(l, r))));
    }

    /** What a step before the model may make of a character that Unicode normalization leaves as it is. */
    private static Stream<Integer> forms(int character) {
        return (Character.isWhitespace(character)
                        ? IntStream.of(character, ' ', '▁')
                        : IntStream.of(character, Character.toLowerCase(character)))
                .boxed();
    }
}
