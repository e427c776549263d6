package io.gradus.train.delta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.core.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A folder appears whole or not at all, with everything of the base but its weights. */
class SumFolderTest {
    @TempDir
    private Path folder;

    private Path base(String config) throws IOException {
        Path base = Files.createDirectories(folder.resolve("base"));
        Files.writeString(base.resolve("config.json"), config);
        return base;
    }

    private static SumFolder.Weights weights() {
        return fresh -> Files.writeString(fresh.resolve("model.safetensors"), "weights");
    }

    private String configAfter(String config, DType dtype) throws IOException {
        Path target = folder.resolve("target" + System.nanoTime());
        SumFolder.of(base(config), target).write(dtype, List.of(), weights());
        return Files.readString(target.resolve("config.json"));
    }

    @Test
    void configurationTokenizerAndLicenseAreCopied() throws IOException {
        Path base = base("{\"torch_dtype\":\"float32\"}");
        for (String name : new String[] {
            "tokenizer.json",
            "tokenizer.model",
            "merges.txt",
            "chat_template.jinja",
            "generation_config.json",
            "LICENSE.txt",
            "model.safetensors",
            "model.safetensors.index.json",
            "pytorch_model.bin",
            "metrics.jsonl",
            "recipe.yaml",
            "README.md"
        }) {
            Files.writeString(base.resolve(name), "of the base");
        }
        Path target = folder.resolve("deep/target");
        SumFolder.of(base, target).write(DType.F32, List.of(), weights());

        try (Stream<Path> files = Files.list(target)) {
            assertThat(files.map(file -> file.getFileName().toString()))
                    .containsExactlyInAnyOrder(
                            "config.json",
                            "tokenizer.json",
                            "tokenizer.model",
                            "merges.txt",
                            "chat_template.jinja",
                            "generation_config.json",
                            "LICENSE.txt",
                            "model.safetensors");
        }
        assertThat(target.resolve("model.safetensors")).hasContent("weights");
    }

    @Test
    void configurationHasTheDtype() throws IOException {
        String told = "{\"torch_dtype\":\"float32\"}";
        assertThat(configAfter(told, DType.F32)).as("byte for byte").isEqualTo(told);
        assertThat(configAfter(told, DType.BF16)).contains("\"torch_dtype\" : \"bfloat16\"");
        assertThat(configAfter("{\"dtype\":\"bfloat16\"}", DType.F16))
                .contains("\"dtype\" : \"float16\"")
                .doesNotContain("torch_dtype");
        assertThat(configAfter("{}", DType.F32)).contains("\"torch_dtype\" : \"float32\"");
    }

    @Test
    void malformedConfigurationIsRejected() {
        for (String config : new String[] {"[]", "{", ""}) {
            assertThatThrownBy(() -> configAfter(config, DType.F32))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("config.json is not");
        }
    }

    @Test
    void existingFilesAreNotOverwritten() throws IOException {
        Path base = base("{}");
        Path target = Files.createDirectories(folder.resolve("target"));
        SumFolder.of(base, target).write(DType.F32, List.of(), weights());

        assertThatThrownBy(() -> SumFolder.of(base, target))
                .hasMessage(target + " exists already; name another folder, or delete it");
        assertThatThrownBy(() -> SumFolder.of(base, target.resolve("config.json")))
                .hasMessageContaining("exists already");
        assertThatThrownBy(() -> SumFolder.of(folder.resolve("nowhere"), folder.resolve("new")))
                .hasMessageContaining("nowhere is missing");
        assertThatThrownBy(() -> SumFolder.of(folder, folder.resolve("new")))
                .hasMessageContaining("has no config.json");
    }

    @Test
    void failedWriteLeavesNoFile() throws IOException {
        SumFolder target = SumFolder.of(base("{}"), folder.resolve("target"));

        assertThatThrownBy(() -> target.write(DType.F32, List.of(), fresh -> {
                    Files.writeString(fresh.resolve("model.safetensors"), "half");
                    throw new IOException("disk full");
                }))
                .hasMessage("disk full");
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files).containsExactly(folder.resolve("base"));
        }
    }
}
