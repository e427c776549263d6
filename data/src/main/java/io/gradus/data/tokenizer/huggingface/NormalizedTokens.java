package io.gradus.data.tokenizer.huggingface;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * The texts for which the native library searches to find added tokens: those with {@code normalized} are searched in their
 * normalized form. Decoding gives the same text, as in version 0.23 of the library.
 */
final class NormalizedTokens {
    private static final String SPACES = "\\p{IsWhite_Space}+";

    private NormalizedTokens() {}

    /**
     * The texts of added tokens by id.
     *
     * @param normalizer the checked normalizer, or a null node
     * @param longestText the longest text that it can process
     * @param file for messages
     * @throws IOException if the library could not search for a token
     */
    static Map<Integer, String> texts(AddedTokens added, JsonNode normalizer, int longestText, JsonPart file)
            throws IOException {
        Map<Integer, String> texts = new HashMap<>();
        Set<String> searched = new HashSet<>();
        NativeTokenizer library = normalizer.isNull() ? null : normalizing(normalizer, file);
        boolean anyTakesSpaces = added.byId().values().stream().anyMatch(AddedToken::rstrip);
        for (Map.Entry<Integer, AddedToken> entry : added.byId().entrySet()) {
            AddedToken token = entry.getValue();
            String normalized = added.onceNormalized(entry.getKey());
            if (normalized != null && library != null) {
                if (normalized.length() > longestText) {
                    throw file.error("has an added token of " + normalized.length()
                            + " characters, which is too long for its normalizer");
                }
                normalized = String.join("", library.tokens(normalized));
            }
            String text = token.normalized() && normalized != null ? normalized : token.content();
            if (text.isEmpty()) {
                throw file.error(
                        "has the added token '" + token.content() + "', of which its normalizer leaves nothing");
            }
            if (token.normalized() && !searched.add(text)) {
                throw file.error("has two added tokens that its normalizer makes equal, '" + text + "'");
            }
            // The library cuts such a token out of spaces that the token before has taken, and ends the process.
            if (text.matches(SPACES) && token.lstrip() && !token.rstrip() && anyTakesSpaces) {
                throw file.error("has an added token of spaces only with lstrip, and one with rstrip;"
                        + " no text with both could be encoded");
            }
            texts.put(entry.getKey(), normalized == null ? text : normalized);
        }
        return texts;
    }

    /** A tokenizer for which a text is one unknown token, with the normalized text. */
    private static NativeTokenizer normalizing(JsonNode normalizer, JsonPart file) throws IOException {
        ObjectNode json = JsonNodeFactory.instance.objectNode().put("version", "1.0");
        json.set("normalizer", normalizer);
        ObjectNode model = json.putObject("model").put("type", "Unigram").put("unk_id", 0);
        model.putArray("vocab").addArray().add("<unk>").add(0.0);
        return NativeTokenizer.of(json.toString(), file.file());
    }
}
