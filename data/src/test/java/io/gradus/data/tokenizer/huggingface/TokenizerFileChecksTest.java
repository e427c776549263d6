package io.gradus.data.tokenizer.huggingface;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Files that the native library does not survive, or that have no meaning. A case that passes to the library would end the JVM of the
 * tests.
 */
class TokenizerFileChecksTest {
    private static final Path FOLDER = Path.of("model");

    private static final String TOKEN =
            "'single_word': false, 'lstrip': false, 'rstrip': false, 'normalized': false, 'special': true";

    private static String file(String part, String value) {
        Map<String, String> parts = new HashMap<>(Map.of(
                "added_tokens", "[]",
                "normalizer", "null",
                "pre_tokenizer", "null",
                "post_processor", "null",
                "decoder", "null",
                "model", "{'type': 'WordLevel', 'unk_token': 'a', 'vocab': {'a': 0, 'b': 1}}"));
        parts.put(part, value);
        StringBuilder json = new StringBuilder("{'version': '1.0'");
        parts.forEach(
                (name, content) -> json.append(", '").append(name).append("': ").append(content));
        return json.append("}").toString();
    }

    private static TransformersTokenizer read(String tokenizer, Map<String, String> others) throws IOException {
        Map<String, byte[]> files = new HashMap<>();
        files.put("tokenizer.json", tokenizer.replace('\'', '"').getBytes(StandardCharsets.UTF_8));
        others.forEach(
                (name, content) -> files.put(name, content.replace('\'', '"').getBytes(StandardCharsets.UTF_8)));
        return new TransformersTokenizer(new TokenizerFiles(FOLDER, files));
    }

