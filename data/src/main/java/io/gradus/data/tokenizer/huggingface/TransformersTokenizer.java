package io.gradus.data.tokenizer.huggingface;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A tokenizer as transformers 5 builds it from the files of a folder. Thread-safe.
 *
 * <p>All files are checked before the native library gets what it needs of them: the normalizer, the pre-tokenizer, the model, and
 * the added tokens. Special tokens around a text, and decoding, are computed here.
 */
public final class TransformersTokenizer {
    private final TokenizerFiles files;
    private final TokenSettings settings;
    private final Map<String, AddedToken> named;
    private final JsonNode normalizer;
    private final JsonNode preTokenizer;
    private final Vocabulary vocabulary;
    private final AddedTokens added;
    private final Map<Integer, String> addedTexts;
    private final SpecialTokenTemplate template;
    private final TokenDecoder decoder;
    private final NativeTokenizer library;
    private final int longestText;
    private final Splitting splitting;

    /**
     * Builds the tokenizer of a folder.
     *
     * @throws IOException if a file is missing or malformed, or the ids of transformers cannot be computed; the message names the
     *     file
     */
    public TransformersTokenizer(TokenizerFiles given) throws IOException {
        TransformersClass rules = rules(given);
        boolean isOlder = !given.has(TokenizerFiles.TOKENIZER);
        JsonPart root = isOlder
                ? new JsonPart(given.path(TokenizerFiles.TOKENIZER), "", older(rules, given))
                : given.part(TokenizerFiles.TOKENIZER);
        settings = new TokenSettings(given, root);
        requireSupported();
        check(root);

        JsonPart parts = rules == null ? root : root.with(rules.parts(root, settings));
        PipelineCheck pipeline = new PipelineCheck();
        normalizer = pipeline.normalizer(parts.get("normalizer"));
        preTokenizer = pipeline.preTokenizer(parts.get("pre_tokenizer"));
        pipeline.requireUsefulLength(root);
        longestText = pipeline.longestText();
        decoder = TokenDecoder.read(parts.get("decoder"));
        vocabulary = Vocabulary.read(parts.get("model"));

        named = settings.named(rules == null ? padding(root) : rules.specialTokens());
        added = add(rules, root);
        template = template(rules, root, isOlder);
        addedTexts = NormalizedTokens.texts(added, normalizer, longestText, root);
        ObjectNode json = json();
        splitting = Splitting.of(json, longestText);
        library = NativeTokenizer.of(json.toString(), root.file());
        files = isOlder ? given.with(TokenizerFiles.TOKENIZER, withDecoder(json, parts)) : given;
    }

    private static @Nullable TransformersClass rules(TokenizerFiles files) throws IOException {
        String name = TransformersClasses.of(files);
        if (name.equals(TransformersClasses.BACKEND)) {
            return null;
        }
        return TransformersClass.named(name)
                .orElseThrow(() -> new IOException(files.path(TokenizerFiles.TOKENIZER_CONFIG) + ": transformers "
                        + TransformersClasses.version() + " loads this tokenizer with the class " + name
                        + ", which Gradus does not have; if tokenizer.json alone describes the tokenizer, set"
                        + " tokenizer_class to " + TransformersClasses.BACKEND));
    }

    /** The contents of older files in the form of a {@code tokenizer.json}. */
    private static ObjectNode older(@Nullable TransformersClass rules, TokenizerFiles files) throws IOException {
        if (rules != null && VocabularyFiles.suffice(rules, files)) {
            return VocabularyFiles.tokenizerJson(rules, files);
        }
        for (String other : new String[] {"tokenizer.model", TokenizerFiles.VOCABULARY, TokenizerFiles.WORDS}) {
            if (files.has(other)) {
                throw new IOException(files.folder() + ": it has a " + other
                        + " but no tokenizer.json; convert it once, in Python: transformers.AutoTokenizer.from_pretrained(\""
                        + files.folder() + "\").save_pretrained(\"" + files.folder() + "\")");
            }
        }
        throw new IOException(
                files.folder() + ": it has no tokenizer.json; copy the tokenizer's files from the model that"
                        + " this one comes from");
    }

    private void requireSupported() throws IOException {
        for (String name : new String[] {"split_special_tokens", "fix_mistral_regex"}) {
            JsonPart setting = settings.get(name);
            setting.require(!setting.flag(false), "false; Gradus does not have it");
        }
        JsonPart versions = settings.get("fast_tokenizer_files");
        for (JsonPart name : versions.isAbsent() ? List.<JsonPart>of() : versions.list()) {
            name.require(name.text().equals(TokenizerFiles.TOKENIZER), "'" + TokenizerFiles.TOKENIZER + "'");
        }
    }

