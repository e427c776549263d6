package io.gradus.data.tokenizer.huggingface;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalInt;
import java.util.stream.Stream;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Ids and texts equal those of AutoTokenizer in transformers 5, for folders of many kinds; {@code generate.py} beside the fixtures made
 * both.
 */
class TransformersIdsTest {
    private static final Path FIXTURES = Path.of("src/test/fixtures/tokenizers");
    private static final ObjectMapper JSON = new ObjectMapper();

    static Stream<String> folders() throws IOException {
        return expected().propertyStream().map(entry -> entry.getKey());
    }

    private static JsonNode expected() throws IOException {
        return JSON.readTree(FIXTURES.resolve("expected.json").toFile());
    }

    @Test
    void tableHasAllFolders() throws IOException {
        try (Stream<Path> folders = Files.list(FIXTURES).filter(Files::isDirectory)) {
            assertThat(folders.map(folder -> folder.getFileName().toString()))
                    .hasSizeGreaterThan(30)
                    .containsExactlyInAnyOrderElementsOf(folders().toList());
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("folders")
    void idsEqualThoseOfAutoTokenizer(String folder) throws IOException {
        JsonNode expected = expected().get(folder);
        check(new TransformersTokenizer(TokenizerFiles.read(FIXTURES.resolve(folder))), expected);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("folders")
    void idsOfSavedFilesEqualThoseOfTheFolder(String folder, @TempDir Path saved) throws IOException {
        new TransformersTokenizer(TokenizerFiles.read(FIXTURES.resolve(folder)))
                .files()
                .save(saved);
        Path config = FIXTURES.resolve(folder).resolve("config.json");
        if (Files.exists(config)) {
            Files.copy(config, saved.resolve("config.json"));
        }
        assertThat(saved.resolve("tokenizer.json")).exists();
        check(new TransformersTokenizer(TokenizerFiles.read(saved)), expected().get(folder));
    }

    private static void check(TransformersTokenizer tokenizer, JsonNode expected) {
        SoftAssertions softly = new SoftAssertions();
        softly.assertThat(tokenizer.size()).isEqualTo(expected.get("size").intValue());
        for (String name : new String[] {"bos_token", "eos_token"}) {
            softly.assertThat(tokenizer.namedId(name))
                    .as(name)
                    .isEqualTo(
                            expected.has(name)
                                    ? OptionalInt.of(expected.get(name).intValue())
                                    : OptionalInt.empty());
        }
        for (JsonNode row : expected.get("rows")) {
            int[] ids = JSON.convertValue(row.get("ids"), int[].class);
            String text = row.path("text").asText();
            if (row.has("text")) {
                softly.assertThat(tokenizer.encode(text))
                        .as("ids of '%s'", text)
                        .containsExactly(ids);
            }
            if (row.has("with_special_tokens")) {
                softly.assertThat(tokenizer.withSpecialTokens(ids))
                        .as("ids of '%s' with special tokens", text)
                        .containsExactly(JSON.convertValue(row.get("with_special_tokens"), int[].class));
            }
            String decoded = row.get("decoded").textValue();
            softly.assertThat(tokenizer.decode(ids, false))
                    .as("text of the ids of '%s'", text)
                    .isEqualTo(decoded);
            softly.assertThat(tokenizer.decode(ids, true))
                    .as("text without special tokens of the ids of '%s'", text)
                    .isEqualTo(row.path("skipped").asText(decoded));
        }
        softly.assertAll();
    }
}
