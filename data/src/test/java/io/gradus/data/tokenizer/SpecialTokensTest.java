package io.gradus.data.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class SpecialTokensTest {
    private static final String TOKENIZER = """
        {"added_tokens": [{"id": 5, "content": "<s>"}, {"id": 6, "content": "</s>"}],
         "model": {"vocab": {"a": 0, "b": 1}}}
        """;

    private static SpecialTokens read(Map<String, String> files) throws IOException {
        Path folder = Path.of("model");
        var vocabulary =
                new TokenizerVocabulary(new ObjectMapper().readTree(TOKENIZER), folder.resolve("tokenizer.json"));
        return SpecialTokens.read(
                new TokenizerFiles(
                        folder,
                        files.entrySet().stream()
                                .collect(Collectors.toMap(
                                        Map.Entry::getKey,
                                        file -> file.getValue().getBytes(StandardCharsets.UTF_8)))),
                vocabulary);
    }

    @Test
    void specialTokensAreStringsOrObjects() throws IOException {
        SpecialTokens special = read(Map.of(
                "tokenizer_config.json",
                "{\"bos_token\": \"<s>\", \"eos_token\": {\"content\": \"</s>\", \"lstrip\": false}}"));
        assertThat(special.bos()).hasValue(5);
        assertThat(special.eos()).hasValue(6);
        assertThat(special.eosIds()).containsExactly(6);
        assertThat(special.addBosToken()).isEmpty();
    }

    @Test
    void nullInTokenizerConfigTakesPrecedence() throws IOException {
        SpecialTokens special = read(Map.of(
                "tokenizer_config.json",
                "{\"bos_token\": null, \"add_bos_token\": false}",
                "special_tokens_map.json",
                "{\"bos_token\": \"<s>\", \"eos_token\": \"</s>\"}",
                "config.json",
                "{\"bos_token_id\": 5, \"eos_token_id\": 1}"));
        assertThat(special.bos()).isEmpty();
        assertThat(special.eos()).hasValue(6);
        assertThat(special.eosIds()).containsExactly(6, 1);
        assertThat(special.addBosToken()).hasValue(false);
    }

    @Test
    void generationConfigTakesPrecedenceOverConfig() throws IOException {
        SpecialTokens special = read(Map.of(
                "generation_config.json",
                "{\"eos_token_id\": [1, 6]}",
                "config.json",
                "{\"bos_token_id\": 5, \"eos_token_id\": 0}"));
        assertThat(special.bos()).hasValue(5);
        assertThat(special.eos()).hasValue(1);
        assertThat(special.eosIds()).containsExactly(1, 6);
    }

    @Test
    void specialTokensAreOptional() throws IOException {
        SpecialTokens special = read(Map.of("config.json", "{\"bos_token_id\": null}"));
        assertThat(special.bos()).isEmpty();
        assertThat(special.eos()).isEmpty();
        assertThat(special.eosIds()).isEmpty();
    }

    @Test
    void unknownSpecialTokenIsRejectedWithItsFile() {
        assertThatThrownBy(() -> read(Map.of("tokenizer_config.json", "{\"eos_token\": \"<end>\"}")))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(Path.of("model", "tokenizer_config.json") + ": eos_token is '<end>'");
        assertThatThrownBy(() -> read(Map.of("tokenizer_config.json", "{\"eos_token\": 3}")))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("it must be a token or null");
        for (String id : new String[] {"\"6\"", "-1", "1.5", "[6, \"x\"]"}) {
            assertThatThrownBy(() -> read(Map.of("generation_config.json", "{\"eos_token_id\": " + id + "}")))
                    .as(id)
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("generation_config.json: eos_token_id is " + id.replace(", ", ","));
        }
    }
}
