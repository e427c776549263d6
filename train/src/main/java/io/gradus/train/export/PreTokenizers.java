package io.gradus.train.export;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.gradus.data.tokenizer.TokenizerParts;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * llama.cpp's names of the ways to split a text into words before byte-pair encoding, the value of {@code tokenizer.ggml.pre}. They
 * are found by the definition in {@code tokenizer.json}, so a new vocabulary does not matter. With a wrong name, a model gets tokens
 * that it was not trained with, and answers badly.
 */
final class PreTokenizers {
    private static final String CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
    private static final String UPPER = "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]";
    private static final String LOWER = "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]";

    /** GPT-2's pattern, which is part of the library. */
    private static final String GPT2 = "words of GPT-2";

    private static final String DIGITS = "each digit";

    /** The splits of each name, one after the other. */
    private static final Map<List<String>, String> NAMES = Map.of(
            List.of(GPT2), "gpt-2",
            List.of(DIGITS, GPT2), "smollm",
            List.of(words("\\p{L}", "\\p{N}{1,3}")), "llama-bpe",
            List.of(words("\\p{L}", "\\p{N}")), "qwen2",
            List.of(words("[\\p{L}]", "\\p{N}")), "qwen2",
            List.of(words("[\\p{L}\\p{M}]", "\\p{N}")), "qwen35",
            List.of(casedWords("", "\\p{N}")), "tekken",
            List.of(casedWords(CONTRACTIONS + "?", "\\p{N}{1,3}")), "gpt-4o");

    /** The same as llama-bpe, but merges decide on words that are tokens. */
    private static final String LLAMA_WITH_MERGES = "smaug-bpe";

    /** Normal forms that llama.cpp does not compute; most texts are in them already. */
    private static final List<String> NORMALIZERS = List.of("null", "{\"type\":\"NFC\"}");

    private static final ObjectMapper JSON = new ObjectMapper();

    private PreTokenizers() {}

    /**
     * Words are letters with at most one other character in front.
     *
     * @param letter the class of letters
     * @param digits the pattern of a number
     */
    private static String words(String letter, String digits) {
        String inClass = letter.startsWith("[") ? letter.substring(1, letter.length() - 1) : letter;
        return CONTRACTIONS + "|[^\\r\\n\\p{L}\\p{N}]?" + letter + "+|" + digits + "| ?[^\\s" + inClass
                + "\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
    }

    /** The same, with a word for each part of a name such as {@code camelCase}. */
    private static String casedWords(String end, String digits) {
        String first = "[^\\r\\n\\p{L}\\p{N}]?" + UPPER;
        return first + "*" + LOWER + "+" + end + "|" + first + "+" + LOWER + "*" + end + "|" + digits
                + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
    }

    /** The name for a BPE of bytes, if llama.cpp has the way in which its texts are split. */
    static Optional<String> name(TokenizerParts parts) {
        if (!NORMALIZERS.contains(parts.normalizer())) {
            return Optional.empty();
        }
        if (parts.merges().isEmpty()) {
            return Optional.of("gpt-2"); // bytes stay bytes, however a text is split
        }
        List<String> splits = new ArrayList<>();
        if (!collect(parse(parts.preTokenizer()), splits)) {
            return Optional.empty();
        }
        String name = NAMES.get(splits);
        if ("llama-bpe".equals(name) && !parts.ignoreMerges()) {
            return Optional.of(LLAMA_WITH_MERGES);
        }
        boolean wholeWords = "llama-bpe".equals(name) || "tekken".equals(name);
        return Optional.ofNullable(parts.ignoreMerges() == wholeWords ? name : null);
    }

    /** Whether a part and those in it are known; adds their patterns. */
    private static boolean collect(JsonNode part, List<String> splits) {
        return switch (part.path("type").asText()) {
            case "Sequence" -> {
                for (JsonNode inner : part.path("pretokenizers")) {
                    if (!collect(inner, splits)) {
                        yield false;
                    }
                }
                yield true;
            }
            case "ByteLevel" -> {
                if (part.path("use_regex").asBoolean()) {
                    splits.add(GPT2);
                }
                yield !part.path("add_prefix_space").asBoolean();
            }
            case "Digits" -> {
                splits.add(DIGITS);
                yield part.path("individual_digits").asBoolean();
            }
            case "Split" -> {
                splits.add(part.path("pattern").path("Regex").asText());
                yield part.path("behavior").asText().equals("Isolated")
                        && !part.path("invert").asBoolean();
            }
            default -> false;
        };
    }

    private static JsonNode parse(String json) {
        try {
            return JSON.readTree(json);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e); // the tokenizer wrote it
        }
    }
}
