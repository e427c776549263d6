package io.gradus.data.tokenizer.huggingface;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A class of transformers 5 that puts parts of its own in place of those in {@code tokenizer.json}: it uses only the vocabulary, the
 * merges, the table of a {@code Precompiled} normalizer, and mostly the post-processor.
 */
enum TransformersClass {
    GPT2("GPT2Tokenizer", "BPE", "unk=<|endoftext|> bos=<|endoftext|> eos=<|endoftext|>"),
    GPT_NEOX("GPTNeoXTokenizer", "BPE", "unk=<|endoftext|> bos=<|endoftext|> eos=<|endoftext|> pad=<|padding|>"),
    QWEN2("Qwen2Tokenizer", "BPE", "unk=<|endoftext|> eos=<|endoftext|> pad=<|endoftext|>"),
    QWEN3_5("Qwen3_5Tokenizer", "BPE", "unk=<|endoftext|> eos=<|endoftext|> pad=<|endoftext|>"),
    LLAMA("LlamaTokenizer", "BPE", "unk=<unk> bos=<s> eos=</s>"),
    GEMMA("GemmaTokenizer", "BPE", "unk=<unk> bos=<bos> eos=<eos> pad=<pad> mask=<mask>"),
    ROBERTA("RobertaTokenizer", "BPE", "bos=<s> eos=</s> sep=</s> cls=<s> unk=<unk> pad=<pad> mask=<mask>"),
    BERT("BertTokenizer", "WordPiece", "unk=[UNK] sep=[SEP] pad=[PAD] cls=[CLS] mask=[MASK]"),
    DISTILBERT("DistilBertTokenizer", "WordPiece", "unk=[UNK] sep=[SEP] pad=[PAD] cls=[CLS] mask=[MASK]"),
    T5("T5Tokenizer", "Unigram", "eos=</s> unk=<unk> pad=<pad>"),
    XLM_ROBERTA("XLMRobertaTokenizer", "Unigram", "bos=<s> eos=</s> sep=</s> cls=<s> unk=<unk> pad=<pad> mask=<mask>");

    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
    private static final JsonNode NONE = JSON.nullNode();
    /** SentencePiece's sign for a space. */
    private static final String SPACE = "\u2581";

    private final String transformersName;
    private final String modelType;
    private final Map<String, String> specialTokens = new LinkedHashMap<>();

    TransformersClass(String transformersName, String modelType, String specialTokens) {
        this.transformersName = transformersName;
        this.modelType = modelType;
        for (String token : specialTokens.split(" ", -1)) {
            String[] pair = token.split("=", 2);
            this.specialTokens.put(pair[0] + "_token", pair[1]);
        }
    }

    /** The class of a name in transformers, if it is known here. */
    static Optional<TransformersClass> named(String name) {
        return Stream.of(values()).filter(c -> c.transformersName.equals(name)).findFirst();
    }

    /** The special tokens that the class has unless a file names others. */
    Map<String, String> specialTokens() {
        return Map.copyOf(specialTokens);
    }

    /** The type of model that the class needs. */
    String modelType() {
        return modelType;
    }

    /**
     * The parts that the class builds.
     *
     * @param file the contents of {@code tokenizer.json}
     * @param settings of the folder
     * @return an object with {@code normalizer}, {@code pre_tokenizer}, {@code decoder} and {@code model}
     * @throws IOException if the model has another type, or a setting is malformed
     */
    ObjectNode parts(JsonPart file, TokenSettings settings) throws IOException {
        JsonPart model = file.get("model");
        String type = Vocabulary.type(model);
        if (!type.equals(modelType)) {
            throw model.error("has the type " + type + ", but transformers loads this tokenizer with the class "
                    + transformersName + ", which needs " + modelType + "; set tokenizer_class in "
                    + TokenizerFiles.TOKENIZER_CONFIG + " to the class that it was saved with");
        }
        boolean prefixSpace = settings.get("add_prefix_space").flag(this == LLAMA || this == XLM_ROBERTA);
        ObjectNode parts = switch (this) {
            case GPT2, ROBERTA -> parts(NONE, byteLevel(prefixSpace, true), byteLevel(true, true));
            case GPT_NEOX -> parts(part("NFC"), byteLevel(prefixSpace, true), byteLevel(true, true));
            case QWEN2 -> qwen("\\p{L}", prefixSpace);
            case QWEN3_5 -> qwen("\\p{L}\\p{M}", prefixSpace);
            case LLAMA -> llama(prefixSpace, settings.get("legacy").flag(false));
            case GEMMA -> gemma();
            case BERT, DISTILBERT -> bert(settings);
            case T5, XLM_ROBERTA -> sentencePiece(prefixSpace || this == T5, file.get("normalizer"));
        };
        parts.set("model", model(model, settings));
        return parts;
    }

