package io.gradus.data.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.OptionalInt;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Two texts become the ids and types of AutoTokenizer in transformers 5; {@code pairs.py} beside the fixtures made them. */
class TokenizerPairsTest {
    private static final Path FIXTURES = Path.of("src/test/fixtures/tokenizers");
    private static final ObjectMapper JSON = new ObjectMapper();

    private static JsonNode expected() throws IOException {
        return JSON.readTree(FIXTURES.resolve("pairs.json").toFile());
    }

    static Stream<String> folders() throws IOException {
        return expected().propertyStream().map(entry -> entry.getKey());
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("folders")
    void idsAndTypesEqualThoseOfAutoTokenizer(String folder, @TempDir Path saved) throws IOException {
        JsonNode expected = expected().get(folder);
        Tokenizer tokenizer = Tokenizer.load(FIXTURES.resolve(folder));
        int[] first = ids(expected, "first");
        int[] second = ids(expected, "second");
        assertThat(tokenizer.encode("the cat")).containsExactly(first);
        EncodedText both = tokenizer.withSpecialTokens(first, second);
        assertThat(both.ids()).containsExactly(ids(expected, "ids"));
        assertThat(both.tokenTypeIds()).containsExactly(ids(expected, "types"));
        assertThat(tokenizer.pad())
                .isEqualTo(
                        expected.has("pad") ? OptionalInt.of(expected.get("pad").intValue()) : OptionalInt.empty());
        tokenizer.save(saved);
        assertThat(Tokenizer.load(saved).withSpecialTokens(first, second).ids()).containsExactly(both.ids());
    }

    private static int[] ids(JsonNode expected, String key) {
        return JSON.convertValue(expected.get(key), int[].class);
    }
}
