package io.gradus.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.gradus.data.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Tokens of words; {@code fixtures/tokenizers/words.py} made the expected values. */
class WordEncoderTest {
    private static final Path FIXTURES = Path.of("src/test/fixtures/tokenizers");
    private static final ObjectMapper JSON = new ObjectMapper();

    private static JsonNode file() throws IOException {
        return JSON.readTree(FIXTURES.resolve("words.json").toFile());
    }

    static Stream<String> folders() throws IOException {
        return file().get("expected").propertyStream().map(entry -> entry.getKey());
    }

    private static List<String> words() throws IOException {
        return List.of(JSON.convertValue(file().get("words"), String[].class));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("folders")
    void tokensOfWordsEqualThoseOfTransformers(String folder) throws IOException {
        JsonNode expected = file().get("expected").get(folder);
        WordEncoder encoder = new WordEncoder(Tokenizer.load(FIXTURES.resolve(folder)), 64);
        List<WordEncoder.Row> rows = encoder.encode(words());
        assertThat(rows).hasSize(1);
        assertThat(rows.getFirst().text().ids()).containsExactly(JSON.convertValue(expected.get("ids"), int[].class));
        assertThat(rows.getFirst().firstTokens())
                .containsExactly(JSON.convertValue(expected.get("first"), int[].class));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("folders")
    void longSentenceIsCutBetweenWords(String folder) throws IOException {
        Tokenizer tokenizer = Tokenizer.load(FIXTURES.resolve(folder));
        List<WordEncoder.Row> whole = new WordEncoder(tokenizer, 64).encode(words());
        List<WordEncoder.Row> rows = new WordEncoder(tokenizer, 16).encode(words());
        assertThat(rows).hasSizeGreaterThan(1);
        assertThat(rows.stream().mapToInt(row -> row.firstTokens().length).sum())
                .isEqualTo(words().size());
        int word = 0;
        for (WordEncoder.Row row : rows) {
            assertThat(row.text().ids()).hasSizeLessThanOrEqualTo(16);
            for (int first : row.firstTokens()) {
                int expected = whole.getFirst().text().ids()[whole.getFirst().firstTokens()[word++]];
                assertThat(row.text().ids()[first]).isEqualTo(expected);
            }
        }
    }

    @Test
    void lengthWithoutRoomForAWordIsRejected() throws IOException {
        Tokenizer tokenizer = Tokenizer.load(FIXTURES.resolve("bert-uncased"));
        assertThatThrownBy(() -> new WordEncoder(tokenizer, 2))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("data.max_seq_len is 2");
    }
}
