package io.gradus.data.tokenizer.huggingface;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * Checks the normalizer and the pre-tokenizer of a {@code tokenizer.json}, and copies what the native library needs of them. What is
 * not copied has no effect there. The library ends the process on a part that it cannot read, so each part, its fields, and their
 * types are known here.
 *
 * <p>It also ends the process if memory runs out. So this class bounds how much the parts lengthen a text, and the length of a text
 * that their patterns can match.
 */
final class PipelineCheck {
    private static final int MAX_PARTS = 64;
    private static final int MAX_DEPTH = 8;
    private static final int MAX_CONTENT = 1_000;
    private static final int MAX_FIXED_LENGTH = 1_000_000;

    /** The longest text, in UTF-16 units, that is passed to the library at once: it needs up to 500 bytes for each. */
    private static final int MAX_TEXT = 1 << 21;

    private static final int MIN_TEXT = 1_000;
    private static final int MIN_MATCH = 50_000;
    private static final List<String> BEHAVIORS =
            List.of("Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous");

    private int parts;
    private double byteGrowth = 1;
    private double characterGrowth = 1;
    private int longestMatch = MAX_TEXT;

    /** The length in UTF-16 units of the longest text that the checked parts can process. */
    int longestText() {
        return (int) Math.min(longestMatch, MAX_TEXT / Math.max(1, byteGrowth / 4));
    }

    /** A checked copy of {@code normalizer}; a null node if there is none. */
    JsonNode normalizer(JsonPart part) throws IOException {
        return part.isAbsent() ? JsonNodeFactory.instance.nullNode() : normalizer(part, 0);
    }

    private ObjectNode normalizer(JsonPart part, int depth) throws IOException {
        ObjectNode copy = begin(part, depth);
        switch (copy.get("type").textValue()) {
            case "BertNormalizer" -> {
                for (String key : new String[] {"clean_text", "handle_chinese_chars", "lowercase"}) {
                    copy.put(key, part.get(key).flag());
                }
                JsonPart accents = part.get("strip_accents");
                copy.set("strip_accents", accents.isAbsent() ? copy.nullNode() : copy.booleanNode(accents.flag()));
                grow(8, 24);
            }
            case "Strip" ->
                copy.put("strip_left", part.get("strip_left").flag())
                        .put("strip_right", part.get("strip_right").flag());
            case "StripAccents", "Nmt" -> {}
            case "NFC", "NFD" -> grow(3, 4);
            case "NFKC", "NFKD" -> grow(11, 18);
            case "Lowercase" -> grow(1.5, 2);
            case "ByteLevel" -> grow(2, 4);
            case "Sequence" -> {
                ArrayNode inner = copy.putArray("normalizers");
                for (JsonPart element : part.get("normalizers").list()) {
                    inner.add(normalizer(element, depth + 1));
                }
            }
            case "Precompiled" -> copy.put("precompiled_charsmap", charsmap(part.get("precompiled_charsmap")));
            case "Replace" -> {
                String content = content(part.get("content"), 0);
                int replaced = pattern(part.get("pattern"), copy);
                part.get("pattern").require(replaced > 0, "a pattern that does not match the empty text");
                copy.put("content", content);
                grow((double) bytes(content) / replaced, content.length());
            }
            case "Prepend" -> {
                String content = content(part.get("prepend"), 1);
                copy.put("prepend", content);
                grow(1 + bytes(content), 1 + content.length());
            }
            default -> throw unknown(part, "normalizer");
        }
        return copy;
    }

    /** A checked copy of {@code pre_tokenizer}; a null node if there is none. */
    JsonNode preTokenizer(JsonPart part) throws IOException {
        return part.isAbsent() ? JsonNodeFactory.instance.nullNode() : preTokenizer(part, 0);
    }

