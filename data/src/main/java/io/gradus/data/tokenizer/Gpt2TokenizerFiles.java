package io.gradus.data.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The tokenizer files of early GPT-2 repositories: {@code vocab.json} has the tokens and their ids, and {@code merges.txt} the
 * merges of byte-pair encoding (Sennrich et al. 2016), one per line, in order. The rest is the same for all of them, so a {@code
 * tokenizer.json} can be derived.
 */
final class Gpt2TokenizerFiles {
    static final String VOCABULARY = "vocab.json";
    static final String MERGES = "merges.txt";

    private static final String ADDED_TOKENS = "added_tokens.json";
    private static final String END_OF_TEXT = "<|endoftext|>";
    private static final Set<String> CLASSES = Set.of("GPT2Tokenizer", "GPT2TokenizerFast");
    private static final List<String> SPECIAL = List.of("bos_token", "eos_token", "unk_token", "pad_token");

    private Gpt2TokenizerFiles() {}

    /** Whether a folder without a {@code tokenizer.json} has such a tokenizer; other model families split words differently. */
    static boolean isDescribedBy(TokenizerFiles files) throws IOException {
        String used = files.json(TokenizerFiles.TOKENIZER_CONFIG)
                .path("tokenizer_class")
                .asText("GPT2Tokenizer");
        return files.contents().containsKey(VOCABULARY)
                && CLASSES.contains(used)
                && files.json(TokenizerFiles.CONFIG)
                        .path("model_type")
                        .asText("")
                        .equals("gpt2");
    }

    /**
     * Adds a {@code tokenizer.json} to the files.
     *
     * @throws IOException if a file is missing or malformed; the message names it
     */
    static TokenizerFiles withTokenizerJson(TokenizerFiles files) throws IOException {
        ObjectMapper mapper = new ObjectMapper();
        boolean prefixSpace = files.json(TokenizerFiles.TOKENIZER_CONFIG)
                .path("add_prefix_space")
                .asBoolean(false);
        ObjectNode json = mapper.createObjectNode().put("version", "1.0");
        json.putNull("truncation").putNull("padding");
        json.set("added_tokens", addedTokens(files));
        json.putNull("normalizer");
        json.set("pre_tokenizer", byteLevel(prefixSpace, true));
        json.set("post_processor", byteLevel(true, false));
        json.set("decoder", byteLevel(true, true));
        ObjectNode model = json.putObject("model").put("type", "BPE");
        model.putNull("dropout").putNull("unk_token");
        model.put("continuing_subword_prefix", "").put("end_of_word_suffix", "").put("fuse_unk", false);
        model.set("vocab", files.json(VOCABULARY));
        model.set("merges", merges(files));
        return files.with(TokenizerFiles.TOKENIZER, mapper.writeValueAsBytes(json));
    }

    /** Maps each byte to a character, and splits text into words before merging. */
    private static ObjectNode byteLevel(boolean addPrefixSpace, boolean trimOffsets) {
        return new ObjectMapper()
                .createObjectNode()
                .put("type", "ByteLevel")
                .put("add_prefix_space", addPrefixSpace)
                .put("trim_offsets", trimOffsets);
    }

    private static ArrayNode merges(TokenizerFiles files) throws IOException {
        byte[] content = files.contents().get(MERGES);
        if (content == null) {
            throw new IOException(files.folder() + ": it has a " + VOCABULARY + " but no " + MERGES
                    + "; copy the tokenizer files of the base model");
        }
        ArrayNode merges = new ObjectMapper().createArrayNode();
        List<String> lines = new String(content, StandardCharsets.UTF_8).lines().toList();
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i);
            if (line.isEmpty() || line.startsWith("#version")) {
                continue;
            }
            if (!line.matches("[^ ]+ [^ ]+")) {
                throw new IOException(files.path(MERGES) + ": line " + (i + 1) + " is '" + line
                        + "', not two tokens with a space between; download or copy it again");
            }
            merges.add(line);
        }
        return merges;
    }

    /** Special and added tokens, by id. */
    private static ArrayNode addedTokens(TokenizerFiles files) throws IOException {
        JsonNode vocabulary = files.json(VOCABULARY);
        JsonNode added = files.json(ADDED_TOKENS);
        var byId = new TreeMap<Integer, ObjectNode>();
        added.properties().forEach(token -> put(byId, token.getKey(), token.getValue(), false));
        put(byId, END_OF_TEXT, vocabulary.get(END_OF_TEXT), true);
        for (String key : SPECIAL) {
            for (String name : List.of(TokenizerFiles.TOKENIZER_CONFIG, TokenizerFiles.SPECIAL_TOKENS_MAP)) {
                JsonNode value = files.json(name).path(key);
                String token = (value.isObject() ? value.path("content") : value).asText("");
                put(byId, token, vocabulary.has(token) ? vocabulary.get(token) : added.get(token), true);
            }
        }
        return new ObjectMapper().createArrayNode().addAll(byId.values());
    }

    private static void put(Map<Integer, ObjectNode> byId, String token, @Nullable JsonNode id, boolean special) {
        if (id == null || !id.isInt()) {
            return;
        }
        byId.put(
                id.intValue(),
                new ObjectMapper()
                        .createObjectNode()
                        .put("id", id.intValue())
                        .put("content", token)
                        .put("single_word", false)
                        .put("lstrip", false)
                        .put("rstrip", false)
                        .put("normalized", true)
                        .put("special", special));
    }
}
