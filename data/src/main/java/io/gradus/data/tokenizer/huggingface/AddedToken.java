package io.gradus.data.tokenizer.huggingface;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.Optional;

/**
 * A token that is found in a text before the model sees it.
 *
 * @param content its text
 * @param singleWord whether it must not touch another word
 * @param lstrip whether it takes the spaces before it
 * @param rstrip whether it takes the spaces after it
 * @param normalization whether it is found in the normalized text; by default only if it is not special
 * @param special whether it is left out when ids are decoded
 */
record AddedToken(
        String content,
        boolean singleWord,
        boolean lstrip,
        boolean rstrip,
        Optional<Boolean> normalization,
        boolean special) {
    private static final int MAX_CONTENT = 10_000;

    /** A token without any options. */
    static AddedToken of(String content, boolean special) {
        return new AddedToken(content, false, false, false, Optional.of(!special), special);
    }

    /** Whether it is found in the normalized text. */
    boolean normalized() {
        return normalization.orElse(!special);
    }

    /** An element of {@code added_tokens} in {@code tokenizer.json}, in which no field is optional. */
    static AddedToken ofTokenizerJson(JsonPart part) throws IOException {
        return new AddedToken(
                content(part.object().get("content")),
                part.get("single_word").flag(),
                part.get("lstrip").flag(),
                part.get("rstrip").flag(),
                Optional.of(part.get("normalized").flag()),
                part.get("special").flag());
    }

    /** An object in one of the files beside {@code tokenizer.json}, in which all but the content is optional. */
    static AddedToken ofConfig(JsonPart part, boolean special) throws IOException {
        return new AddedToken(
                content(part.object().get("content")),
                part.get("single_word").flag(false),
                part.get("lstrip").flag(false),
                part.get("rstrip").flag(false),
                part.get("normalized").isAbsent()
                        ? Optional.empty()
                        : Optional.of(part.get("normalized").flag()),
                special);
    }

    static String content(JsonPart part) throws IOException {
        String text = part.text();
        part.require(text.length() <= MAX_CONTENT, "at most " + MAX_CONTENT + " characters");
        return text;
    }

    /** The same token as a special one. */
    AddedToken asSpecial() {
        return new AddedToken(content, singleWord, lstrip, rstrip, normalization, true);
    }

    /** Whether it is found and decoded in the same way as another token. */
    boolean isLike(AddedToken other) {
        return content.equals(other.content)
                && singleWord == other.singleWord
                && lstrip == other.lstrip
                && rstrip == other.rstrip
                && normalized() == other.normalized()
                && special == other.special;
    }

    /** The form in {@code tokenizer.json}. */
    ObjectNode toJson(int id) {
        return JsonNodeFactory.instance
                .objectNode()
                .put("id", id)
                .put("content", content)
                .put("single_word", singleWord)
                .put("lstrip", lstrip)
                .put("rstrip", rstrip)
                .put("normalized", normalized())
                .put("special", special);
    }
}