    private ObjectNode model(JsonPart model, TokenSettings settings) throws IOException {
        ObjectNode copy = part(modelType);
        copy.set("vocab", model.get("vocab").value());
        AddedToken named = settings.named(specialTokens).get("unk_token");
        String unknown = named == null ? "None" : named.content();
        switch (this) {
            case GPT2, GPT_NEOX, QWEN2, QWEN3_5, ROBERTA ->
                copy.put("continuing_subword_prefix", "").put("end_of_word_suffix", "");
            case LLAMA -> copy.put("fuse_unk", true).put("byte_fallback", true);
            case GEMMA -> copy.put("fuse_unk", true).put("byte_fallback", true).put("unk_token", unknown);
            case BERT, DISTILBERT ->
                copy.put("unk_token", unknown)
                        .put("continuing_subword_prefix", "##")
                        .put("max_input_chars_per_word", 100);
            case T5 -> copy.put("unk_id", 2);
            case XLM_ROBERTA -> copy.put("unk_id", 3);
        }
        if (modelType.equals("BPE")) {
            copy.set("merges", model.get("merges").value());
        }
        return copy;
    }

    private static ObjectNode parts(JsonNode normalizer, JsonNode preTokenizer, JsonNode decoder) {
        ObjectNode parts = JSON.objectNode();
        parts.set("normalizer", normalizer);
        parts.set("pre_tokenizer", preTokenizer);
        parts.set("decoder", decoder);
        return parts;
    }

    private static ObjectNode part(String type) {
        return JSON.objectNode().put("type", type);
    }

    private static ObjectNode sequence(String key, ObjectNode... parts) {
        ObjectNode sequence = part("Sequence");
        sequence.putArray(key).addAll(List.of(parts));
        return sequence;
    }

    private static ObjectNode byteLevel(boolean prefixSpace, boolean useRegex) {
        return part("ByteLevel")
                .put("add_prefix_space", prefixSpace)
                .put("trim_offsets", true)
                .put("use_regex", useRegex);
    }

    private static ObjectNode replace(String text, String content) {
        ObjectNode replace = part("Replace").put("content", content);
        replace.putObject("pattern").put("String", text);
        return replace;
    }

    private static ObjectNode split(String kind, String pattern, String behavior) {
        ObjectNode split = part("Split").put("behavior", behavior).put("invert", false);
        split.putObject("pattern").put(kind, pattern);
        return split;
    }

    /** A word is letters with at most one other character in front, one digit, or punctuation. */
    private static ObjectNode qwen(String letters, boolean prefixSpace) {
        String words = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?[" + letters + "]+|\\p{N}| ?[^\\s" + letters
                + "\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
        ObjectNode preTokenizer =
                sequence("pretokenizers", split("Regex", words, "Isolated"), byteLevel(prefixSpace, false));
        return parts(part("NFC"), preTokenizer, byteLevel(true, true));
    }

    private static ObjectNode llama(boolean prefixSpace, boolean legacy) {
        ObjectNode decoder = byteFallback();
        if (prefixSpace) {
            decoder.withArray("decoders")
                    .add(part("Strip").put("content", " ").put("start", 1).put("stop", 0));
        }
        return parts(NONE, metaspace(!prefixSpace ? "never" : legacy ? "always" : "first", false), decoder);
    }

    private static ObjectNode gemma() {
        return parts(replace(" ", SPACE), split("String", " ", "MergedWithPrevious"), byteFallback());
    }

    private static ObjectNode byteFallback() {
        return sequence("decoders", replace(SPACE, " "), part("ByteFallback"), part("Fuse"));
    }

    private static ObjectNode metaspace(String prependScheme, boolean split) {
        return part("Metaspace")
                .put("replacement", SPACE)
                .put("prepend_scheme", prependScheme)
                .put("split", split);
    }

    private static ObjectNode bert(TokenSettings settings) throws IOException {
        JsonPart accents = settings.get("strip_accents");
        ObjectNode normalizer = part("BertNormalizer")
                .put("clean_text", true)
                .put(
                        "handle_chinese_chars",
                        settings.get("tokenize_chinese_chars").flag(true))
                .put("lowercase", settings.get("do_lower_case").flag(true));
        normalizer.set("strip_accents", accents.isAbsent() ? NONE : JSON.booleanNode(accents.flag()));
        ObjectNode decoder = part("WordPiece").put("prefix", "##").put("cleanup", true);
        return parts(normalizer, part("BertPreTokenizer"), decoder);
    }

    private static ObjectNode sentencePiece(boolean prefixSpace, JsonPart normalizer) throws IOException {
        String scheme = prefixSpace ? "always" : "never";
        ObjectNode preTokenizer = sequence("pretokenizers", part("WhitespaceSplit"), metaspace(scheme, true));
        return parts(precompiled(normalizer), preTokenizer, metaspace(scheme, true));
    }

    /** The table of SentencePiece in a normalizer or in a sequence of them; a null node if there is none. */
    private static JsonNode precompiled(JsonPart normalizer) throws IOException {
        boolean isSequence = normalizer.get("type").value().asText().equals("Sequence");
        List<JsonPart> normalizers = isSequence ? normalizer.get("normalizers").list() : List.of(normalizer);
        return normalizers.stream()
                .map(JsonPart::value)
                .filter(part -> part.path("type").asText().equals("Precompiled"))
                .findFirst()
                .orElse(NONE);
    }
}
