package io.gradus.data.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.data.tokenizer.huggingface.TokenizerFiles;
import io.gradus.data.tokenizer.huggingface.TransformersTokenizer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

class SpecialTokensTest {
    private static final String TOKENIZER = """
        {"added_tokens": [
          {"id": 5, "content": "<s>", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false,
           "special": true},
          {"id": 6, "content": "</s>", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false,
           "special": true}],
         "model": {"type": "WordLevel", "unk_token": "a", "vocab": {"a": 0, "b": 1, "c": 2, "d": 3, "e": 4}}}
        """;

    private static SpecialTokens read(Map<String, String> files) throws IOException {
        var contents = new HashMap<String, byte[]>();
        contents.put("tokenizer.json", TOKENIZER.getBytes(StandardCharsets.UTF_8));
        files.forEach((name, content) -> contents.put(name, content.getBytes(StandardCharsets.UTF_8)));
        return SpecialTokens.read(new TransformersTokenizer(new TokenizerFiles(Path.of("model"), contents)));
    }

    @Test
    void specialTokensAreStringsOrObjects() throws IOException {
        SpecialTokens special = read(Map.of(
                "tokenizer_config.json",
                "{\"bos_token\": \"<s>\", \"eos_token\": {\"content\": \"</s>\", \"lstrip\": false}}"));
        assertThat(special.bos()).hasValue(5);
        assertThat(special.eos()).hasValue(6);
        assertThat(special.eosIds()).containsExactly(6);
    }

    @Test
    void nullTakesPrecedenceOverIdsOfTheModel() throws IOException {
        SpecialTokens special = read(Map.of(
                "tokenizer_config.json",
                "{\"bos_token\": null}",
                "special_tokens_map.json",
                "{\"eos_token\": \"</s>\"}",
                "config.json",
                "{\"bos_token_id\": 5, \"eos_token_id\": 1}"));
        assertThat(special.bos()).isEmpty();
        assertThat(special.eos()).hasValue(6);
        assertThat(special.eosIds()).containsExactly(6, 1);
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
    void specialTokenThatNoFileListsGetsTheNextId() throws IOException {
        assertThat(read(Map.of("tokenizer_config.json", "{\"eos_token\": \"<end>\"}"))
                        .eos())
                .hasValue(7);
    }

    @Test
    void malformedSpecialTokenIsRejectedWithItsFile() {
        assertThatThrownBy(() -> read(Map.of("tokenizer_config.json", "{\"eos_token\": 3}")))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(
                        Path.of("model", "tokenizer_config.json") + ": eos_token is 3; it must be a token or null");
        for (String id : new String[] {"\"6\"", "-1", "1.5", "[6, \"x\"]"}) {
            assertThatThrownBy(() -> read(Map.of("generation_config.json", "{\"eos_token_id\": " + id + "}")))
                    .as(id)
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("generation_config.json: eos_token_id is " + id.replace(", ", ","));
        }
    }
}
