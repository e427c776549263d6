package io.gradus.train.export;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.gradus.data.tokenizer.ChatTemplateText;
import io.gradus.data.tokenizer.Tokenizer;
import io.gradus.data.tokenizer.TokenizerParts;
import io.gradus.data.tokenizer.TokenizerParts.Kind;
import io.gradus.data.tokenizer.TokenizerParts.Token;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The keys {@code tokenizer.*} of a GGUF file. llama.cpp has tokenizers of its own and needs to know which one to use: {@code gpt2} is
 * a BPE of bytes, {@code llama} one of characters in the manner of SentencePiece (Kudo and Richardson 2018), and {@code bert} is
 * WordPiece.
 */
final class TokenizerGguf {
    /** Numbers of the kinds of tokens. */
    private enum Type {
        NORMAL(1),
        UNKNOWN(2),
        CONTROL(3),
        USER_DEFINED(4),
        UNUSED(5),
        BYTE(6);

        private final int code;

        Type(int code) {
            this.code = code;
        }
    }

    private static final Pattern BYTE = Pattern.compile("<0x[0-9A-F]{2}>");

    /** Special tokens beside bos and eos, with their names in the keys; that of sep is misspelled. */
    private static final SortedMap<String, String> OTHER_NAMES = new TreeMap<>(Map.of(
            "unk_token", "unknown",
            "sep_token", "seperator",
            "pad_token", "padding",
            "mask_token", "mask"));

    private final Tokenizer tokenizer;
    private final TokenizerParts parts;
    private final int vocabSize;
    private final GgufMetadata metadata;

    /**
     * @param tokenizer of the model
     * @param vocabSize the rows of the embedding table; ids without a token get one that is never used
     */
    TokenizerGguf(Tokenizer tokenizer, int vocabSize, GgufMetadata metadata) {
        this.tokenizer = tokenizer;
        this.parts = tokenizer
                .parts()
                .orElseThrow(() -> Architecture.unsupported("the tokenizer (" + tokenizer
                        + ") does not say what it is made of: Tokenizer.parts() is empty"));
        this.vocabSize = vocabSize;
        this.metadata = metadata;
        if (tokenizer.vocabSize() > vocabSize) {
            throw Architecture.unsupported("the tokenizer (" + tokenizer + ") has more tokens than the model, "
                    + vocabSize + "; use the tokenizer that the model was trained with");
        }
    }

    /**
     * Adds the keys.
     *
     * @param pre the name of the pre-tokenizer, or null to find it
     * @throws IllegalArgumentException if llama.cpp has no such tokenizer
     */
    void describe(@Nullable String pre) throws IOException {
        String model = model();
        if (pre != null && !model.equals("gpt2")) {
            throw Architecture.unsupported("--pre is " + pre + ", but the tokenizer (" + tokenizer
                    + ") is none of bytes, which alone have a pre-tokenizer in llama.cpp; leave it out");
        }
        metadata.text("tokenizer.ggml.model", model);
        metadata.text("tokenizer.ggml.pre", model.equals("gpt2") ? pre(pre) : "default");
        metadata.texts(
                "tokenizer.ggml.tokens", ids().mapToObj(id -> text(id, model)).toList());
        if (model.equals("llama")) {
            SentencePieceGguf pieces = new SentencePieceGguf(parts, tokenizer);
            metadata.reals(
                    "tokenizer.ggml.scores", ids().mapToObj(pieces::score).toList());
            metadata.flag("tokenizer.ggml.add_space_prefix", pieces.addsSpace());
        }
        metadata.integers(
                "tokenizer.ggml.token_type",
                ids().mapToObj(id -> type(id, model).code).toList());
        if (model.equals("gpt2")) {
            metadata.texts(
                    "tokenizer.ggml.merges",
                    parts.merges().stream()
                            .map(merge -> merge.left() + " " + merge.right())
                            .toList());
        }
        if (model.equals("bert")) {
            normalizer();
        }
        special();
        chatTemplates();
    }

    /** What BERT does with a text before it is split at spaces and punctuation. */
    private void normalizer() throws IOException {
        JsonNode normalizer = new ObjectMapper().readTree(parts.normalizer());
        if (!normalizer.path("type").asText().equals("BertNormalizer")
                || !normalizer.path("clean_text").asBoolean()
                || !normalizer.path("handle_chinese_chars").asBoolean()
                || !parts.preTokenizer().equals("{\"type\":\"BertPreTokenizer\"}")) {
            throw Architecture.unsupported("the tokenizer (" + tokenizer + ") is WordPiece with the normalizer "
                    + brief(parts.normalizer()) + " and the pre-tokenizer " + brief(parts.preTokenizer())
                    + "; llama.cpp has only those of BERT");
        }
        boolean lowercase = normalizer.path("lowercase").asBoolean();
        metadata.flag("tokenizer.ggml.normalizer.lowercase", lowercase);
        metadata.flag(
                "tokenizer.ggml.normalizer.strip_accents",
                normalizer.path("strip_accents").asBoolean(lowercase));
    }

