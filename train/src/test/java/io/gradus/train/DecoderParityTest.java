package io.gradus.train;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.autograd.Variable;
import io.gradus.core.Device;
import io.gradus.nn.model.LanguageModel;
import io.gradus.nn.model.ModelFolder;
import io.gradus.nn.model.PretrainedModel.Input;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;

/** {@link ModelParity} of Llama and the decoders after it. */
@ParameterizedClass
@ValueSource(
        strings = {
            "src/test/fixtures/llama/grouped-untied",
            "src/test/fixtures/llama/grouped-tied",
            "src/test/fixtures/llama/qwen2-bias",
            "src/test/fixtures/llama/llama3-rope",
            "src/test/fixtures/decoders/gemma2",
            "src/test/fixtures/decoders/gemma3",
            "src/test/fixtures/decoders/gpt-neox",
            "src/test/fixtures/decoders/gpt-neox-sequential",
            "src/test/fixtures/decoders/granite",
            "src/test/fixtures/decoders/llama-dynamic",
            "src/test/fixtures/decoders/llama-linear",
            "src/test/fixtures/decoders/llama-yarn",
            "src/test/fixtures/decoders/mistral-window",
            "src/test/fixtures/decoders/olmo2",
            "src/test/fixtures/decoders/phi3",
            "src/test/fixtures/decoders/phi3-partial",
            "src/test/fixtures/decoders/qwen3",
            "src/test/fixtures/decoders/qwen3-window",
            "src/test/fixtures/decoders/smollm3"
        })
class DecoderParityTest extends ModelParity {

    @Test
    void olderConfigurationReadsTheSame(@TempDir Path older) throws IOException {
        Files.copy(folder.resolve("config-v4.json"), older.resolve("config.json"));
        Files.copy(folder.resolve("model.safetensors"), older.resolve("model.safetensors"));
        assertThat(new ModelFolder(older).config()).isEqualTo(new ModelFolder(folder).config());
        Variable logits = LanguageModel.load(older, Device.cpu()).forward(Input.of(read("input_ids")));
        assertClose("logits", logits.value());
    }
}
