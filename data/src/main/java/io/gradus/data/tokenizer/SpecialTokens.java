package io.gradus.data.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.SequencedSet;

/**
 * The special tokens of a Hugging Face folder. {@code tokenizer_config.json} takes precedence, even if it has {@code null}; then
 * {@code special_tokens_map.json}, then the ids in {@code generation_config.json}, then those in {@code config.json}.
 *
 * @param bos the token that begins a text
 * @param eos the token that ends a text
 * @param eosIds all tokens that end a text: {@code eos}, and the {@code eos_token_id} (a number or a list) of {@code
 *     generation_config.json} or else of {@code config.json}
 * @param addBosToken {@code add_bos_token} of {@code tokenizer_config.json}, if present
 */
record SpecialTokens(OptionalInt bos, OptionalInt eos, SequencedSet<Integer> eosIds, Optional<Boolean> addBosToken) {

    static SpecialTokens read(TokenizerFiles files, TokenizerVocabulary vocabulary) throws IOException {
        OptionalInt bos = token(files, vocabulary, "bos_token");
        OptionalInt eos = token(files, vocabulary, "eos_token");
        var eosIds = new LinkedHashSet<Integer>();
        eos.ifPresent(eosIds::add);
        eosIds.addAll(ids(files, "eos_token_id"));
        JsonNode addBos = files.json(TokenizerFiles.TOKENIZER_CONFIG).path("add_bos_token");
        return new SpecialTokens(
                bos, eos, eosIds, addBos.isBoolean() ? Optional.of(addBos.booleanValue()) : Optional.empty());
    }

    private static OptionalInt token(TokenizerFiles files, TokenizerVocabulary vocabulary, String key)
            throws IOException {
        for (String name : new String[] {TokenizerFiles.TOKENIZER_CONFIG, TokenizerFiles.SPECIAL_TOKENS_MAP}) {
            JsonNode value = files.json(name).get(key);
            if (value != null) {
                return value.isNull() ? OptionalInt.empty() : OptionalInt.of(id(files, name, key, value, vocabulary));
            }
        }
        SequencedSet<Integer> ids = ids(files, key + "_id");
        return ids.isEmpty() ? OptionalInt.empty() : OptionalInt.of(ids.getFirst());
    }

    /** A token is a string, or an object with a {@code content}. */
    private static int id(TokenizerFiles files, String name, String key, JsonNode value, TokenizerVocabulary vocabulary)
            throws IOException {
        JsonNode text = value.isObject() ? value.path("content") : value;
        if (!text.isTextual()) {
            throw new IOException(files.path(name) + ": " + key + " is " + value + "; it must be a token or null");
        }
        return vocabulary
                .id(text.textValue())
                .orElseThrow(() -> new IOException(files.path(name) + ": " + key + " is '"
                        + text.textValue() + "', which " + files.path(TokenizerFiles.TOKENIZER)
                        + " does not list; the two files belong to different models"));
    }

    /** A number, a list of numbers, or nothing. */
    private static SequencedSet<Integer> ids(TokenizerFiles files, String key) throws IOException {
        for (String name : new String[] {TokenizerFiles.GENERATION_CONFIG, TokenizerFiles.CONFIG}) {
            JsonNode value = files.json(name).path(key);
            if (value.isMissingNode() || value.isNull()) {
                continue;
            }
            var ids = new LinkedHashSet<Integer>();
            for (JsonNode id : value.isArray() ? value : List.of(value)) {
                if (!id.canConvertToInt() || !id.isIntegralNumber() || id.intValue() < 0) {
                    throw new IOException(files.path(name) + ": " + key + " is " + value
                            + "; it must be a token's id, or a list of ids");
                }
                ids.add(id.intValue());
            }
            return ids;
        }
        return new LinkedHashSet<>();
    }
}
