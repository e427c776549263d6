package io.gradus.nn.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConfigJsonTest {
    @TempDir
    private Path folder;

    private Path file = Path.of("");

    @BeforeEach
    void name() {
        file = folder.resolve("config.json");
    }

    @Test
    void theFamilyIsWhatTheFileSaysAndLlamaWhereItIsSilent() throws IOException {
        Files.writeString(file, "{\"model_type\": \"gpt2\"}");
        assertThat(ConfigJson.modelType(folder)).isEqualTo("gpt2");
        Files.writeString(file, "{\"model_type\": null}");
        assertThat(ConfigJson.modelType(folder)).isEqualTo("llama");
        Files.writeString(file, "{}");
        assertThat(ConfigJson.modelType(folder)).isEqualTo("llama");
    }

    @Test
    void aProblemIsToldByTheFile() throws IOException {
        assertThatThrownBy(() -> ConfigJson.modelType(folder))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(file + " is missing");
        Files.writeString(file, "{\"model_type\": \"gpt2\",");
        assertThatThrownBy(() -> ConfigJson.modelType(folder))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(file + " is not JSON");
        Files.writeString(file, "{\"width\": \"wide\"}");
        assertThatThrownBy(() -> ConfigJson.read(folder, json -> ConfigJson.integer(json, "width", null)))
                .isInstanceOf(IOException.class)
                .hasMessage(file + ": width is \"wide\", not a whole number");
        assertThatThrownBy(() -> ConfigJson.read(folder, json -> ConfigJson.number(json, "depth", null)))
                .isInstanceOf(IOException.class)
                .hasMessage(file + ": depth is missing");
    }
}
