package io.gradus.data.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import io.gradus.data.tokenizer.huggingface.TokenizerFiles;
import io.gradus.data.tokenizer.huggingface.TransformersTokenizer;
import java.io.IOException;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.OptionalInt;
import java.util.SequencedSet;

/**
 * The special tokens of a Hugging Face folder: those that transformers gives its tokenizer, or else the ids in {@code
 * generation_config.json}, or else those in {@code config.json}.
 *
 * @param bos the token that begins a text
 * @param eos the token that ends a text
 * @param eosIds all tokens that end a text: {@code eos}, and the {@code eos_token_id} (a number or a list) of {@code
 *     generation_config.json} or else of {@code config.json}
 */
record SpecialTokens(OptionalInt bos, OptionalInt eos, SequencedSet<Integer> eosIds) {

    static SpecialTokens read(TransformersTokenizer tokenizer) throws IOException {
        OptionalInt eos = token(tokenizer, "eos_token");
        var eosIds = new LinkedHashSet<Integer>();
        eos.ifPresent(eosIds::add);
        eosIds.addAll(ids(tokenizer.files(), "eos_token_id"));
        return new SpecialTokens(token(tokenizer, "bos_token"), eos, eosIds);
    }

    private static OptionalInt token(TransformersTokenizer tokenizer, String name) throws IOException {
        OptionalInt id = tokenizer.namedId(name);
        if (id.isPresent() || tokenizer.hasSetting(name)) {
            return id;
        }
        SequencedSet<Integer> ids = ids(tokenizer.files(), name + "_id");
        return ids.isEmpty() ? OptionalInt.empty() : OptionalInt.of(ids.getFirst());
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