    private static TransformersTokenizer read(String part, String value) throws IOException {
        return read(file(part, value), Map.of());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '~',
            quoteCharacter = '`',
            value = {
                "normalizer ~ [] ~ normalizer is []; it must be an object",
                "normalizer ~ {'type': 1e99999999} ~ normalizer.type is 1E+99999999; it must be a text",
                "normalizer ~ {'type': 'Telepathy'} ~ normalizer.type is 'Telepathy', a normalizer that Gradus does not know",
                "normalizer ~ {'type': 'Sequence', 'normalizers': [{'type': 'NFC'}, 5]} ~ normalizer.normalizers[1] is 5; it must be an object",
                "normalizer ~ {'type': 'Strip', 'strip_left': 1} ~ normalizer.strip_left is 1; it must be true or false",
                "normalizer ~ {'type': 'Replace', 'pattern': {'String': ''}, 'content': 'x'} ~ normalizer.pattern.String is \"\"; it must be 1 to 1000 characters",
                "normalizer ~ {'type': 'Replace', 'pattern': {'Regex': '^'}, 'content': 'x'} ~ normalizer.pattern is {\"Regex\":\"^\"}; it must be a pattern that does not match the empty text",
                "normalizer ~ {'type': 'Replace', 'pattern': {'Regex': '(a+)+b'}, 'content': 'x'} ~ normalizer.pattern.Regex is \"(a+)+b\"; it must be a pattern whose time is proportional",
                "normalizer ~ {'type': 'Replace', 'pattern': {'Regex': '[a'}, 'content': 'x'} ~ normalizer.pattern.Regex ends too early, at character 2",
                "normalizer ~ {'type': 'Prepend', 'prepend': ''} ~ normalizer.prepend is \"\"; it must be 1 to 1000 characters",
                "normalizer ~ {'type': 'Precompiled', 'precompiled_charsmap': null} ~ normalizer.precompiled_charsmap is null; it must be a text",
                "normalizer ~ {'type': 'Precompiled', 'precompiled_charsmap': 'AAAA'} ~ normalizer.precompiled_charsmap is not a table of SentencePiece",
                "normalizer ~ {'type': 'Precompiled', 'precompiled_charsmap': '*'} ~ normalizer.precompiled_charsmap is not Base64",
                "pre_tokenizer ~ {'type': 'FixedLength', 'length': 0} ~ pre_tokenizer.length is 0; it must be a whole number from 1 to 1000000",
                "pre_tokenizer ~ {'type': 'Split', 'pattern': {'Regex': '(?=ab)\\\\K'}, 'behavior': 'Isolated', 'invert': false} ~ pre_tokenizer.pattern.Regex has '\\K', which is not supported",
                "pre_tokenizer ~ {'type': 'Split', 'pattern': 'a', 'behavior': 'Isolated', 'invert': false} ~ pre_tokenizer.pattern is \"a\"; it must be an object",
                "pre_tokenizer ~ {'type': 'Split', 'pattern': {'String': 'a'}, 'behavior': 'Hidden', 'invert': false} ~ pre_tokenizer.behavior is \"Hidden\"; it must be one of Removed, Isolated",
                "pre_tokenizer ~ {'type': 'Metaspace', 'replacement': 'ab'} ~ pre_tokenizer.replacement is \"ab\"; it must be one character",
                "pre_tokenizer ~ {'type': 'Metaspace', 'replacement': '_', 'add_prefix_space': false} ~ pre_tokenizer.add_prefix_space is false; it must be true",
                "decoder ~ {'type': 1e99999999} ~ decoder.type is 1E+99999999; it must be a text",
                "decoder ~ {'type': 'Strip', 'content': ' ', 'start': -1, 'stop': 0} ~ decoder.start is -1; it must be a whole number from 0",
                "decoder ~ {'type': 'Replace', 'pattern': {'Regex': 'a'}, 'content': ''} ~ decoder.pattern.Regex is \"a\"; it must be a String in a decoder",
                "post_processor ~ {'type': 'BertProcessing', 'sep': ['x', 4294967296], 'cls': ['x', 1]} ~ post_processor.sep[1] is 4294967296; it must be a whole number",
                "post_processor ~ {'type': 'TemplateProcessing', 'single': [], 'special_tokens': {}} ~ post_processor.single is []; it must be a list with the Sequence A",
                "post_processor ~ {'type': 'TemplateProcessing', 'single': [{'SpecialToken': {'id': 'x'}}], 'special_tokens': {}} ~ post_processor.special_tokens.x.ids is missing; it must be a list",
                "model ~ null ~ model is null; it must be an object",
                "model ~ {'type': 'BPE', 'vocab': {'a': 0}} ~ model.merges is missing; it must be a list",
                "model ~ {'type': 'BPE', 'vocab': {'a': 0}, 'merges': ['a b']} ~ model.merges[0] needs the token 'b', which model.vocab does not have",
                "model ~ {'type': 'BPE', 'vocab': {'a': 0, 'b': 1}, 'merges': [['a', 'b']]} ~ model.merges[0] needs the token 'ab'",
                "model ~ {'type': 'BPE', 'vocab': {'a': 0}, 'merges': ['a']} ~ model.merges[0] is \"a\"; it must be two tokens",
                "model ~ {'type': 'BPE', 'vocab': {'a': 0}, 'merges': [['a', 'a', 'a']]} ~ model.merges[0] is [\"a\",\"a\",\"a\"]; it must be two tokens",
                "model ~ {'type': 'BPE', 'continuing_subword_prefix': '##', 'vocab': {'a': 0, 'b': 1, 'ab': 2}, 'merges': ['a b']} ~ model.merges[0] is \"a b\"; it must be two tokens, the second of which begins with '##'",
                "model ~ {'type': 'BPE', 'dropout': 0.1, 'vocab': {'a': 0}, 'merges': []} ~ model.dropout is 0.1; it must be null",
                "model ~ {'type': 'WordLevel', 'unk_token': 'a', 'vocab': {'a': 0, 'b': 0}} ~ model.vocab gives the id 0 to both 'a' and 'b'",
                "model ~ {'type': 'WordLevel', 'unk_token': 'a', 'vocab': {'a': -1}} ~ model.vocab['a'] is -1; it must be a whole number from 0 to 16777215",
                "model ~ {'type': 'WordLevel', 'unk_token': 'a', 'vocab': {'a': 2147483647}} ~ model.vocab['a'] is 2147483647; it must be a whole number from 0 to 16777215",
                "model ~ {'type': 'WordLevel', 'unk_token': 'a', 'vocab': {'a': 4294967297}} ~ model.vocab['a'] is 4294967297; it must be",
                "model ~ {'type': 'WordLevel', 'unk_token': 'a', 'vocab': {'a': 1.5}} ~ model.vocab['a'] is 1.5; it must be",
                "model ~ {'type': 'WordLevel', 'unk_token': 'a', 'vocab': {}} ~ has no tokens under model.vocab",
                "model ~ {'type': 'WordPiece', 'unk_token': 'a', 'continuing_subword_prefix': '#', 'max_input_chars_per_word': 18446744073709551615, 'vocab': {'a': 0}} ~ model.max_input_chars_per_word is 18446744073709551615; it must be",
                "model ~ {'type': 'Unigram', 'unk_id': 1, 'vocab': [['a', 0]]} ~ model.unk_id is 1; it must be a whole number from 0 to 0",
                "model ~ {'type': 'Unigram', 'unk_id': 0, 'vocab': [['a', 1e999]]} ~ model.vocab[0][1] is 1E+999; it must be a number",
                "model ~ {'type': 'Unigram', 'unk_id': 0, 'vocab': [['a']]} ~ model.vocab[0] is [\"a\"]; it must be a token and its score",
                "model ~ {'type': 'WordLevel', 'unk_token': 'a', 'vocab': {'\\ud800': 0}} ~ it is not JSON: Broken surrogate pair",
                "model ~ {'type': 'WordLevel', 'unk_token': '\\udc00x', 'vocab': {'a': 0}} ~ model.unk_token has half a surrogate pair",
                "added_tokens ~ [{'id': 0}] ~ added_tokens[0].content is missing; it must be a text",
                "added_tokens ~ [{'id': 2147483647, 'content': 'x', @}] ~ added_tokens[0].id is 2147483647; it must be a whole number from 0 to 16777215",
                "added_tokens ~ [{'id': 0, 'content': 'x', @}, 7] ~ added_tokens[1].id is missing",
                "version ~ '2.0' ~ version is \"2.0\"; it must be '1.0'"
            })
    void malformedPartIsRejectedWithItsPath(String part, String value, String message) {
        assertThatThrownBy(() -> read(part, value.replace("@", TOKEN)))
                .isInstanceOf(IOException.class)
                .hasMessageStartingWith(FOLDER.resolve("tokenizer.json") + ": " + message);
    }

