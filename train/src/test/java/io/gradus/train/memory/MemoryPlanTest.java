package io.gradus.train.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.data.tokenizer.ByteTokenizer;
import io.gradus.nn.model.ConfigJson;
import io.gradus.nn.model.ModelConfig;
import io.gradus.nn.model.ModelFamily;
import io.gradus.nn.model.ModelFolder;
import io.gradus.nn.model.gpt2.Gpt2Config;
import io.gradus.nn.model.llama.LlamaConfig;
import io.gradus.train.FineTuning;
import io.gradus.train.TinyModel;
import io.gradus.train.recipe.Recipe;
import io.gradus.train.recipe.RecipeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is planned is what is measured, to the byte. */
class MemoryPlanTest {
    /** Of the smallest model: the table, two norms, four and three matrices, and a norm. */
    private static final long PARAMETER_TENSORS = 11;

    @TempDir
    private Path folder;

    private Recipe recipe(Path model, String... overrides) {
        Path text = TinyModel.writeText(folder.resolve("text.txt"), 300);
        String yaml = """
            model: {path: '%s'}
            data: {train: '%s'}
            output: '%s'
            steps: 3
            batch_size: 4
            save_steps: 0
            check_first_loss: false
            sample: {max_tokens: 4}
            threads: 1
            """.formatted(model, text, folder.resolve("out"));
        return Recipe.parse(yaml, overrides);
    }

    private static MemoryPlan plan(Recipe recipe) throws IOException {
        return FineTuning.plan(recipe, new ModelFolder(recipe.model().path()).config(), false);
    }

