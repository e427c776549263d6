package io.gradus.data.tokenizer.huggingface;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The settings of {@code tokenizer_config.json} and of the older files {@code special_tokens_map.json} and {@code added_tokens.json},
 * joined as transformers 5 joins them: if {@code tokenizer_config.json} has {@code added_tokens_decoder}, the older files have no
 * effect; otherwise they come after it.
 */
final class TokenSettings {
    static final String ADDED_TOKENS = "added_tokens.json";

    /** The names of special tokens that every tokenizer may have, in the order in which transformers adds them. */
    static final List<String> NAMES =
            List.of("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token");

    private static final List<String> EXTRA = List.of("extra_special_tokens", "additional_special_tokens");

    private static final int MAX_GAPS = 10_000;

    private final TokenizerFiles files;
    /** The settings, each with the file that has it. */
    private final Map<String, JsonPart> settings = new LinkedHashMap<>();

    private final Map<Integer, AddedToken> added = new TreeMap<>();
    private final Map<String, AddedToken> addedByContent = new LinkedHashMap<>();

    /**
     * Reads the settings.
     *
     * @param files of the folder
     * @param tokenizer the contents of {@code tokenizer.json}, possibly missing
     */
    TokenSettings(TokenizerFiles files, JsonPart tokenizer) throws IOException {
        this.files = files;
        putAll(TokenizerFiles.TOKENIZER_CONFIG);
        if (!settings.containsKey(EXTRA.getFirst()) || isEmpty(settings.get(EXTRA.getFirst()))) {
            JsonPart older = settings.remove(EXTRA.getLast());
            if (older != null) {
                settings.put(EXTRA.getFirst(), older);
            }
        }
        JsonPart decoder = settings.get("added_tokens_decoder");
        if (decoder != null) {
            for (Map.Entry<String, JsonNode> entry : decoder.object().value().properties()) {
                decoder.require(entry.getKey().matches("\\d{1,18}"), "an object whose keys are ids");
                JsonPart token = decoder.get(entry.getKey());
                long id = Long.parseLong(entry.getKey());
                if (id > Vocabulary.MAX_ID) {
                    throw token.error("has an id above " + Vocabulary.MAX_ID);
                }
                put((int) id, AddedToken.ofConfig(token, token.get("special").flag(false)));
            }
        } else {
            readOlderFiles(tokenizer);
        }
    }

    private static boolean isEmpty(@Nullable JsonPart part) {
        return part == null || part.isAbsent() || part.value().isEmpty();
    }

    private void putAll(String name) throws IOException {
        JsonPart root = files.part(name);
        root.value().properties().forEach(entry -> settings.put(entry.getKey(), root.get(entry.getKey())));
    }

    private void put(int id, AddedToken token) {
        added.put(id, token);
        addedByContent.put(token.content(), token);
    }

    private void readOlderFiles(JsonPart tokenizer) throws IOException {
        JsonPart extra = settings.get(EXTRA.getFirst());
        putAll(TokenizerFiles.SPECIAL_TOKENS_MAP);
        JsonPart more = settings.get(EXTRA.getFirst());
        if (extra != null
                && more != null
                && more != extra
                && more.value().isArray()
                && extra.value().isArray()) {
            ArrayNode both = JsonNodeFactory.instance.arrayNode();
            extra.value().forEach(both::add);
            more.value().forEach(both::add);
            settings.put(EXTRA.getFirst(), more.with(both));
        }
        Set<String> special = namesKnownEarly();
        JsonPart older = files.part(ADDED_TOKENS);
        for (Map.Entry<String, JsonNode> entry : older.value().properties()) {
            int id = older.get(entry.getKey()).integer(0, Vocabulary.MAX_ID);
            String content = AddedToken.content(older.with(JsonNodeFactory.instance.textNode(entry.getKey())));
            boolean isSpecial = special.contains(content);
            put(id, AddedToken.of(content, isSpecial));
        }
        JsonPart tokens = tokenizer.get("added_tokens");
        for (JsonPart token : tokens.isAbsent() ? List.<JsonPart>of() : tokens.list()) {
            put(token.get("id").integer(0, Vocabulary.MAX_ID), AddedToken.ofTokenizerJson(token));
        }
    }

