package io.gradus.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Tensor;
import io.gradus.core.safetensors.Entry;
import io.gradus.core.safetensors.NamedTensor;
import io.gradus.core.safetensors.SafetensorsCheckpoint;
import io.gradus.core.safetensors.SafetensorsWriter;
import io.gradus.nn.model.ModelFolder;
import io.gradus.train.delta.Delta;
import io.gradus.train.delta.DeltaSum;
import io.gradus.train.recipe.Recipe;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A trained model has the dtype of the model to start from, or the one that the recipe wants; checkpoints have every bit. */
class SaveDtypeTest {
    private static final String NORM = "model.norm.weight";

    @TempDir
    private Path folder;

    private Path text = Path.of("");

    @BeforeEach
    void write() throws IOException {
        text = TinyModel.writeText(folder.resolve("text.txt"), 60);
        TinyModel.write(folder.resolve("f32"));
        base("bf16", _ -> DType.BF16, "bfloat16");
        base("f16", _ -> DType.F16, "float16");
        base("mixed", name -> name.equals(NORM) ? DType.F32 : DType.BF16, "bfloat16");
    }

    /** The same weights, rounded to other dtypes. */
    private void base(String name, Function<String, DType> dtypes, String config) throws IOException {
        Path base = TinyModel.write(folder.resolve(name));
        List<NamedTensor> tensors = new ArrayList<>();
        try (SafetensorsCheckpoint file = SafetensorsCheckpoint.open(folder.resolve("f32"))) {
            for (String each : file.names()) {
                Tensor tensor = file.read(each, Device.cpu(1), DType.F32, MemoryCategory.WORKSPACE);
                tensors.add(NamedTensor.of(each, tensor, dtypes.apply(each)));
            }
            SafetensorsWriter.write(base.resolve("model.safetensors"), tensors, Map.of("format", "pt"));
        }
        Path json = base.resolve("config.json");
        Files.writeString(json, Files.readString(json).replace("\"float32\"", "\"" + config + "\""));
    }

    private Recipe recipe(String model, String output, String... overrides) {
        return Recipe.builder()
                .model(folder.resolve(model))
                .train(text)
                .output(folder.resolve(output))
                .steps(4)
                .batchSize(2)
                .learningRate(0.01)
                .maxEvalBlocks(2)
                .saveSteps(3)
                .sampleMaxTokens(0)
                .threads(1)
                .build()
                .with(overrides);
    }

    private Map<String, String> dtypes(String output) throws IOException {
        Map<String, String> dtypes = new TreeMap<>();
        try (SafetensorsCheckpoint file = SafetensorsCheckpoint.open(folder.resolve(output))) {
            for (Entry entry : file.entries()) {
                dtypes.put(entry.name(), entry.dtype());
            }
        }
        return dtypes;
    }

    private JsonNode config(String output) throws IOException {
        return new ObjectMapper()
                .readTree(folder.resolve(output).resolve("config.json").toFile());
    }

    private Map<String, float[]> weights(String output) throws IOException {
        Map<String, float[]> weights = new TreeMap<>();
        new ModelFolder(folder.resolve(output))
                .load(Device.cpu(1))
                .namedParameters()
                .forEach(
                        (name, parameter) -> weights.put(name, parameter.value().toFloats()));
        return weights;
    }

    @ParameterizedTest
    @CsvSource({
        "f32, keep, F32, float32",
        "bf16, keep, BF16, bfloat16",
        "f16, keep, F16, float16",
        "f32, bf16, BF16, bfloat16",
        "f32, f16, F16, float16",
        "bf16, f32, F32, float32",
        "bf16, f16, F16, float16",
        "f16, bf16, BF16, bfloat16"
    })
    void trainedModelHasTheWantedDtypeAndItsConfigSaysSo(String model, String saved, String dtype, String config)
            throws IOException {
        new FineTuning(recipe(model, "out", "save_dtype=" + saved)).run();

        assertThat(dtypes("out").values()).containsOnly(dtype);
        assertThat(config("out").path("torch_dtype").asText()).isEqualTo(config);
        assertThat(dtypes("out/checkpoints/step-000003").values()).containsOnly("F32");
        assertThat(config("out/checkpoints/step-000003").path("torch_dtype").asText())
                .isEqualTo("float32");
    }

    @Test
    void eachTensorKeepsItsOwnDtype() throws IOException {
        new FineTuning(recipe("mixed", "out")).run();

        assertThat(dtypes("out")).isEqualTo(dtypes("mixed")).containsEntry(NORM, "F32");
        assertThat(config("out").path("torch_dtype").asText()).isEqualTo("bfloat16");
    }

    /** PyTorch: {@code torch.tensor(x).to(torch.bfloat16)} rounds to nearest, ties to even. */
    @Test
    void weightsAreRoundedOnceFromTheTrainedOnes() throws IOException {
        new FineTuning(recipe("bf16", "full", "save_dtype=f32")).run();
        new FineTuning(recipe("bf16", "out")).run();
        Map<String, float[]> full = weights("full");
        Map<String, float[]> rounded = weights("out");

        full.forEach((name, exact) -> {
            float[] saved = rounded.get(name);
            for (int i = 0; i < exact.length; i++) {
                int bits = Float.floatToRawIntBits(exact[i]);
                int up = (bits + 0x7FFF + ((bits >>> 16) & 1)) & 0xFFFF0000;
                assertThat(saved[i]).as(name + " " + i).isEqualTo(Float.intBitsToFloat(up));
            }
        });
    }