    @Test
    void partThatTheClassReplacesIsCheckedToo() {
        String bpe = "{'type': 'BPE', 'vocab': {'a': 0}, 'merges': []}, 'decoder': {'type': 1e99999999}";
        assertThatThrownBy(() -> read(
                        file("model", bpe).replace(", 'decoder': null", ""),
                        Map.of("tokenizer_config.json", "{'tokenizer_class': 'GPT2Tokenizer'}")))
                .hasMessageContaining("tokenizer.json: decoder.type is 1E+99999999");
    }

    @Test
    void fileThatEndedTheProcessIsRejected() {
        Path folder = Path.of(System.getProperty("gradus.shared", "../../shared"), "cases", "tokenizer-abort");
        assumeTrue(Files.isDirectory(folder), folder + " is absent");
        assertThatThrownBy(() -> new TransformersTokenizer(TokenizerFiles.read(folder)))
                .isInstanceOf(IOException.class)
                .hasMessageStartingWith(folder.resolve("tokenizer.json") + ": decoder.decoders[0].type is 1E+99999999");
    }

    @Test
    void deeplyNestedPartsAreRejected() {
        String open = "{'type': 'Sequence', 'normalizers': [";
        assertThatThrownBy(() -> read("normalizer", open.repeat(20) + "]}".repeat(20)))
                .hasMessageContaining("nested more than 8 deep");
        assertThatThrownBy(() -> read("normalizer", open.repeat(5000) + "]}".repeat(5000)))
                .hasMessageStartingWith(FOLDER.resolve("tokenizer.json") + ": it is not JSON: Document nesting depth");
    }