    private String model() {
        boolean bytes = parts.preTokenizer().contains("\"ByteLevel\"");
        return switch (parts.model()) {
            case "BPE" -> bytes ? "gpt2" : "llama";
            case "WordPiece" -> "bert";
            default ->
                throw Architecture.unsupported("the tokenizer (" + tokenizer + ") is a " + parts.model()
                        + "; supported are BPE and WordPiece");
        };
    }

    private String pre(@Nullable String given) {
        return given != null
                ? given
                : PreTokenizers.name(parts)
                        .orElseThrow(() -> Architecture.unsupported("the tokenizer (" + tokenizer
                                + ") splits texts in a way whose name in llama.cpp is not known here: normalizer "
                                + brief(parts.normalizer()) + ", pre_tokenizer " + brief(parts.preTokenizer())
                                + "; if llama.cpp has it, give its name, as in --pre deepseek-llm"));
    }

    private static String brief(String json) {
        return json.length() <= 400 ? json : json.substring(0, 400) + "…";
    }

    // ---- tokens ----

    private IntStream ids() {
        return IntStream.range(0, vocabSize);
    }

    private String text(int id, String model) {
        Token token = parts.tokens().get(id);
        if (token == null) {
            return "[PAD" + id + "]";
        }
        return switch (model) {
            case "llama" -> token.kind() == Kind.ADDED ? token.text().replace('▁', ' ') : token.text();
            case "bert" -> wordPiece(token);
            default -> token.text();
        };
    }

    /** llama.cpp marks the pieces that begin a word; WordPiece marks the others. */
    private static String wordPiece(Token token) {
        if (token.kind() == Kind.SPECIAL) {
            return token.text();
        }
        return token.text().startsWith("##") ? token.text().substring(2) : "▁" + token.text();
    }

    private Type type(int id, String model) {
        Token token = parts.tokens().get(id);
        if (token == null) {
            return Type.UNUSED;
        }
        if (model.equals("llama") && token.text().equals(parts.unknown())) {
            return Type.UNKNOWN;
        }
        if (model.equals("llama")
                && parts.byteFallback()
                && BYTE.matcher(token.text()).matches()) {
            return Type.BYTE;
        }
        return switch (token.kind()) {
            case SPECIAL -> Type.CONTROL;
            case ADDED -> Type.USER_DEFINED;
            case NORMAL -> Type.NORMAL;
        };
    }

    // ---- special tokens ----

    /** The tokens that have a name, those around a text, and all that end an answer. */
    private void special() {
        Map<String, Integer> named = new LinkedHashMap<>();
        first(tokenizer.bos(), parts.special().get("cls_token")).ifPresent(id -> named.put("bos", id));
        first(tokenizer.eos(), parts.special().get("sep_token")).ifPresent(id -> named.put("eos", id));
        OTHER_NAMES.forEach((name, key) -> {
            Integer id = parts.special().get(name);
            if (id != null) {
                named.put(key, id);
            }
        });
        Set<Integer> ends = new TreeSet<>(tokenizer.eosIds());
        ends.removeIf(id -> id.equals(named.get("eos")));
        List<Integer> others = new ArrayList<>(ends);
        if (!others.isEmpty()) {
            named.put("eot", others.getFirst());
        }
        if (others.size() > 1) {
            named.put("eom", others.get(1));
        }
        if (others.size() > 2) {
            metadata.remark("llama.cpp may generate past " + tokenizer.spell(ids(others.subList(2, others.size())))
                    + ": its files name three tokens that end an answer at most");
        }
        named.forEach((name, id) -> metadata.number("tokenizer.ggml." + name + "_token_id", id));
        if (!named.containsKey("eos")) {
            metadata.remark("the tokenizer has no eos token, and llama.cpp takes another one for it");
        }
        metadata.flag("tokenizer.ggml.add_bos_token", isOnly(parts.before(), named.get("bos"), "in front of"));
        metadata.flag("tokenizer.ggml.add_eos_token", isOnly(parts.after(), named.get("eos"), "behind"));
    }

    private static OptionalInt first(OptionalInt id, @Nullable Integer other) {
        return id.isPresent() || other == null ? id : OptionalInt.of(other);
    }

    private static int[] ids(List<Integer> ids) {
        return ids.stream().mapToInt(Integer::intValue).toArray();
    }

    /** Whether a text has the one token at an end; false if it has none there. */
    private boolean isOnly(List<Integer> around, @Nullable Integer id, String where) {
        if (!around.isEmpty() && !(around.size() == 1 && around.getFirst().equals(id))) {
            throw Architecture.unsupported(
                    "the tokenizer (" + tokenizer + ") puts " + tokenizer.spell(ids(around)) + " " + where
                            + " each text; llama.cpp can put only the bos token in front and the eos token behind");
        }
        return !around.isEmpty();
    }

    private void chatTemplates() throws IOException {
        Map<String, ChatTemplateText> templates = tokenizer.chatTemplates();
        List<String> others = new ArrayList<>();
        templates.forEach((name, template) -> {
            boolean usual = name.equals("default");
            metadata.text("tokenizer.chat_template" + (usual ? "" : "." + name), template.text());
            if (!usual) {
                others.add(name);
            }
        });
        if (!others.isEmpty()) {
            metadata.texts("tokenizer.chat_templates", others);
        }
    }
}
