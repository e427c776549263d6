package io.gradus.data.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HuggingFaceTokenizerTest {

    /** A few whole words, with the ids that a test needs; a text gets bos by the post-processor. */
    private static final String WORDS = """
        {
          "version": "1.0",
          "truncation": {"max_length": 2, "strategy": "LongestFirst", "stride": 0, "direction": "Right"},
          "padding": {"strategy": {"Fixed": 8}, "direction": "Right", "pad_to_multiple_of": null,
                      "pad_id": 0, "pad_type_id": 0, "pad_token": "[unk]"},
          "added_tokens": [
            {"id": 4, "content": "[bos]", "single_word": false, "lstrip": false, "rstrip": false,
             "normalized": false, "special": true},
            {"id": 5, "content": "[eos]", "single_word": false, "lstrip": false, "rstrip": false,
             "normalized": false, "special": true}],
          "normalizer": null,
          "pre_tokenizer": {"type": "Whitespace"},
          "post_processor": {
            "type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": "[bos]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}}],
            "special_tokens": {"[bos]": {"id": "[bos]", "ids": [4], "tokens": ["[bos]"]}}},
          "decoder": null,
          "model": {"type": "WordLevel", "vocab": {"[unk]": 0, "one": 1, "two": 2, "three": 3},
                    "unk_token": "[unk]"}
        }
        """;

    @TempDir
    private Path folder;

    private HuggingFaceTokenizer words(String tokenizerConfig) throws IOException {
        Files.writeString(folder.resolve("tokenizer.json"), WORDS);
        Files.writeString(folder.resolve("tokenizer_config.json"), tokenizerConfig);
        return new HuggingFaceTokenizer(folder);
    }

    @Test
    void idsOfAnotherEngineDecodeAndEncode() throws IOException {
        Path model = TestModels.stories260K();
        HuggingFaceTokenizer tokenizer = new HuggingFaceTokenizer(model);
        int[] ids =
                new ObjectMapper().readValue(model.resolve("greedy_ids.json").toFile(), int[].class);
        String text = Files.readString(model.resolve("greedy.txt"));
        assertThat(tokenizer.decode(ids)).isEqualTo(text);
        assertThat(tokenizer.encode(text)).isEqualTo(Arrays.copyOfRange(ids, 1, ids.length));
        assertThat(ids[0]).isEqualTo(tokenizer.bos().orElseThrow());
        assertThat(tokenizer.eos()).hasValue(2);
        assertThat(tokenizer.eosIds()).containsExactly(2);
        assertThat(tokenizer.addsBos()).isTrue();
        assertThat(tokenizer.vocabSize()).isEqualTo(512);
    }

    @Test
    void byteFallbackDecodesToTheEncodedText() throws IOException {
        HuggingFaceTokenizer tokenizer = new HuggingFaceTokenizer(TestModels.stories260K());
        Stream.concat(SampleTexts.TRICKY.stream(), SampleTexts.random(100))
                // U+2581 is its sign for a space, and it adds one in front of a text unless there is one.
                .filter(text -> !text.contains("<s>") && !text.contains("\u2581") && !text.startsWith(" "))
                .forEach(text ->
                        assertThat(tokenizer.decode(tokenizer.encode(text))).isEqualTo(text));
    }

    @Test
    void truncationPaddingAndSpecialTokensOfTheFileAreIgnored() throws IOException {
        HuggingFaceTokenizer tokenizer = words("{\"model_max_length\": 2}");
        assertThat(tokenizer.encode("one two three one two")).containsExactly(1, 2, 3, 1, 2);
        assertThat(tokenizer.encode("one [eos]")).containsExactly(1, 5);
        assertThat(tokenizer.encode("")).isEmpty();
        assertThat(tokenizer.decode(new int[] {4, 1, 3, 5})).isEqualTo("one three");
        assertThat(tokenizer.decode(new int[0])).isEmpty();
        assertThat(tokenizer.vocabSize()).isEqualTo(6);
    }

    @Test
    void longTextIsNotTruncated() throws IOException {
        String text = "one two three ".repeat(50_000);
        assertThat(words("{}").encode(text)).hasSize(150_000);
    }

    @Test
    void addsBosFollowsThePostProcessorWhateverTheFlagSays() throws IOException {
        assertThat(words("{\"bos_token\": \"[bos]\"}").addsBos()).isTrue();
        assertThat(words("{\"bos_token\": \"[bos]\", \"add_bos_token\": false}").addsBos())
                .isTrue();
        assertThat(words("{\"bos_token\": \"[eos]\"}").addsBos()).isFalse();
        assertThat(words("{\"bos_token\": \"[eos]\", \"add_bos_token\": true}").addsBos())
                .isFalse();
        assertThat(words("{\"bos_token\": null, \"add_bos_token\": true}").addsBos())
                .isFalse();
    }

    @Test
    void savedFilesEqualTheLoadedFiles() throws IOException {
        HuggingFaceTokenizer tokenizer = words("{\"eos_token\": \"[eos]\"}");
        Files.writeString(folder.resolve("tokenizer.json"), "overwritten since");
        Path target = folder.resolve("checkpoint");
        tokenizer.save(target);
        assertThat(target.resolve("tokenizer.json")).hasContent(WORDS);
        assertThat(target.resolve("tokenizer_config.json")).hasContent("{\"eos_token\": \"[eos]\"}");
        assertThat(target).isDirectoryNotContaining(file -> file.toString().endsWith(".tmp"));
        assertThat(Tokenizer.load(target).eos()).hasValue(5);
    }

    @Test
    void malformedFileIsNamed() throws IOException {
        Path file = folder.resolve("tokenizer.json");
        Files.writeString(file, "{\"model\": {\"vocab\":");
        assertThatThrownBy(() -> Tokenizer.load(folder))
                .isInstanceOf(IOException.class)
                .hasMessageStartingWith(file + ": it is not JSON");
        Files.writeString(file, "{\"model\": {\"type\": \"Telepathy\", \"vocab\": {\"a\": 0}}}");
        assertThatThrownBy(() -> Tokenizer.load(folder))
                .isInstanceOf(IOException.class)
                .hasMessageStartingWith(file + ": ");
        Files.writeString(file, "[]");
        assertThatThrownBy(() -> Tokenizer.load(folder)).hasMessageContaining("not a JSON object");
    }

    @Test
    void unpairedSurrogateIsRejected() throws IOException {
        HuggingFaceTokenizer tokenizer = words("{}");
        assertThatThrownBy(() -> tokenizer.encode("one \uDE00"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("at character 4");
    }

    @Test
    void tokenizerIsThreadSafe() throws IOException {
        HuggingFaceTokenizer tokenizer = words("{}");
        assertThat(IntStream.range(0, 2000).parallel().mapToObj(i -> tokenizer.encode("three two one")))
                .allSatisfy(ids -> assertThat(ids).containsExactly(3, 2, 1));
    }
}