    private ObjectNode preTokenizer(JsonPart part, int depth) throws IOException {
        ObjectNode copy = begin(part, depth);
        switch (copy.get("type").textValue()) {
            case "BertPreTokenizer", "Whitespace", "WhitespaceSplit", "UnicodeScripts" -> {}
            case "ByteLevel" -> {
                boolean addPrefixSpace = part.get("add_prefix_space").flag();
                copy.put("add_prefix_space", addPrefixSpace)
                        .put("trim_offsets", part.get("trim_offsets").flag(true))
                        .put("use_regex", part.get("use_regex").flag(true));
                match(MAX_TEXT);
                grow(addPrefixSpace ? 4 : 2, addPrefixSpace ? 8 : 4);
            }
            case "CharDelimiterSplit" ->
                copy.put("delimiter", part.get("delimiter").character());
            case "Metaspace" -> {
                metaspace(part, copy);
                grow(1 + bytes(copy.get("replacement").textValue()), 2);
            }
            case "Sequence" -> {
                ArrayNode inner = copy.putArray("pretokenizers");
                for (JsonPart element : part.get("pretokenizers").list()) {
                    inner.add(preTokenizer(element, depth + 1));
                }
            }
            case "Split" -> {
                pattern(part.get("pattern"), copy);
                copy.put("behavior", part.get("behavior").oneOf(BEHAVIORS))
                        .put("invert", part.get("invert").flag());
            }
            case "Punctuation" ->
                copy.put(
                        "behavior",
                        part.get("behavior").isAbsent()
                                ? "Isolated"
                                : part.get("behavior").oneOf(BEHAVIORS));
            case "Digits" ->
                copy.put("individual_digits", part.get("individual_digits").flag());
            case "FixedLength" -> copy.put("length", part.get("length").integer(1, MAX_FIXED_LENGTH, 5));
            default -> throw unknown(part, "pre-tokenizer");
        }
        return copy;
    }

    /** Checks the fields of a {@code Metaspace}, which is a pre-tokenizer or a decoder, and copies them. */
    static void metaspace(JsonPart part, ObjectNode copy) throws IOException {
        List<String> schemes = List.of("always", "first", "never");
        JsonPart scheme = part.get("prepend_scheme");
        String prepend = scheme.isAbsent() ? "always" : scheme.oneOf(schemes);
        part.get("add_prefix_space")
                .require(
                        part.get("add_prefix_space").flag(true) || prepend.equals("never"),
                        "true, because prepend_scheme is '" + prepend + "'");
        copy.put("replacement", part.get("replacement").character())
                .put("prepend_scheme", prepend)
                .put("split", part.get("split").flag(true));
    }

    static IOException unknown(JsonPart part, String kind) {
        return part.get("type")
                .error("is '" + part.get("type").value().asText() + "', a " + kind + " that Gradus does not know");
    }

    private ObjectNode begin(JsonPart part, int depth) throws IOException {
        if (depth > MAX_DEPTH || ++parts > MAX_PARTS) {
            throw part.error("is one of more than " + MAX_PARTS + " parts, or nested more than " + MAX_DEPTH + " deep");
        }
        return JsonNodeFactory.instance
                .objectNode()
                .put("type", part.object().get("type").text());
    }

    /** Notes how much longer a part can make a text. */
    private void grow(double bytes, double characters) {
        byteGrowth *= Math.max(1, bytes);
        characterGrowth *= Math.max(1, characters);
    }

    /** Notes the longest text that a part can match, after the parts before it. */
    private void match(int longest) {
        longestMatch = (int) Math.min(longestMatch, longest / characterGrowth);
    }

    /**
     * Requires that a text of a useful length can be processed.
     *
     * @param root the file
     */
    void requireUsefulLength(JsonPart root) throws IOException {
        if (longestText() < MIN_TEXT) {
            throw root.error("has a normalizer and a pre-tokenizer for which a text of " + longestText()
                    + " characters is already too long");
        }
    }

    private static int bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8).length;
    }

    private static String content(JsonPart part, int min) throws IOException {
        String text = part.text();
        part.require(text.length() >= min && text.length() <= MAX_CONTENT, min + " to " + MAX_CONTENT + " characters");
        return text;
    }

    private String charsmap(JsonPart part) throws IOException {
        String text = part.text();
        try {
            Charsmap map = new Charsmap(text);
            grow(map.growth(), 4 * map.growth());
            return map.toBase64();
        } catch (IllegalArgumentException e) {
            throw part.error(String.valueOf(e.getMessage()));
        }
    }

    /**
     * Checks a pattern, copies it under {@code pattern}, and notes how long a text it can match.
     *
     * @return the fewest characters that it matches
     */
    private int pattern(JsonPart part, ObjectNode copy) throws IOException {
        JsonPart literal = part.object().get("String");
        if (!literal.isAbsent()) {
            String text = content(literal, 1);
            copy.putObject("pattern").put("String", text);
            return bytes(text);
        }
        JsonPart expression = part.get("Regex");
        String text = expression.text();
        copy.putObject("pattern").put("Regex", text);
        try {
            PatternCheck check = new PatternCheck(text);
            int longest = check.longestText(MAX_TEXT);
            expression.require(longest >= MIN_MATCH, "a pattern whose time is proportional to the length of a text");
            match(longest);
            return check.minLength();
        } catch (IllegalArgumentException e) {
            throw expression.error(String.valueOf(e.getMessage()));
        }
    }
}
