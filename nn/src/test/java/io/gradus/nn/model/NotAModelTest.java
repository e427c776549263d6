package io.gradus.nn.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.Tensor;
import io.gradus.core.safetensors.NamedTensor;
import io.gradus.core.safetensors.SafetensorsWriter;
import io.gradus.nn.model.llama.LlamaConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A path that does not lead to a trainable model is rejected with what it is and what to do. */
class NotAModelTest {
    private static final LlamaConfig CONFIG = LlamaConfig.of(11, 12, 20, 1, 6, 2, 16);

    @TempDir
    private Path folder;

    private void write(String... files) throws IOException {
        for (String file : files) {
            Files.writeString(
                    folder.resolve(file),
                    file.equals("config.json") ? CONFIG.toJson().toString() : "");
        }
    }

    private static String refusal(Path path) {
        Throwable thrown = catchThrowable(() -> ModelFolder.open(path).load(Device.cpu()));
        assertThat(thrown).isInstanceOf(IOException.class);
        return String.valueOf(thrown.getMessage());
    }

    // ---- paths ----

    @ParameterizedTest
    @CsvSource({
        "meta-llama/Llama-3.2-1B, hf download meta-llama/Llama-3.2-1B --local-dir Llama-3.2-1B",
        "gpt2, hf download gpt2 --local-dir gpt2",
        "https://huggingface.co/HuggingFaceTB/SmolLM2-135M, hf download HuggingFaceTB/SmolLM2-135M --local-dir",
        "huggingface.co/gpt2/, hf download gpt2 --local-dir gpt2",
        "hf://Qwen/Qwen2.5-0.5B, hf download Qwen/Qwen2.5-0.5B --local-dir Qwen2.5-0.5B",
    })
    void nameOfAModelOnTheHubIsExplained(String path, String command) {
        assertThat(refusal(Path.of(path)))
                .startsWith("model " + Path.of(path) + " is missing; name a Hugging Face folder")
                .contains("download it first: " + command);
    }

    @ParameterizedTest
    @CsvSource({"/nowhere/model", "./model", "../models/llama", "a/b/c"})
    void otherMissingPathIsMissing(String path) {
        assertThat(refusal(Path.of(path)))
                .contains(" is missing; name a Hugging Face folder")
                .doesNotContain("hf download");
    }

    @Test
    void fileOrDanglingLinkIsNamed() throws IOException {
        write("config.json", "model.gguf");
        assertThat(refusal(folder.resolve("config.json"))).contains("config.json is not a folder; name");
        assertThat(refusal(folder.resolve("model.gguf"))).contains("model.gguf is a GGUF file of llama.cpp");
        Path link = Files.createSymbolicLink(folder.resolve("link"), Path.of("gone"));
        assertThat(refusal(link)).contains("link is a symbolic link to gone, which is missing");
    }

    // ---- folders ----

    @Test
    void folderWithoutConfigIsExplained() throws IOException {
        assertThat(refusal(folder))
                .isEqualTo(
                        "model " + folder + ": it is empty; check the path, or whether the" + " download is complete");
        write("model.safetensors", "tokenizer.json");
        assertThat(refusal(folder))
                .startsWith("model " + folder + ": it has no config.json; name a Hugging Face folder");
        write("llama.gguf");
        assertThat(refusal(folder)).contains("it has llama.gguf, the format of llama.cpp");
    }

    @Test
    void folderWithConfigAndWeightsOfAnotherFormatIsExplained() throws IOException {
        write("config.json", "model.onnx");
        assertThat(refusal(folder)).contains("it has model.onnx, the ONNX format");
        write("pytorch_model.bin");
        Files.delete(folder.resolve("model.onnx"));
        assertThat(refusal(folder)).contains("it has pytorch_model.bin, but only safetensors are read");
    }