    /** Checks what the class replaces, too: transformers reads it. */
    private static void check(JsonPart root) throws IOException {
        JsonPart version = root.get("version");
        version.require(version.isAbsent() || version.text().equals("1.0"), "'1.0'");
        PipelineCheck pipeline = new PipelineCheck();
        pipeline.normalizer(root.get("normalizer"));
        pipeline.preTokenizer(root.get("pre_tokenizer"));
        TokenDecoder.read(root.get("decoder"));
        SpecialTokenTemplate.read(root.get("post_processor"));
    }

    /** The padding token of the file, which is a special token unless a setting names another. */
    private static Map<String, String> padding(JsonPart root) throws IOException {
        JsonPart padding = root.get("padding");
        return padding.isAbsent()
                ? Map.of()
                : Map.of("pad_token", padding.object().get("pad_token").text());
    }

    private AddedTokens add(@Nullable TransformersClass rules, JsonPart root) throws IOException {
        AddedTokens tokens = new AddedTokens(vocabulary);
        if (rules == null && !root.get("added_tokens").isAbsent()) {
            List<AddedToken> own = new ArrayList<>();
            for (JsonPart token : root.get("added_tokens").list()) {
                token.get("id").integer(0, Vocabulary.MAX_ID);
                own.add(AddedToken.ofTokenizerJson(token));
            }
            tokens.add(own);
        }
        List<AddedToken> extra = rules == TransformersClass.T5 ? settings.extraOfT5() : settings.extra();
        List<AddedToken> more = new ArrayList<>(settings.added());
        Set<String> known = new HashSet<>();
        more.forEach(token -> known.add(token.content()));
        tokens.byId().values().forEach(token -> known.add(token.content()));
        Stream.concat(named.values().stream(), extra.stream())
                .filter(token -> !known.contains(token.content()))
                .forEach(more::add);
        Set<String> names = new HashSet<>();
        named.values().forEach(token -> names.add(token.content()));
        tokens.add(more.stream()
                .map(token -> names.contains(token.content()) ? token.asSpecial() : token)
                .toList());
        if (rules == TransformersClass.QWEN2) {
            tokens.add(Stream.concat(named.values().stream(), extra.stream())
                    .map(token -> AddedToken.of(token.content(), true))
                    .toList());
        }
        if (!tokens.hasIdsOfNativeLibrary()
                || !tokens.byId().isEmpty() && tokens.byId().lastKey() > Vocabulary.MAX_ID) {
            throw root.error(
                    "has added tokens whose ids cannot be computed, because the ids under model.vocab have gaps");
        }
        if (vocabulary.tokens().isEmpty() && tokens.byId().isEmpty()) {
            throw root.error("has no tokens under model.vocab");
        }
        return tokens;
    }

    /**
     * The special tokens around a text.
     *
     * @param hasFlags whether the settings {@code add_bos_token} and {@code add_eos_token} have an effect; not beside a {@code
     *     tokenizer.json}
     */
    private SpecialTokenTemplate template(@Nullable TransformersClass rules, JsonPart root, boolean hasFlags)
            throws IOException {
        if (rules != null) {
            switch (rules) {
                case BERT, DISTILBERT -> {
                    return SpecialTokenTemplate.bert(id(root, "cls_token"), id(root, "sep_token"));
                }
                case ROBERTA -> {
                    return SpecialTokenTemplate.roberta(id(root, "cls_token"), id(root, "sep_token"));
                }
                case XLM_ROBERTA -> {
                    return SpecialTokenTemplate.roberta(id(root, "bos_token"), id(root, "eos_token"));
                }
                case T5 -> {
                    return SpecialTokenTemplate.around(List.of(), List.of(id(root, "eos_token")), 0);
                }
                case GPT_NEOX -> {
                    return hasFlags ? flagged(root) : SpecialTokenTemplate.NONE;
                }
                default -> {}
            }
        }
        return hasFlags ? flagged(root) : SpecialTokenTemplate.read(root.get("post_processor"));
    }

    private SpecialTokenTemplate flagged(JsonPart root) throws IOException {
        boolean bos = settings.get("add_bos_token").flag(false) && named.containsKey("bos_token");
        boolean eos = settings.get("add_eos_token").flag(false) && named.containsKey("eos_token");
        return SpecialTokenTemplate.around(
                bos ? List.of(id(root, "bos_token")) : List.of(), eos ? List.of(id(root, "eos_token")) : List.of(), 1);
    }

    private int id(JsonPart root, String name) throws IOException {
        return namedId(name)
                .orElseThrow(() -> root.error("needs a " + name + ", which the settings say it does not have"));
    }

