package io.gradus.data.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The vocabulary and the ids of the texts come from transformers; {@code generate.py} beside the fixtures made them. */
class Gpt2TokenizerFilesTest {
    private static final Path FIXTURE = Path.of("src/test/fixtures/gpt2/tokenizer");
    private static final int END_OF_TEXT = 275;

    @TempDir
    private Path folder;

    @BeforeEach
    void copy() throws IOException {
        for (String name : new String[] {"config.json", "vocab.json", "merges.txt"}) {
            Files.copy(FIXTURE.resolve(name), folder.resolve(name));
        }
    }

    private void write(String name, String content) throws IOException {
        Files.writeString(folder.resolve(name), content.replace('\'', '"'));
    }

    @Test
    void gpt2IdsEqualThoseOfTransformers() throws IOException {
        Tokenizer tokenizer = Tokenizer.load(folder);
        ObjectMapper json = new ObjectMapper();
        for (JsonNode text : json.readTree(FIXTURE.resolve("encoded.json").toFile())) {
            assertThat(tokenizer.encode(text.get("text").textValue()))
                    .as(text.get("text").textValue())
                    .containsExactly(json.convertValue(text.get("ids"), int[].class));
        }
        assertThat(tokenizer.vocabSize()).isEqualTo(276);
        assertThat(tokenizer.eos()).hasValue(END_OF_TEXT);
        assertThat(tokenizer.bos()).hasValue(END_OF_TEXT);
        assertThat(tokenizer.addsBos()).isFalse();
    }

    @Test
    void gpt2DecodesToTheEncodedText() throws IOException {
        Tokenizer tokenizer = Tokenizer.load(folder);
        Stream.concat(SampleTexts.TRICKY.stream(), SampleTexts.random(50))
                .filter(text -> !text.contains("<|endoftext|>"))
                .forEach(text ->
                        assertThat(tokenizer.decode(tokenizer.encode(text))).isEqualTo(text));
    }

    @Test
    void gpt2EndOfTextIsOneTokenAndNotDecoded() throws IOException {
        Tokenizer tokenizer = Tokenizer.load(folder);
        assertThat(tokenizer.encode("<|endoftext|>")).containsExactly(END_OF_TEXT);
        assertThat(tokenizer.decode(new int[] {78, END_OF_TEXT})).isEqualTo("o");
    }

    @Test
    void addedTokensAndPrefixSpaceAreHonored() throws IOException {
        write("added_tokens.json", "{'<user>': 276}");
        write("tokenizer_config.json", "{'add_prefix_space': true, 'tokenizer_class': 'GPT2Tokenizer'}");
        Tokenizer tokenizer = Tokenizer.load(folder);
        assertThat(tokenizer.encode("o")).hasSize(2);
        assertThat(tokenizer.encode("<user>")).containsExactly(276);
        assertThat(tokenizer.decode(new int[] {276})).isEqualTo("<user>");
        assertThat(tokenizer.vocabSize()).isEqualTo(277);
        write("special_tokens_map.json", "{'eos_token': {'content': '<user>'}}");
        Tokenizer special = Tokenizer.load(folder);
        assertThat(special.eos()).hasValue(276);
        assertThat(special.decode(new int[] {276, 78})).isEqualTo("o");
    }

    @Test
    void gpt2FilesAreSavedWithATokenizerJson() throws IOException {
        Path target = folder.resolve("checkpoint");
        Tokenizer tokenizer = Tokenizer.load(folder);
        tokenizer.save(target);
        assertThat(target.resolve("tokenizer.json")).exists();
        assertThat(target.resolve("merges.txt")).hasSameTextualContentAs(folder.resolve("merges.txt"));
        String text = "the theatre is <|endoftext|> there";
        assertThat(Tokenizer.load(target).encode(text)).isEqualTo(tokenizer.encode(text));
    }

    @Test
    void missingOrMalformedFileIsNamed() throws IOException {
        write("merges.txt", "#version: 0.2\nt h\nthe\n");
        assertThatThrownBy(() -> Tokenizer.load(folder))
                .isInstanceOf(IOException.class)
                .hasMessageStartingWith(folder.resolve("merges.txt") + ": line 3 is 'the', not two tokens");
        Files.delete(folder.resolve("merges.txt"));
        assertThatThrownBy(() -> Tokenizer.load(folder))
                .isInstanceOf(IOException.class)
                .hasMessageStartingWith(folder + ": it has a vocab.json but no merges.txt");
    }

    @Test
    void filesOfAnUnknownClassAreRejected() throws IOException {
        write("config.json", "{'model_type': 'llama'}");
        assertThatThrownBy(() -> Tokenizer.load(folder)).hasMessageContaining("has a vocab.json but no tokenizer.json");
        write("config.json", "{'model_type': 'gpt2'}");
        write("tokenizer_config.json", "{'tokenizer_class': 'CodeGenTokenizer'}");
        assertThatThrownBy(() -> Tokenizer.load(folder))
                .hasMessageStartingWith(folder.resolve("tokenizer_config.json") + ": transformers 5.")
                .hasMessageContaining("with the class CodeGenTokenizer, which Gradus does not have");
    }
}
