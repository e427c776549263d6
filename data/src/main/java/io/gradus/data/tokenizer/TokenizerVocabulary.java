package io.gradus.data.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.OptionalInt;

/** The tokens of a {@code tokenizer.json}: those of its model, and added ones. */
final class TokenizerVocabulary {
    private final JsonNode added;
    private final JsonNode vocabulary;
    private final int size;

    /**
     * Reads the tokens of the file.
     *
     * @throws IOException if it has no tokens
     */
    TokenizerVocabulary(JsonNode tokenizer, Path file) throws IOException {
        added = tokenizer.path("added_tokens");
        vocabulary = tokenizer.path("model").path("vocab");
        int largest = -1;
        for (JsonNode token : added) {
            largest = Math.max(largest, token.path("id").asInt(-1));
        }
        if (vocabulary.isArray()) {
            largest = Math.max(largest, vocabulary.size() - 1);
        } else {
            for (JsonNode id : vocabulary) {
                largest = Math.max(largest, id.asInt(-1));
            }
        }
        if (largest < 0) {
            throw new IOException(file + ": it has no tokens under model.vocab");
        }
        size = largest + 1;
    }

    /** The largest id plus one. */
    int size() {
        return size;
    }

    /** The id of a token, if it exists. */
    OptionalInt id(String token) {
        for (JsonNode candidate : added) {
            if (token.equals(candidate.path("content").asText())) {
                return OptionalInt.of(candidate.path("id").asInt());
            }
        }
        if (vocabulary.has(token)) {
            return OptionalInt.of(vocabulary.get(token).asInt());
        }
        // A Unigram model lists pairs of a token and its log-probability; the index is the id.
        for (int i = 0; vocabulary.isArray() && i < vocabulary.size(); i++) {
            if (token.equals(vocabulary.get(i).path(0).asText())) {
                return OptionalInt.of(i);
            }
        }
        return OptionalInt.empty();
    }
}