    private static void assertMeasuredAsPlanned(Recipe recipe) throws IOException {
        MemoryPlan plan = plan(recipe);
        Map<MemoryCategory, Long> measured = new FineTuning(recipe).run().peakBytes();
        assertThat(measured).isEqualTo(plan.atPeak());
        assertThat(plan.peakBytes()).isPositive();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "optimizer=adamw",
                "optimizer=sgd",
                "optimizer=sgd momentum=0",
                "gradient_accumulation_steps=3",
                "batch_size=7 data.max_seq_len=13 sample.max_tokens=0",
                "batch_size=1 data.max_seq_len=2 sample.max_tokens=0"
            })
    void llamaRunTakesThePlannedBytes(String overrides) throws IOException {
        assertMeasuredAsPlanned(recipe(TinyModel.write(folder.resolve("model")), overrides.split(" ")));
    }

    @Test
    void gpt2RunTakesThePlannedBytes() throws IOException {
        Gpt2Config config = Gpt2Config.of(257, 16, 2, 2, 32);
        assertMeasuredAsPlanned(recipe(TinyModel.write(folder.resolve("model"), config)));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "qwen3-window",
                "olmo2",
                "granite",
                "smollm3",
                "phi3-partial",
                "gemma2",
                "gemma3",
                "gpt-neox",
                "mistral-window"
            })
    void runOfEachDecoderTakesThePlannedBytes(String name) throws IOException {
        ConfigJson json = ConfigJson.read(Path.of("src/test/fixtures/decoders", name))
                .set("vocab_size", 257)
                .set("max_position_embeddings", 32);
        ModelConfig config = ModelFamily.of(json).read(json);
        assertMeasuredAsPlanned(recipe(TinyModel.write(folder.resolve("model"), config)));
        String[] saving = {"activation_checkpointing=true", "loss_chunk_size=0", "output=" + folder.resolve("saving")};
        assertMeasuredAsPlanned(recipe(folder.resolve("model"), saving));
    }

    @Test
    void untiedRunWithBiasesTakesThePlannedBytes() throws IOException {
        LlamaConfig config = LlamaConfig.read(LlamaConfig.of(257, 16, 24, 3, 4, 4, 32)
                .toJson()
                .set("tie_word_embeddings", false)
                .set("attention_bias", true)
                .set("mlp_bias", true));
        assertMeasuredAsPlanned(recipe(TinyModel.write(folder.resolve("model"), config)));
    }

    @Test
    void resumedRunTakesThePlannedBytes() throws IOException {
        Path model = TinyModel.write(folder.resolve("model"));
        // Batches of two tokens: reading the optimizer's state beside the new one is what takes most.
        String[] small = {"save_steps=2", "batch_size=1", "data.max_seq_len=2", "sample.max_tokens=0"};
        new FineTuning(recipe(model, small)).run();
        Recipe resumed = Recipe.parse(recipe(model, small).toYaml(), "resume=true");
        MemoryPlan plan = FineTuning.plan(resumed, new ModelFolder(model).config(), true);
        assertThat(new FineTuning(resumed).run().peakBytes()).isEqualTo(plan.atPeak());
        assertThat(plan.atPeak())
                .containsEntry(MemoryCategory.WORKSPACE, 8 * plan.parameters() + 4 * PARAMETER_TENSORS);
    }

    @Test
    void pretrainedModelTakesThePlannedBytes() throws IOException {
        Path stories = Path.of(System.getProperty("gradus.shared", "../../shared"), "models", "stories260K");
        assumeThat(stories).as("a model to try").isDirectory();
        Recipe recipe = recipe(stories, "data.max_seq_len=64", "max_eval_blocks=4", "sample.max_tokens=0");
        MemoryPlan plan = plan(recipe);
        assertThat(new FineTuning(recipe).run().peakBytes()).isEqualTo(plan.atPeak());
    }

    /** The plan replays which blocks the pool reuses. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "batch_size=4 max_eval_blocks=4 sample.max_tokens=0",
                "batch_size=3 max_eval_blocks=3 sample.max_tokens=0 activation_checkpointing=true",
                "batch_size=4 max_eval_blocks=4 sample.max_tokens=0 optimizer=adamw8bit"
            })
    void poolHoldsThePlannedBytes(String overrides) throws IOException {
        Path folder = TinyModel.write(this.folder.resolve("model"), LlamaConfig.of(257, 64, 176, 3, 4, 4, 64));
        Device device = Device.cpu(1);
        FineTuning run = FineTuning.builder(recipe(folder, overrides.split(" ")))
                .model(new ModelFolder(folder).load(device, DType.F32), new ByteTokenizer())
                .build();
        MemoryPlan plan = run.plan();
        run.run();
        assertThat(device.backend().memory().heldPeak())
                .isEqualTo(plan.peakBytes() + plan.process().reuse());
    }

    /** What a sample and a smaller batch leave is returned, and a step takes the planned blocks again. */
    @Test
    void samplesAndSmallerEvaluationBatchesLeaveThePoolAsPlanned() throws IOException {
        Path folder = TinyModel.write(this.folder.resolve("model"), LlamaConfig.of(257, 64, 176, 3, 4, 4, 64));
        Device device = Device.cpu(1);
        FineTuning run = FineTuning.builder(recipe(folder, "batch_size=4", "max_eval_blocks=7"))
                .model(new ModelFolder(folder).load(device, DType.F32), new ByteTokenizer())
                .build();
        MemoryPlan plan = run.plan();
        run.run();
        assertThat(device.backend().memory().heldPeak())
                .isLessThanOrEqualTo((plan.peakBytes() + plan.process().reuse()) * 21 / 20);
    }

    @Test
    void processTakesMoreForALargeVocabularyAndManyThreads() {
        ProcessPlan small = ProcessPlan.of(0, 2, 1024, 64, 257);
        ProcessPlan large = ProcessPlan.of(1000, 8, 1024, 64, 50_257);
        assertThat(large.reuse()).isEqualTo(1000);
        assertThat(large.buffers()).isGreaterThan(small.buffers());
        assertThat(large.heap()).isGreaterThanOrEqualTo(small.heap());
        assertThat(large.jvm()).isGreaterThan(small.jvm());
        assertThat(large.bytes())
                .isEqualTo(large.parts().values().stream()
                        .mapToLong(Long::longValue)
                        .sum());
        assertThat(large.nativeBytes()).isEqualTo(large.bytes() - large.heap());
    }

    @Test
    void tensorsOnTheGpuAreNoneOfTheProcess() throws IOException {
        Recipe recipe = recipe(TinyModel.write(folder.resolve("model")), "device=gpu", "threads=null");
        assertThat(plan(recipe).process()).isEqualTo(ProcessPlan.NONE);
    }

    @Test
    void adamKeeps16BytesPerParameterAndSgd8() throws IOException {
        Path model = TinyModel.write(folder.resolve("model"));
        MemoryPlan plan = plan(recipe(model));
        long n = new ModelFolder(model).load(Device.cpu(1)).parameterCount();
        assertThat(plan.parameters()).isEqualTo(n);
        assertThat(plan.kept())
                .containsEntry(MemoryCategory.WEIGHTS, 4 * n)
                .containsEntry(MemoryCategory.GRADIENTS, 4 * n)
                .containsEntry(MemoryCategory.OPTIMIZER_STATE, 8 * n);
        assertThat(plan.optimizerState()).isEqualTo(Map.of("exp_avg", 4 * n, "exp_avg_sq", 4 * n));
        assertThat(plan.bytesPerParameter()).isEqualTo(16, within(1e-9));
        assertThat(plan(recipe(model, "optimizer=sgd")).bytesPerParameter()).isEqualTo(12, within(1e-9));
        MemoryPlan plain = plan(recipe(model, "optimizer=sgd", "momentum=0"));
        assertThat(plain.bytesPerParameter()).isEqualTo(8, within(1e-9));
        assertThat(plain.optimizerState()).isEmpty();
    }

    @Test
    void planReadsNoWeights() throws IOException {
        Path model = TinyModel.write(folder.resolve("model"));
        MemoryPlan whole = plan(recipe(model));
        Files.delete(model.resolve("model.safetensors"));
        assertThat(plan(recipe(model))).isEqualTo(whole);
    }

    @Test
    void tooLongBlocksAndTooLargeBatchesAreRejected() {
        Path model = TinyModel.write(folder.resolve("model"));
        assertThatThrownBy(() -> plan(recipe(model, "data.max_seq_len=1000000")))
                .isInstanceOf(RecipeException.class)
                .hasMessageContaining("data.max_seq_len is 1000000, but the context length of the model is 32");
        assertThatThrownBy(() -> plan(recipe(model, "batch_size=2000000000")))
                .isInstanceOf(RecipeException.class)
                .hasMessageContaining("batch_size is 2000000000 and data.max_seq_len 32")
                .hasMessageContaining("gradient_accumulation_steps");
    }
}
