package io.gradus.train.export;

import io.gradus.data.tokenizer.Tokenizer;
import io.gradus.data.tokenizer.TokenizerParts;
import io.gradus.data.tokenizer.TokenizerParts.Kind;
import io.gradus.data.tokenizer.TokenizerParts.Merge;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A BPE of characters for llama.cpp, which, like SentencePiece, has scores instead of merges: it joins the two neighbors whose text
 * is the token with the highest score. With the score {@code −r} for a token that the merge of rank r makes first, this chooses as
 * the merges do, if a token may be made of any two tokens with its text, one way as early as another.
 */
final class SentencePieceGguf {
    private static final String SPACE = "▁";
    private static final String REPLACE = "{\"type\":\"Replace\",\"pattern\":{\"String\":\" \"},\"content\":\"▁\"}";

    private static final Pattern METASPACE = Pattern.compile(
            "\\{\"type\":\"Metaspace\",\"replacement\":\"▁\",\"prepend_scheme\":\"(always|first|never)\",\"split\":false}");

    /** Pre-tokenizers that have no effect after spaces were replaced. */
    private static final List<String> NEUTRAL = List.of(
            "null",
            "{\"type\":\"Split\",\"pattern\":{\"String\":\" \"},\"behavior\":\"MergedWithPrevious\",\"invert\":false}");

    private final TokenizerParts parts;
    private final Tokenizer tokenizer;
    private final Map<String, Integer> ranks = new HashMap<>();

    /** @throws IllegalArgumentException if scores cannot choose as the merges do */
    SentencePieceGguf(TokenizerParts parts, Tokenizer tokenizer) {
        this.parts = parts;
        this.tokenizer = tokenizer;
        rank();
        requireAllSplits();
    }

    /** Gives each token that merges make the number of tokens made before. */
    private void rank() {
        String last = "";
        for (Merge merge : parts.merges()) {
            String token = merge.left() + merge.right();
            if (!token.equals(last) && ranks.put(token, ranks.size()) != null) {
                throw unlike("makes '" + token + "' by merges with others between");
            }
            last = token;
        }
    }

    private void requireAllSplits() {
        Set<String> tokens = new HashSet<>();
        parts.tokens().values().forEach(token -> {
            if (token.kind() == Kind.NORMAL) {
                tokens.add(token.text());
            }
        });
        Set<Merge> merges = new HashSet<>(parts.merges());
        for (String token : ranks.keySet().stream().filter(tokens::contains).toList()) {
            for (int cut = token.offsetByCodePoints(0, 1);
                    cut < token.length();
                    cut = token.offsetByCodePoints(cut, 1)) {
                Merge merge = new Merge(token.substring(0, cut), token.substring(cut));
                if (tokens.contains(merge.left()) && tokens.contains(merge.right()) && !merges.contains(merge)) {
                    throw unlike("does not merge '" + merge.left() + "' and '" + merge.right() + "', although '" + token
                            + "' is a token");
                }
            }
        }
    }

    private IllegalArgumentException unlike(String difference) {
        return Architecture.unsupported("the tokenizer (" + tokenizer + ") " + difference
                + "; llama.cpp's tokenizer for BPE of characters would find other tokens");
    }

    /** The score of a token; below all others if no merge makes it. */
    float score(int id) {
        TokenizerParts.Token token = parts.tokens().get(id);
        Integer rank = token == null ? null : ranks.get(token.text());
        return -(rank == null ? ranks.size() : rank);
    }

    /**
     * Whether a space is put in front of a text.
     *
     * @throws IllegalArgumentException if texts are changed or split in a way that llama.cpp does not have
     */
    boolean addsSpace() {
        Matcher metaspace = METASPACE.matcher(parts.preTokenizer());
        if (parts.normalizer().equals("null") && metaspace.matches()) {
            return !metaspace.group(1).equals("never");
        }
        String prepend = "{\"type\":\"Prepend\",\"prepend\":\"" + SPACE + "\"}";
        if (parts.preTokenizer().equals("null")
                && parts.normalizer()
                        .equals("{\"type\":\"Sequence\",\"normalizers\":[" + prepend + "," + REPLACE + "]}")) {
            return true;
        }
        if (parts.normalizer().equals(REPLACE) && NEUTRAL.contains(parts.preTokenizer())) {
            return false;
        }
        throw unlike("has the normalizer " + parts.normalizer() + " and the pre-tokenizer " + parts.preTokenizer());
    }
}
