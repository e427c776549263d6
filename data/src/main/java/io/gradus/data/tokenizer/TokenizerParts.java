package io.gradus.data.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What a tokenizer is made of, for programs that write it in another format.
 *
 * @param model how a word becomes tokens: {@code BPE}, {@code WordPiece}, {@code WordLevel} or {@code Unigram}
 * @param tokens all of them by id; ids may be missing
 * @param merges of a BPE (Sennrich et al. 2016), the most important one first
 * @param unknown the token for text that has no tokens; empty if there is none
 * @param byteFallback whether text without tokens becomes tokens of its bytes, such as {@code <0x0A>}
 * @param ignoreMerges whether a word that is a token stays whole, whatever the merges are
 * @param normalizer what changes a text before all else, in the JSON of {@code tokenizer.json}; {@code null} if nothing does
 * @param preTokenizer what splits a text into words, in the same form
 * @param special ids of the special tokens that have a name, such as {@code pad_token}
 * @param before ids in front of each text in training
 * @param after ids behind it
 */
public record TokenizerParts(
        String model,
        SortedMap<Integer, Token> tokens,
        List<Merge> merges,
        String unknown,
        boolean byteFallback,
        boolean ignoreMerges,
        String normalizer,
        String preTokenizer,
        Map<String, Integer> special,
        List<Integer> before,
        List<Integer> after) {

    /** What a token is to the tokenizer. */
    public enum Kind {
        /** A token of the model. */
        NORMAL,
        /** A token that is found in a text before the model sees it. */
        ADDED,
        /** The same, and left out when ids are decoded. */
        SPECIAL
    }

    /**
     * A token.
     *
     * @param text in the model's alphabet; a BPE of bytes has one character for each byte
     * @param score of a Unigram: the logarithm of its probability; 0 in other models
     */
    public record Token(String text, Kind kind, double score) {}

    /** Two neighboring tokens that become one. */
    public record Merge(String left, String right) {}

    /**
     * Reads the parts of a {@code tokenizer.json} that has been checked.
     *
     * @param special see the record
     * @param before see the record
     * @param after see the record
     */
    static TokenizerParts of(JsonNode json, Map<String, Integer> special, List<Integer> before, List<Integer> after) {
        JsonNode model = json.path("model");
        List<Merge> merges = new ArrayList<>();
        for (JsonNode merge : model.path("merges")) {
            merges.add(new Merge(merge.path(0).asText(), merge.path(1).asText()));
        }
        return new TokenizerParts(
                model.path("type").asText(),
                tokens(json),
                merges,
                unknown(model),
                model.path("byte_fallback").asBoolean(),
                model.path("ignore_merges").asBoolean(),
                json.path("normalizer").toString(),
                json.path("pre_tokenizer").toString(),
                Map.copyOf(special),
                List.copyOf(before),
                List.copyOf(after));
    }

    private static SortedMap<Integer, Token> tokens(JsonNode json) {
        SortedMap<Integer, Token> tokens = new TreeMap<>();
        JsonNode vocabulary = json.path("model").path("vocab");
        if (vocabulary.isArray()) {
            for (JsonNode entry : vocabulary) {
                Token token = new Token(
                        entry.path(0).asText(), Kind.NORMAL, entry.path(1).asDouble());
                tokens.put(tokens.size(), token);
            }
        }
        vocabulary
                .properties()
                .forEach(entry -> tokens.put(entry.getValue().asInt(), new Token(entry.getKey(), Kind.NORMAL, 0)));
        for (JsonNode token : json.path("added_tokens")) {
            Kind kind = token.path("special").asBoolean() ? Kind.SPECIAL : Kind.ADDED;
            tokens.put(token.path("id").asInt(), new Token(token.path("content").asText(), kind, 0));
        }
        return tokens;
    }

    private static String unknown(JsonNode model) {
        JsonNode id = model.path("unk_id");
        return id.isInt()
                ? model.path("vocab").path(id.intValue()).path(0).asText()
                : model.path("unk_token").asText("");
    }
}
