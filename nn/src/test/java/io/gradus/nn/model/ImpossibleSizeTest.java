package io.gradus.nn.model;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A size of 0 or less is rejected with the key as the file has it, the value, and the file, in every family. */
class ImpossibleSizeTest {
    private static final List<String> COMMON =
            List.of("vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "max_position_embeddings");

    private static final Map<String, List<String>> MORE = Map.of(
            "llama", List.of("intermediate_size", "num_key_value_heads", "head_dim"),
            "mistral", List.of("intermediate_size", "num_key_value_heads", "head_dim", "sliding_window"),
            "qwen2", List.of("intermediate_size", "num_key_value_heads", "head_dim", "sliding_window"),
            "gpt2", List.of("n_positions", "n_embd", "n_layer", "n_head", "n_inner"));

    @TempDir
    private Path folder;

    private record Wrong(String family, String key, int value) {}

    static List<Wrong> wrong() {
        List<Wrong> wrong = new ArrayList<>();
        MORE.forEach((family, keys) -> {
            for (int value : new int[] {0, -1, Integer.MIN_VALUE}) {
                COMMON.forEach(key -> wrong.add(new Wrong(family, key, value)));
                keys.forEach(key -> wrong.add(new Wrong(family, key, value)));
            }
        });
        return wrong;
    }

    @ParameterizedTest
    @MethodSource("wrong")
    void sizeBelowOneIsNamedWithItsKeyAndFile(Wrong wrong) throws IOException {
        ConfigJson json = new ConfigJson().set("model_type", wrong.family);
        if (wrong.family.equals("gpt2")) {
            json.set("n_positions", 8).set("n_embd", 16).set("n_layer", 2).set("n_head", 4);
            json.set("vocab_size", 32);
        } else {
            json.set("vocab_size", 32).set("hidden_size", 16).set("intermediate_size", 24);
            json.set("num_hidden_layers", 2).set("num_attention_heads", 4).set("num_key_value_heads", 2);
        }
        Path file = Files.writeString(folder.resolve("config.json"), json.set(wrong.key, wrong.value) + "\n");

        assertThatThrownBy(() -> new ModelFolder(folder).config())
                .isInstanceOf(IOException.class)
                .hasMessage(file + ": " + wrong.key + " is " + wrong.value + "; it must be at least 1");
    }
}