    @Test
    void textThatWouldGrowWithoutLimitIsRejected() {
        String twice = "{'type': 'Replace', 'pattern': {'String': 'a'}, 'content': 'aaaaaaaa'}";
        String normalizers = Stream.generate(() -> twice)
                .limit(20)
                .reduce((a, b) -> a + ", " + b)
                .orElseThrow();
        assertThatThrownBy(() -> read("normalizer", "{'type': 'Sequence', 'normalizers': [" + normalizers + "]}"))
                .hasMessageContaining("for which a text of 0 characters is already too long");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '~',
            quoteCharacter = '`',
            value = {
                "tokenizer_config.json ~ {'added_tokens_decoder': {'2147483647': {'content': 'x'}}} ~ added_tokens_decoder.2147483647 has an id above 16777215",
                "tokenizer_config.json ~ {'added_tokens_decoder': {'x': {'content': 'x'}}} ~ added_tokens_decoder is {\"x\":{\"content\":\"x\"}}; it must be an object whose keys are ids",
                "tokenizer_config.json ~ {'added_tokens_decoder': {'5': 'x'}} ~ added_tokens_decoder.5 is \"x\"; it must be an object",
                "tokenizer_config.json ~ {'eos_token': ['x']} ~ eos_token is [\"x\"]; it must be a token or null",
                "tokenizer_config.json ~ {'extra_special_tokens': 5} ~ extra_special_tokens is 5; it must be a list",
                "tokenizer_config.json ~ {'split_special_tokens': true} ~ split_special_tokens is true; it must be false",
                "tokenizer_config.json ~ {'fast_tokenizer_files': ['tokenizer.4.0.0.json']} ~ fast_tokenizer_files[0] is \"tokenizer.4.0.0.json\"",
                "tokenizer_config.json ~ {'auto_map': {'AutoTokenizer': ['a', 'b']}, 'tokenizer_class': 'Own'} ~ auto_map says that the tokenizer is code",
                "tokenizer_config.json ~ {'tokenizer_class': 'CLIPTokenizer'} ~ transformers 5.24.0 loads this tokenizer with the class CLIPTokenizer, which Gradus does not have",
                "special_tokens_map.json ~ {'eos_token': 5} ~ eos_token is 5; it must be a token or null",
                "added_tokens.json ~ {'x': 2147483647} ~ x is 2147483647; it must be a whole number from 0 to 16777215",
                "added_tokens.json ~ [] ~ it is not a JSON object"
            })
    void malformedSettingIsRejectedWithItsFile(String name, String content, String message) {
        assertThatThrownBy(() -> read(file("decoder", "null"), Map.of(name, content)))
                .isInstanceOf(IOException.class)
                .hasMessageStartingWith(FOLDER.resolve(name) + ": " + message);
    }

    @Test
    void classThatNeedsAnotherModelIsRejected() {
        assertThatThrownBy(() -> read(
                        file("decoder", "null"),
                        Map.of("tokenizer_config.json", "{'tokenizer_class': 'BertTokenizer'}")))
                .hasMessageContaining("tokenizer.json: model has the type WordLevel")
                .hasMessageContaining("class BertTokenizer, which needs WordPiece");
    }

    @Test
    void olderFilesThatTheClassDoesNotReadAreRejected() {
        Map<String, byte[]> files = Map.of(
                "vocab.json", "{\"a\": 0}".getBytes(StandardCharsets.UTF_8),
                "merges.txt", new byte[0],
                "tokenizer_config.json",
                        "{\"tokenizer_class\": \"Qwen3_5Tokenizer\"}".getBytes(StandardCharsets.UTF_8));
        assertThatThrownBy(() -> new TransformersTokenizer(new TokenizerFiles(FOLDER, files)))
                .hasMessageStartingWith(FOLDER + ": it has a vocab.json but no tokenizer.json");
    }

    @Test
    void addedTokenOfWhichTheNormalizerLeavesNothingIsRejected() {
        String token = "'added_tokens': [{'id': 2, 'content': '  ', "
                + TOKEN.replace("'normalized': false", "'normalized': true") + "}]";
        String json = file("normalizer", "{'type': 'Strip', 'strip_left': true, 'strip_right': true}")
                .replace("'added_tokens': []", token);
        assertThatThrownBy(() -> read(json, Map.of())).hasMessageContaining("of which its normalizer leaves nothing");
    }

    @Test
    void tokenOfSpacesThatTakesMoreSpacesIsRejectedBesideOneThatTookThem() {
        String tokens = "[{'id': 2, 'content': ' ', " + TOKEN.replace("'lstrip': false", "'lstrip': true")
                + "}, {'id': 3, 'content': 'x', " + TOKEN.replace("'rstrip': false", "'rstrip': true") + "}]";
        assertThatThrownBy(() -> read("added_tokens", tokens))
                .hasMessageContaining("has an added token of spaces only with lstrip, and one with rstrip");
    }

    @Test
    void idsWithGapsAreKept() throws IOException {
        TransformersTokenizer tokenizer =
                read("model", "{'type': 'WordLevel', 'unk_token': 'a', 'vocab': {'a': 3, 'b': 16777215}}");
        assertThat(tokenizer.encode("b")).containsExactly(16_777_215);
        assertThat(tokenizer.size()).isEqualTo(16_777_216);
    }

