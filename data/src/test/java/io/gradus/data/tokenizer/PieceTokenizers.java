package io.gradus.data.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.gradus.data.tokenizer.huggingface.TokenizerFiles;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;

/** Small tokenizers of each kind: those of {@code fixtures/pieces}, some with other parts. */
final class PieceTokenizers {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Path FOLDER = Path.of("src/test/fixtures/pieces");

    private static final String BYTES =
            "{'type': 'ByteLevel', 'add_prefix_space': false, 'trim_offsets': true, 'use_regex': false}";
    private static final String LLAMA3 =
            "\\\\p{L}+(?:\u2019s)?|\\\\p{N}{1,3}| ?[^\\\\s\\\\p{L}\\\\p{N}]+[\\\\r\\\\n]*|\\\\s*[\\\\r\\\\n]+|\\\\s+(?!\\\\S)|\\\\s+";

    private PieceTokenizers() {}

    /** A tokenizer, by its name. */
    static Tokenizer of(String name) throws IOException {
        return switch (name) {
            case "bytes" -> new ByteTokenizer();
            case "stories260K" -> Tokenizer.load(TestModels.stories260K());
            case "gpt2" -> file("bytelevel");
            case "gpt2 with prefix space" -> file("bytelevel", "pre_tokenizer", BYTES.replace("false", "true"));
            case "llama3" -> file("bytelevel", "pre_tokenizer", split(LLAMA3), "model", "{'ignore_merges': true}");
            case "single digits" ->
                file("bytelevel", "pre_tokenizer", sequence("{'type': 'Digits', 'individual_digits': true}"));
            case "no pre-tokenizer" -> file("bytelevel", "pre_tokenizer", BYTES);
            case "nfc" -> file("bytelevel", "normalizer", "{'type': 'NFC'}");
            case "nfkd, no pre-tokenizer" ->
                file("bytelevel", "normalizer", "{'type': 'NFKD'}", "pre_tokenizer", BYTES);
            case "token that strips spaces on its left" -> file("bytelevel", "added_tokens", added("lstrip"));
            case "token that strips spaces on its right" -> file("bytelevel", "added_tokens", added("rstrip"));
            case "llama2" -> file("metaspace", "pre_tokenizer", "null", "normalizer", """
                    {'type': 'Sequence', 'normalizers': [{'type': 'Prepend', 'prepend': '▁'},
                     {'type': 'Replace', 'pattern': {'String': ' '}, 'content': '▁'}]}""");
            case "metaspace always" -> file("metaspace");
            case "metaspace first" -> file("metaspace", "pre_tokenizer", metaspace("first", false));
            case "metaspace never" -> file("metaspace", "pre_tokenizer", metaspace("never", false));
            case "no byte fallback" -> file("metaspace", "model", "{'byte_fallback': false}");
            case "stripped and collapsed spaces" -> file("metaspace", "normalizer", """
                    {'type': 'Sequence', 'normalizers': [{'type': 'Strip', 'strip_left': false, 'strip_right': true},
                     {'type': 'Replace', 'pattern': {'Regex': ' {2,}'}, 'content': '▁'}]}""");
            case "unigram" -> file("unigram");
            case "unigram without split" -> file("unigram", "pre_tokenizer", metaspace("always", false));
            case "unigram of phrases" -> file("phrases", "pre_tokenizer", metaspace("first", false));
            case "uncased unigram of phrases" -> file("phrases", "normalizer", """
                    {'type': 'Sequence', 'normalizers': [{'type': 'Lowercase'}, {'type': 'NFD'}, {'type': 'StripAccents'}]}""");
            case "wordpiece" -> file("wordpiece");
            case "wordpiece of whole lines" -> file("wordpiece", "pre_tokenizer", "null");
            case "fixed length" -> file("bytelevel", "pre_tokenizer", sequence("{'type': 'FixedLength', 'length': 5}"));
            default -> throw new IllegalArgumentException(name);
        };
    }

    private static String split(String regex) {
        return sequence(
                "{'type': 'Split', 'pattern': {'Regex': '" + regex + "'}, 'behavior': 'Isolated', 'invert': false}");
    }

    private static String sequence(String first) {
        return "{'type': 'Sequence', 'pretokenizers': [" + first + ", " + BYTES + "]}";
    }

    private static String metaspace(String prepend, boolean split) {
        return "{'type': 'Metaspace', 'replacement': '▁', 'prepend_scheme': '" + prepend + "', 'split': " + split + "}";
    }

    private static String added(String strip) {
        String token = "{'id': 640, 'content': '<mask>', 'single_word': false, 'lstrip': false, 'rstrip': false,"
                + " 'normalized': false, 'special': true}";
        return "[" + token.replace("'" + strip + "': false", "'" + strip + "': true") + "]";
    }

    /** A fixture with other parts, by their keys; of the model, only some keys are set. */
    private static Tokenizer file(String fixture, String... parts) throws IOException {
        ObjectNode tokenizer =
                (ObjectNode) JSON.readTree(FOLDER.resolve(fixture + ".json").toFile());
        for (int i = 0; i < parts.length; i += 2) {
            JsonNode part = JSON.readTree(parts[i + 1].replace('\'', '"'));
            if (parts[i].equals("model")) {
                ((ObjectNode) tokenizer.get("model")).setAll((ObjectNode) part);
            } else {
                tokenizer.set(parts[i], part);
            }
        }
        byte[] content = tokenizer.toString().getBytes(StandardCharsets.UTF_8);
        return new HuggingFaceTokenizer(new TokenizerFiles(FOLDER, Map.of(TokenizerFiles.TOKENIZER, content)));
    }
}