    @Test
    void reportedLossIsThatOfTheSavedWeights() throws IOException {
        RunResult result = new FineTuning(recipe("bf16", "out")).run();
        RunResult again =
                new FineTuning(recipe("out", "again", "steps=1", "learning_rate=0", "check_first_loss=false")).run();

        assertThat(again.before()).isEqualTo(result.after());
    }

    @ParameterizedTest
    @CsvSource({"bf16, f32", "bf16, bf16", "f16, f16", "f32, bf16"})
    void resumedRunGivesTheSameBytes(String model, String precision) throws IOException {
        String keys = "precision=" + precision;
        new FineTuning(recipe(model, "whole", keys, "save_dtype=bf16")).run();
        new FineTuning(recipe(model, "out", keys, "save_dtype=f16", "save_steps=2")).run();
        Files.delete(folder.resolve("out/model.safetensors"));
        new FineTuning(recipe(model, "out", keys, "save_dtype=bf16", "resume=true")).run();

        assertThat(folder.resolve("out/model.safetensors"))
                .hasSameBinaryContentAs(folder.resolve("whole/model.safetensors"));
    }

    @Test
    void frozenWeightsOfAnyPrecisionAreSavedUnchanged() throws IOException {
        for (String precision : List.of("f32", "bf16", "f16")) {
            new FineTuning(recipe("mixed", precision + "-out", "freeze=*norm*", "precision=" + precision)).run();
            assertThat(weights(precision + "-out").get(NORM))
                    .isEqualTo(weights("mixed").get(NORM));
        }
    }

    @ParameterizedTest
    @CsvSource({"bf16, keep", "f16, keep", "mixed, keep", "bf16, f32", "f32, bf16"})
    void baseAndDeltaAddUpToTheSavedWeights(String model, String saved) throws IOException {
        new FineTuning(recipe(model, "out", "save_dtype=" + saved)).run();
        Path delta = folder.resolve("delta.safetensors");
        Delta.diff(folder.resolve(model), folder.resolve("out"), delta);
        DeltaSum.of(folder.resolve(model)).plus(delta, 1).write(folder.resolve("sum"));

        assertThat(folder.resolve("sum/model.safetensors"))
                .hasSameBinaryContentAs(folder.resolve("out/model.safetensors"));
        assertThat(config("sum").path("torch_dtype")).isEqualTo(config("out").path("torch_dtype"));
    }

    // ---- weights out of range ----

    /** A model whose final norm, of ones, is multiplied. */
    private void scaleNorm(float factor) throws IOException {
        List<NamedTensor> tensors = new ArrayList<>();
        try (SafetensorsCheckpoint file = SafetensorsCheckpoint.open(folder.resolve("f32"))) {
            for (String each : file.names()) {
                Tensor tensor = file.read(each, Device.cpu(1), DType.F32, MemoryCategory.WORKSPACE);
                float[] values = tensor.toFloats();
                for (int i = 0; i < values.length; i++) {
                    values[i] *= each.equals(NORM) ? factor : 1;
                }
                tensors.add(
                        NamedTensor.of(each, Tensor.of(values, tensor.shape().toArray())));
            }
            SafetensorsWriter.write(folder.resolve("big.safetensors"), tensors, Map.of("format", "pt"));
        }
        Files.move(
                folder.resolve("big.safetensors"),
                TinyModel.write(folder.resolve("big")).resolve("model.safetensors"),
                StandardCopyOption.REPLACE_EXISTING);
    }

    @Test
    void weightThatF16CannotHoldIsRejectedBeforeTraining() throws IOException {
        scaleNorm(70000);
        assertThatThrownBy(() -> new FineTuning(recipe("big", "out", "save_dtype=f16", "check_first_loss=false")).run())
                .isInstanceOf(IOException.class)
                .hasMessageContaining("tensor '" + NORM + "' now holds 70000.0, which F16 cannot;"
                        + " save the model in another dtype, such as save_dtype=f32");
        assertThat(folder.resolve("out")).doesNotExist();
    }

    @Test
    void weightThatGrowsOutOfF16EndsInACheckpointFromWhichTheModelIsSaved() throws IOException {
        scaleNorm(65519.9f); // still rounded to 65504
        String[] keys = {
            "weight_decay=0", "save_steps=0", "learning_rate=0.5", "schedule=constant", "check_first_loss=false"
        };
        Recipe recipe = recipe("big", "out", keys).with("save_dtype=f16");
        assertThatThrownBy(() -> new FineTuning(recipe).run())
                .isInstanceOf(IOException.class)
                .hasMessageContaining("tensor '" + NORM + "' now holds 655")
                .hasMessageContaining("The checkpoint of step 4 is intact.");
        assertThat(folder.resolve("out/model.safetensors")).doesNotExist();

        new FineTuning(recipe.with("save_dtype=f32", "resume=true")).run();
        new FineTuning(recipe("big", "whole", keys).with("save_dtype=f32")).run();
        assertThat(folder.resolve("out/model.safetensors"))
                .hasSameBinaryContentAs(folder.resolve("whole/model.safetensors"));
    }
}