    /** The special tokens as far as transformers knows them when it reads {@code added_tokens.json}: not yet those in objects. */
    private Set<String> namesKnownEarly() throws IOException {
        List<JsonPart> parts = new ArrayList<>();
        NAMES.forEach(name -> parts.add(get(name)));
        JsonPart extra = get(EXTRA.getFirst());
        parts.addAll(extra.value().isArray() ? extra.list() : List.of());
        Set<String> known = new HashSet<>();
        for (JsonPart part : parts) {
            boolean isKnown = part.value().isTextual() || part.file().endsWith(TokenizerFiles.SPECIAL_TOKENS_MAP);
            if (isKnown && !part.isAbsent()) {
                known.add(token(part).content());
            }
        }
        return known;
    }

    /** Tokens to add, in the order of the ids that the files give them. */
    List<AddedToken> added() {
        return List.copyOf(added.values());
    }

    /**
     * The special tokens that have a name, such as {@code eos_token}.
     *
     * @param defaults of the class, for names that no file has
     */
    Map<String, AddedToken> named(Map<String, String> defaults) throws IOException {
        Map<String, AddedToken> named = new LinkedHashMap<>();
        for (String name : NAMES) {
            JsonPart setting = settings.get(name);
            String fallback = defaults.get(name);
            if (setting != null && !setting.isAbsent()) {
                AddedToken token = token(setting);
                named.put(name, addedByContent.getOrDefault(token.content(), token));
            } else if (setting == null && fallback != null) {
                named.put(name, AddedToken.of(fallback, true));
            }
        }
        for (Map.Entry<String, JsonPart> setting : settings.entrySet()) {
            JsonNode value = setting.getValue().value();
            boolean isToken = value.isTextual() || value.path("__type").asText().equals("AddedToken");
            if (setting.getKey().endsWith("_token") && !NAMES.contains(setting.getKey()) && isToken) {
                named.put(setting.getKey(), token(setting.getValue()));
            }
        }
        JsonPart extra = settings.get(EXTRA.getFirst());
        if (extra != null && extra.value().isObject()) {
            for (String name : (Iterable<String>) extra.value()::fieldNames) {
                named.put(name, token(extra.get(name)));
            }
        }
        return named;
    }

    /** A special token: a text, or an object. */
    private static AddedToken token(JsonPart part) throws IOException {
        part.require(part.value().isTextual() || part.value().isObject(), "a token or null");
        if (part.value().isTextual()) {
            return AddedToken.of(AddedToken.content(part), true);
        }
        return part.file().endsWith(TokenizerFiles.SPECIAL_TOKENS_MAP)
                ? AddedToken.ofConfig(part, true)
                : AddedToken.ofConfig(part, part.get("special").flag(false));
    }

    /** The special tokens without a name. */
    List<AddedToken> extra() throws IOException {
        JsonPart extra = get(hasListOfExtra() ? EXTRA.getFirst() : EXTRA.getLast());
        List<AddedToken> tokens = new ArrayList<>();
        for (JsonPart token : extra.isAbsent() ? List.<JsonPart>of() : extra.list()) {
            tokens.add(token(token));
        }
        return tokens;
    }

    /** Whether the newer setting is there, unless it is an object: its tokens have names. */
    private boolean hasListOfExtra() {
        JsonPart extra = settings.get(EXTRA.getFirst());
        return extra != null && !extra.value().isObject();
    }

    /** The special tokens without a name of T5: without a setting, those that stand for a gap in a text. */
    List<AddedToken> extraOfT5() throws IOException {
        List<AddedToken> tokens = new ArrayList<>(extra());
        int gaps = get("extra_ids").integer(0, MAX_GAPS, 100);
        long named = tokens.stream()
                .filter(token -> token.content().contains("<extra_id_"))
                .count();
        if (!hasListOfExtra() && named == 0) {
            for (int i = 0; i < gaps; i++) {
                tokens.add(AddedToken.of("<extra_id_" + i + ">", true));
            }
        }
        return tokens;
    }

    /** The setting of a name, possibly a missing value. */
    JsonPart get(String name) {
        JsonPart setting = settings.get(name);
        return setting != null
                ? setting
                : new JsonPart(
                        files.path(TokenizerFiles.TOKENIZER_CONFIG), name, JsonNodeFactory.instance.missingNode());
    }
}