    @Test
    void addedTokenAfterTheLargestIdIsRejected() {
        String json = file("model", "{'type': 'WordLevel', 'unk_token': 'a', 'vocab': {'b': 16777215}}")
                .replace("'added_tokens': []", "'added_tokens': [{'id': 0, 'content': 'b', " + TOKEN + "}]");
        assertThatThrownBy(() -> read(json, Map.of("tokenizer_config.json", "{'eos_token': 'x'}")))
                .hasMessageContaining("has added tokens whose ids cannot be computed");
    }

    @Test
    void idsWithoutATokenHaveNoText() throws IOException {
        TransformersTokenizer tokenizer = read("decoder", "null");
        int[] ids = {1, -1, 0, Integer.MAX_VALUE, Integer.MIN_VALUE, 2, 1};
        assertThat(tokenizer.decode(ids, false)).isEqualTo("b a b");
    }

    @Test
    void textThatHasNoTokenIsNamedWithTheFile() throws IOException {
        TransformersTokenizer tokenizer =
                read("model", "{'type': 'WordLevel', 'unk_token': 'x', 'vocab': {'a': 0, 'b': 1}}");
        assertThatThrownBy(() -> tokenizer.encode("c"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith(FOLDER.resolve("tokenizer.json") + ": ");
    }

    @Test
    void textThatIsTooLongForTheLibraryIsRejected() throws IOException {
        TransformersTokenizer tokenizer = read("decoder", "null");
        assertThat(tokenizer.encode("a".repeat(tokenizer.longestText()))).containsExactly(0);
        assertThatThrownBy(() -> tokenizer.encode("a".repeat(tokenizer.longestText() + 1)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("at once");
    }

    static Stream<Path> folders() throws IOException {
        try (Stream<Path> folders = Files.list(Path.of("src/test/fixtures/tokenizers"))) {
            return folders.filter(Files::isDirectory).sorted().toList().stream();
        }
    }

    @ParameterizedTest
    @MethodSource("folders")
    void longRunsOfOneCharacterAreEncoded(Path folder) throws IOException {
        TransformersTokenizer tokenizer = new TransformersTokenizer(TokenizerFiles.read(folder));
        int length = Math.min(4_000, tokenizer.longestText());
        for (String unit : new String[] {"a", " ", "\n", "7", "-", "日", "\u0301", "\0", "\uFDFA"}) {
            assertThatCode(() -> tokenizer.encode(unit.repeat(length)))
                    .as("%d times '%s'", length, unit)
                    .doesNotThrowAnyException();
        }
    }

    @Test
    void damagedTableOfSentencePieceIsRejectedOrHarmless() throws IOException {
        TokenizerFiles files = TokenizerFiles.read(Path.of("src/test/fixtures/tokenizers/t5"));
        var json = files.json("tokenizer.json");
        byte[] table = java.util.Base64.getDecoder()
                .decode(json.get("normalizer").get("precompiled_charsmap").textValue());
        SplittableRandom random = new SplittableRandom(1);
        int accepted = 0;
        for (int i = 0; i < 300; i++) {
            byte[] damaged = table.clone();
            damaged[random.nextInt(damaged.length)] ^= (byte) (1 << random.nextInt(8));
            json.withObject("normalizer")
                    .put("precompiled_charsmap", java.util.Base64.getEncoder().encodeToString(damaged));
            try {
                TransformersTokenizer tokenizer = new TransformersTokenizer(
                        files.with("tokenizer.json", json.toString().getBytes(StandardCharsets.UTF_8)));
                tokenizer.encode("e\u0301 A\u030a \ufb01 \u2460 \u00a0\t\u00ad \u1e9b\u0323 plain");
                accepted++;
            } catch (IOException e) {
                assertThat(e).hasMessageContaining("normalizer.precompiled_charsmap ");
            }
        }
        assertThat(accepted).isBetween(1, 299);
    }

    @Test
    void messageQuotesOnlyTheBeginningOfALongUnknownToken() throws IOException {
        TransformersTokenizer tokenizer = read(
                "model",
                "{'type': 'WordPiece', 'unk_token': '" + "u".repeat(5000) + "', 'continuing_subword_prefix': '##',"
                        + " 'max_input_chars_per_word': 100, 'vocab': {'a': 0, 'b': 1}}");
        assertThatThrownBy(() -> tokenizer.encode("c"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("the text has no tokens")
                .message()
                .hasSizeLessThan(500);
    }
}