    /** The parts that compute ids, in the form of a {@code tokenizer.json}; they are all checked. */
    public ObjectNode json() {
        ObjectNode json = JsonNodeFactory.instance.objectNode().put("version", "1.0");
        json.putNull("truncation").putNull("padding");
        ArrayNode tokens = json.putArray("added_tokens");
        added.byId().forEach((id, token) -> tokens.add(token.toJson(id)));
        json.set("normalizer", normalizer);
        json.set("pre_tokenizer", preTokenizer);
        json.putNull("post_processor").putNull("decoder");
        json.set("model", vocabulary.json());
        return json;
    }

    /** The JSON with a decoder and a post-processor, to be saved. */
    private byte[] withDecoder(ObjectNode json, JsonPart parts) {
        json.set("decoder", parts.get("decoder").value());
        json.set("post_processor", template.toJson(this::text));
        return json.toString().getBytes(StandardCharsets.UTF_8);
    }

    /** The length in UTF-16 units of the longest text that {@link #encode} accepts. */
    public int longestText() {
        return longestText;
    }

    /** Where a long text may be cut. */
    public Splitting splitting() {
        return splitting;
    }

    /**
     * The ids of a text, without special tokens around it.
     *
     * @param text without unpaired surrogates
     * @throws IllegalArgumentException if the text is longer than {@link #longestText}, or has a part for which there is no token
     */
    public int[] encode(String text) {
        return encoded(text, library::encode);
    }

    /** The ids of a text, as {@link #encode}, and their places. */
    public PlacedIds places(String text) {
        return encoded(text, library::places);
    }

    private <T> T encoded(String text, Function<String, T> encoder) {
        if (text.length() > longestText) {
            throw new IllegalArgumentException(files.path(TokenizerFiles.TOKENIZER) + ": the text has " + text.length()
                    + " characters; the tokenizer can process " + longestText + " at once");
        }
        try {
            return encoder.apply(text);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    files.path(TokenizerFiles.TOKENIZER) + ": " + e.getMessage() + "; the text has no tokens", e);
        }
    }

    /** Ids with the special tokens in front and behind that the model was trained with. */
    public int[] withSpecialTokens(int[] ids) {
        return template.around(ids);
    }

    /** The ids in front of a text that the model was trained with. */
    public List<Integer> before() {
        return template.before();
    }

    /** The ids behind a text that the model was trained with. */
    public List<Integer> after() {
        return template.after();
    }

    /**
     * Two texts with their special tokens.
     *
     * @throws IllegalArgumentException if the post-processor does not say how
     */
    public TypedIds withSpecialTokens(int[] first, int[] second) {
        if (template.pair().isEmpty()) {
            throw new IllegalArgumentException(files.path(TokenizerFiles.TOKENIZER)
                    + ": the post-processor has no template for pairs of texts; leave out the second text");
        }
        return template.around(first, second);
    }

    /** The text of ids. Ids without a token have no text. */
    public String decode(int[] ids, boolean skipSpecialTokens) {
        List<String> tokens = new ArrayList<>(ids.length);
        for (int id : ids) {
            String text = text(id);
            if (text != null && !(skipSpecialTokens && added.isSpecial(text))) {
                tokens.add(text);
            }
        }
        return decoder.decode(tokens);
    }

    private @Nullable String text(int id) {
        String text = addedTexts.get(id);
        return text == null ? vocabulary.tokens().get(id) : text;
    }

    /** The id of a token. */
    public OptionalInt id(String token) {
        return added.id(token);
    }

    /** The id of the special token with a name, such as {@code eos_token}. */
    public OptionalInt namedId(String name) {
        AddedToken token = named.get(name);
        return token == null ? OptionalInt.empty() : added.id(token.content());
    }

    /** The special tokens that have a name, such as {@code eos_token}. */
    public Map<String, String> named() {
        Map<String, String> texts = new LinkedHashMap<>();
        TokenSettings.NAMES.forEach(name -> {
            AddedToken token = named.get(name);
            if (token != null) {
                texts.put(name, token.content());
            }
        });
        return texts;
    }

    /** Whether a token was added to those of the model, as special tokens are. */
    public boolean isAdded(int id) {
        return added.byId().containsKey(id);
    }

    /** Whether a file has a setting with a name, possibly {@code null}. */
    public boolean hasSetting(String name) {
        return !settings.get(name).value().isMissingNode();
    }

    /** The largest id plus one. */
    public int size() {
        int largest = added.byId().isEmpty() ? -1 : added.byId().lastKey();
        for (int id : vocabulary.tokens().keySet()) {
            largest = Math.max(largest, id);
        }
        return largest + 1;
    }

    /** The files from which it was built, with a {@code tokenizer.json}. */
    public TokenizerFiles files() {
        return files;
    }
}
