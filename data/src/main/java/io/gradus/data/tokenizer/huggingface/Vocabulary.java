package io.gradus.data.tokenizer.huggingface;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The {@code model} of a {@code tokenizer.json}, checked.
 *
 * @param json a copy of what the native library needs
 * @param ids of the tokens
 * @param tokens by id
 */
record Vocabulary(ObjectNode json, Map<String, Integer> ids, Map<Integer, String> tokens) {
    /** No model has as many tokens; a file with a larger id is damaged. */
    static final int MAX_ID = (1 << 24) - 1;

    /** The library's prefix tree is as deep as the longest token, and it deletes the tree by recursion. */
    private static final int MAX_UNIGRAM_BYTES = 1_000;

    /** The time for a word is quadratic in this. */
    private static final int MAX_WORD = 10_000;

    private static final double MAX_SCORE = 1e300;

    /** Checks and copies a model. */
    static Vocabulary read(JsonPart model) throws IOException {
        String type = type(model.object());
        ObjectNode copy = JsonNodeFactory.instance.objectNode().put("type", type);
        return switch (type) {
            case "BPE" -> bpe(model, copy);
            case "WordPiece" -> {
                copy.put("unk_token", model.get("unk_token").text())
                        .put(
                                "continuing_subword_prefix",
                                model.get("continuing_subword_prefix").text())
                        .put(
                                "max_input_chars_per_word",
                                model.get("max_input_chars_per_word").integer(0, MAX_WORD));
                yield withIds(model, copy);
            }
            case "WordLevel" ->
                withIds(model, copy.put("unk_token", model.get("unk_token").text()));
            case "Unigram" -> unigram(model, copy);
            default -> throw PipelineCheck.unknown(model, "model");
        };
    }

    /** The type of a model. Files of early versions do not name it. */
    static String type(JsonPart model) throws IOException {
        if (!model.get("type").isAbsent()) {
            return model.get("type").text();
        }
        if (model.value().has("merges")) {
            return "BPE";
        }
        if (model.value().has("continuing_subword_prefix")) {
            return "WordPiece";
        }
        return model.get("vocab").value().isArray() ? "Unigram" : "WordLevel";
    }

    private static Vocabulary withIds(JsonPart model, ObjectNode copy) throws IOException {
        JsonPart part = model.get("vocab");
        ObjectNode copied = copy.putObject("vocab");
        Map<String, Integer> ids = new LinkedHashMap<>();
        Map<Integer, String> tokens = new HashMap<>();
        for (Map.Entry<String, JsonNode> entry : part.object().value().properties()) {
            String token = part.checked(entry.getKey());
            int id = new JsonPart(part.file(), part.path() + "['" + token + "']", entry.getValue()).integer(0, MAX_ID);
            ids.put(token, id);
            copied.put(token, id);
            String other = tokens.put(id, token);
            if (other != null) {
                throw part.error("gives the id " + id + " to both '" + other + "' and '" + token + "'");
            }
        }
        return new Vocabulary(copy, ids, tokens);
    }

    private static Vocabulary bpe(JsonPart model, ObjectNode copy) throws IOException {
        JsonPart dropout = model.get("dropout");
        dropout.require(
                dropout.isAbsent()
                        || dropout.value().isNumber() && dropout.value().doubleValue() == 0,
                "null, because the ids of a text must not be random");
        copy.putNull("dropout");
        for (String key : new String[] {"unk_token", "continuing_subword_prefix", "end_of_word_suffix"}) {
            copy.set(
                    key,
                    model.get(key).isAbsent()
                            ? copy.nullNode()
                            : copy.textNode(model.get(key).text()));
        }
        for (String key : new String[] {"fuse_unk", "byte_fallback", "ignore_merges"}) {
            copy.put(key, model.get(key).flag(false));
        }
        Vocabulary vocabulary = withIds(model, copy);
        String prefix = model.get("continuing_subword_prefix").text("");
        ArrayNode merges = copy.putArray("merges");
        for (JsonPart merge : model.get("merges").list()) {
            if (!merge.value().asText().startsWith("#version")) {
                merges.add(merge(merge, prefix, vocabulary.ids().keySet()));
            }
        }
        return vocabulary;
    }

    /** Checks a merge, {@code "a b"} or {@code ["a", "b"]}. */
    private static ArrayNode merge(JsonPart merge, String prefix, Set<String> tokens) throws IOException {
        boolean isText = merge.value().isTextual();
        merge.require(
                isText ? merge.text().matches("[^ ]* [^ ]*") : merge.value().size() == 2, "two tokens");
        String left = isText ? merge.text().split(" ", -1)[0] : merge.get(0).text();
        String right = isText ? merge.text().split(" ", -1)[1] : merge.get(1).text();
        merge.require(right.startsWith(prefix), "two tokens, the second of which begins with '" + prefix + "'");
        for (String token : List.of(left, right, left + right.substring(prefix.length()))) {
            if (!tokens.contains(token)) {
                throw merge.error("needs the token '" + token + "', which model.vocab does not have");
            }
        }
        return JsonNodeFactory.instance.arrayNode(2).add(left).add(right);
    }

    private static Vocabulary unigram(JsonPart model, ObjectNode copy) throws IOException {
        Map<String, Integer> ids = new HashMap<>();
        Map<Integer, String> tokens = new HashMap<>();
        ArrayNode copied = copy.putArray("vocab");
        for (JsonPart entry : model.get("vocab").list()) {
            entry.require(entry.value().isArray() && entry.value().size() == 2, "a token and its score");
            String token = entry.get(0).text();
            entry.get(0)
                    .require(
                            token.getBytes(StandardCharsets.UTF_8).length <= MAX_UNIGRAM_BYTES,
                            "at most " + MAX_UNIGRAM_BYTES + " bytes");
            JsonPart score = entry.get(1);
            score.require(score.value().isNumber() && Math.abs(score.value().doubleValue()) <= MAX_SCORE, "a number");
            tokens.put(copied.size(), token);
            ids.put(token, copied.size());
            copied.addArray().add(token).add(score.value().decimalValue());
        }
        JsonPart unknown = model.get("unk_id");
        copy.set(
                "unk_id",
                unknown.isAbsent() ? copy.nullNode() : copy.numberNode(unknown.integer(0, copied.size() - 1)));
        copy.put("byte_fallback", model.get("byte_fallback").flag(false));
        return new Vocabulary(copy, ids, tokens);
    }
}