    @Test
    void adapterIsRejectedWithTheWayToMergeIt() throws IOException {
        write("adapter_config.json", "adapter_model.safetensors", "tokenizer.json");
        assertThat(refusal(folder))
                .startsWith("model " + folder + " is a PEFT adapter (LoRA or the like) of another model without")
                .contains("merge_and_unload()");
        write("config.json");
        Files.writeString(folder.resolve("adapter_config.json"), "{\"base_model_name_or_path\": \"a/b\"}");
        assertThat(refusal(folder)).contains("is a PEFT adapter (LoRA or the like) of a/b without");
        write("model.safetensors");
        assertThat(refusal(folder))
                .contains("has adapter_config.json besides a model's weights")
                .contains("merge_and_unload()");
    }

    @Test
    void gitLfsPointerIsRejected() throws IOException {
        String pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:1a2b\nsize 10\n";
        write("config.json");
        Files.writeString(folder.resolve("model.safetensors"), pointer);
        assertThat(refusal(folder)).contains("model.safetensors: it is a Git LFS pointer", "git lfs pull");
        Files.writeString(folder.resolve("config.json"), pointer);
        assertThat(refusal(folder)).contains("config.json is a Git LFS pointer", "git lfs pull");
        write("config.json");
        Files.delete(folder.resolve("model.safetensors"));
        Files.writeString(folder.resolve("model.safetensors.index.json"), pointer);
        assertThat(refusal(folder)).contains("model.safetensors.index.json: it is a Git LFS pointer", "git lfs pull");
    }

    // ---- quantized weights ----

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            "quantization_config": {"quant_method": "gptq", "bits": 4}        | quantization_config is set, by gptq
            "quantization_config": {"quant_method": "awq"}                    | quantization_config is set, by awq
            "quantization_config": {"quant_method": "fp8"}                    | quantization_config is set, by fp8
            "quantization_config": {"quant_method": "compressed-tensors"}     | quantization_config is set, by compressed-tensors
            "quantization_config": {"load_in_4bit": true}                     | quantization_config is set, by bitsandbytes
            "quantization_config": {}                                         | quantization_config is set, by another program
            "quantization": {"group_size": 64, "bits": 4}                     | quantization is set, by MLX
            "compression_config": {"format": "pack-quantized"}                | compression_config is set, by another program
            """)
    void quantizedConfigIsRejectedByItsKey(String key, String message) throws IOException {
        String config = CONFIG.toJson().toString();
        Files.writeString(folder.resolve("config.json"), config.replaceFirst("\\{", "{" + key + ","));
        assertThatThrownBy(() -> ModelFolder.open(folder).config())
                .isInstanceOf(IOException.class)
                .hasMessageStartingWith(folder.resolve("config.json") + ": " + message)
                .hasMessageContaining("use the original model");
        Files.writeString(folder.resolve("config.json"), config.replaceFirst("\\{", "{\"quantization_config\": null,"));
        assertThat(ModelFolder.open(folder).config()).isEqualTo(CONFIG);
    }

    @ParameterizedTest
    @CsvSource({
        "qweight, GPTQ or AWQ",
        "weight.absmax, bitsandbytes",
        "weight.quant_state.bitsandbytes__nf4, bitsandbytes",
        "SCB, bitsandbytes",
        "weight_scale_inv, compressed-tensors or FP8",
        "weight_packed, compressed-tensors or FP8",
        "scales, MLX",
    })
    void quantizedTensorsAreRecognized(String tensor, String method) throws IOException {
        write("config.json");
        SafetensorsWriter.write(
                folder.resolve("model.safetensors"),
                List.of(
                        NamedTensor.of("model.layers.0.mlp.up_proj.weight", Tensor.of(new float[] {1}, 1), DType.BF16),
                        NamedTensor.of("model.layers.0.mlp.up_proj." + tensor, Tensor.of(new int[] {1}, 1))),
                Map.of());
        assertThat(refusal(folder))
                .contains(
                        "model.safetensors is quantized by " + method + " (it has model.layers.0.mlp.up_proj." + tensor)
                .contains("use the original model");
    }
}
