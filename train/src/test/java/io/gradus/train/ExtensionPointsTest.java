package io.gradus.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.autograd.CrossEntropyOptions;
import io.gradus.autograd.Reduction;
import io.gradus.autograd.Variable;
import io.gradus.core.Device;
import io.gradus.core.Tensor;
import io.gradus.data.BatchSource;
import io.gradus.data.Batches.Batch;
import io.gradus.data.Dataset;
import io.gradus.data.Document;
import io.gradus.data.tokenizer.ByteTokenizer;
import io.gradus.nn.WeightSource;
import io.gradus.nn.model.LanguageModel;
import io.gradus.nn.model.ModelFolder;
import io.gradus.nn.model.llama.Llama;
import io.gradus.nn.model.llama.LlamaConfig;
import io.gradus.optim.InPlace;
import io.gradus.optim.Optimizer;
import io.gradus.optim.ParameterGroup;
import io.gradus.optim.ParameterStep;
import io.gradus.train.TrainingListener.Step;
import io.gradus.train.memory.MemoryPlan;
import io.gradus.train.recipe.Recipe;
import io.gradus.train.recipe.RecipeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Runs with a model, a dataset, a loss and an optimizer that are defined here and not in Gradus. */
class ExtensionPointsTest {
    @TempDir
    private Path folder;

    private Path model;
    private Path text;

    @BeforeEach
    void writeModelAndText() {
        model = TinyModel.write(folder.resolve("model"));
        text = TinyModel.writeText(folder.resolve("text.txt"), 60);
    }

    /** SGD with momentum as an exponential average. */
    private static final class AveragedSgd extends Optimizer {
        AveragedSgd(List<ParameterGroup> groups, double learningRate) {
            super(groups, learningRate, "average");
        }

        @Override
        protected void update(ParameterStep step) {
            Tensor average = step.state("average");
            InPlace.lerp(average, step.gradient(), 0.1);
            InPlace.add(step.weight(), average, -step.learningRate());
        }
    }

    /** Counting bytes: 0 1 2 3 ..., from a start that the batch's number decides. */
    private record Counting(int batchSize, int length, long batchesPerEpoch) implements BatchSource {
        @Override
        public long tokensPerEpoch() {
            return batchesPerEpoch * batchSize * length;
        }

        @Override
        public Batch batch(long index, Device device) {
            int[] ids = IntStream.range(0, batchSize * length)
                    .map(i -> (int) ((7 * index + 31L * (i / length) + i % length) % 256))
                    .toArray();
            int[] targets = Arrays.stream(ids).map(id -> (id + 1) % 256).toArray();
            return new Batch(
                    Tensor.of(device, ids, batchSize, length), Tensor.of(device, targets, targets.length), ids.length);
        }
    }

    private record CountingDataset() implements Dataset {
        @Override
        public BatchSource training() {
            return new Counting(4, 16, 20);
        }

        @Override
        public Map<String, BatchSource> evaluation() {
            return Map.of("counting", new Counting(2, 24, 3));
        }

        @Override
        public Optional<BatchSource> general() {
            return Optional.of(new Counting(1, 8, 5));
        }
    }

    private static final LossFunction SMOOTHED = (model, hidden, batch) -> model.logits(hidden)
            .crossEntropy(batch.targets(), CrossEntropyOptions.of(Reduction.SUM))
            .multiply(0.5);

    private Recipe recipe(String output, String... keys) {
        return Recipe.parse("""
            {steps: 12, batch_size: 2, eval_steps: 4, save_steps: 4, learning_rate: 0.02, threads: 1,
             sample: {max_tokens: 4}}
            """, keys).with("output=" + folder.resolve(output));
    }

    private FineTuning.Builder custom(Recipe recipe) {
        return FineTuning.builder(recipe)
                .model(model)
                .dataset(new CountingDataset())
                .loss(SMOOTHED)
                .optimizer(AveragedSgd::new);
    }

    @Test
    void customDatasetLossAndOptimizerTrain() throws IOException {
        List<Step> steps = new ArrayList<>();
        RunResult result = custom(recipe("out", "learning_rate=5", "steps=60"))
                .listeners(new TrainingListener() {
                    @Override
                    public void stepped(Step step) {
                        steps.add(step);
                    }
                })
                .build()
                .run();

        assertThat(steps)
                .hasSize(60)
                .allSatisfy(step -> assertThat(step.tokens()).isEqualTo(64));
        assertThat(result.before().keySet()).containsExactly("counting");
        assertThat(result.before().get("counting")).as("half of ln 257").isBetween(2.6, 3.0);
        assertThat(result.after().get("counting"))
                .isLessThan(0.8 * result.before().get("counting"));
        assertThat(new ModelFolder(result.output()).load(Device.cpu(1)).vocabSize())
                .isEqualTo(257);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "precision=f32",
                "precision=bf16",
                "ewc=10 ema_decay=0.9",
                "optimizer_in_bwd=true max_grad_norm=Infinity"
            })
    void customOptimizerDatasetAndLossResumeToTheSameBits(String keys) throws IOException {
        String[] settings = keys.split(" ");
        Path whole = custom(recipe("whole", settings)).build().run().output();
        for (int last : new int[] {4, 7, 11}) {
            String output = "killed-" + last;
            assertThatThrownBy(() -> custom(recipe(output, settings))
                            .listeners(new TrainingListener() {
                                @Override
                                public void stepped(Step step) {
                                    if (step.step() == last) {
                                        throw new IllegalStateException("killed");
                                    }
                                }
                            })
                            .build()
                            .run())
                    .hasMessage("killed");
            Recipe resume = recipe(output, settings).with("resume=true");
            assertThat(custom(resume).build().run().output().resolve("model.safetensors"))
                    .hasSameBinaryContentAs(whole.resolve("model.safetensors"));
        }
    }

    @Test
    void scheduleStartsFromTheLearningRateOfTheCustomOptimizer() throws IOException {
        List<Step> steps = new ArrayList<>();
        custom(recipe("out", "learning_rate=5", "schedule=constant", "warmup_ratio=0"))
                .optimizer((groups, _) -> new AveragedSgd(groups, 0.25))
                .listeners(new TrainingListener() {
                    @Override
                    public void stepped(Step step) {
                        steps.add(step);
                    }
                })
                .build()
                .run();
        assertThat(steps)
                .isNotEmpty()
                .allSatisfy(step -> assertThat(step.learningRate()).isEqualTo(0.25));
    }

    @Test
    void optimizerKeysOfTheRecipeAreRejectedWithACustomOptimizer() {
        FineTuning run = custom(recipe("out", "optimizer=sgd", "momentum=0.5")).build();
        assertThatThrownBy(run::run)
                .isInstanceOf(RecipeException.class)
                .hasMessageContaining("optimizer, momentum have no effect with a custom optimizer");
    }

    @Test
    void customOptimizerStateIsInTheCheckpoint() throws IOException {
        custom(recipe("out")).build().run();
        Path checkpoint = folder.resolve("out/checkpoints/step-000008");
        assertThat(checkpoint.resolve("optimizer.safetensors"))
                .content(java.nio.charset.StandardCharsets.ISO_8859_1)
                .contains("model.norm.weight.average");
        assertThat(checkpoint.resolve("state.json")).content().contains(AveragedSgd.class.getName());
    }

    @Test
    void resumingWithAnotherOptimizerIsRejected() throws IOException {
        custom(recipe("out")).build().run();
        Files.delete(folder.resolve("out/config.json"));
        Recipe resume = recipe("out").with("resume=true");
        assertThatThrownBy(() -> FineTuning.builder(resume)
                        .model(model)
                        .dataset(new CountingDataset())
                        .loss(SMOOTHED)
                        .build()
                        .run())
                .isInstanceOf(RecipeException.class)
                .hasMessageContaining(
                        "the optimizer was " + AveragedSgd.class.getName() + " and is io.gradus.optim.AdamW");
    }

    @Test
    void memoryPlanOfCustomPartsIsExact() throws IOException {
        FineTuning run = custom(recipe("out", "sample.max_tokens=0")).build();
        MemoryPlan plan = run.plan();
        assertThat(plan.batchSize()).isEqualTo(4);
        assertThat(plan.blockLength()).isEqualTo(16);
        assertThat(plan.optimizerState()).containsOnlyKeys("average");
        assertThat(run.run().peakBytes()).isEqualTo(plan.atPeak());
    }

    @Test
    void modelInMemoryTrainsInPlaceAsFromItsFolder() throws IOException {
        LlamaConfig config = LlamaConfig.of(257, 16, 24, 1, 2, 1, 32);
        LanguageModel memory = new Llama(config, WeightSource.random(Device.cpu(1), 7));
        String keys = "wise_ft_alpha=0.5";
        Recipe recipe = recipe("memory", keys).with("data.train=" + text);
        Path output = FineTuning.builder(recipe)
                .model(memory, new ByteTokenizer())
                .build()
                .run()
                .output();
        Path expected = new FineTuning(recipe("folder", keys).with("data.train=" + text, "model.path=" + model))
                .run()
                .output();

        assertThat(output.resolve("model.safetensors")).hasSameBinaryContentAs(expected.resolve("model.safetensors"));
        Variable norm = memory.namedParameters().get("model.norm.weight");
        assertThat(norm.value().toFloats())
                .isEqualTo(new ModelFolder(output)
                        .load(Device.cpu(1))
                        .namedParameters()
                        .get("model.norm.weight")
                        .value()
                        .toFloats());
    }

    @Test
    void textsInMemoryTrainAsFromAFile() throws IOException {
        Path expected = new FineTuning(recipe("file").with("data.train=" + text, "model.path=" + model))
                .run()
                .output();
        String content = Files.readString(text);
        Path output = FineTuning.builder(recipe("memory"))
                .model(model)
                .texts(new Texts() {
                    @Override
                    public Optional<List<Document>> training() {
                        return Optional.of(List.of(new Document.Text(content)));
                    }
                })
                .build()
                .run()
                .output();
        assertThat(output.resolve("model.safetensors")).hasSameBinaryContentAs(expected.resolve("model.safetensors"));
    }

    @Test
    void missingModelAndMissingTextAreNamed() {
        assertThatThrownBy(() -> new FineTuning(recipe("out")).run())
                .hasMessage("recipe: model.path is missing: name the Hugging Face folder to start from");
        assertThatThrownBy(() ->
                        FineTuning.builder(recipe("out")).model(model).build().run())
                .hasMessage("recipe: data.train is missing: name the text to fine-tune on, data.train=corpus.txt");
        for (String key : List.of("data.replay_ratio=0.1", "ewc=1")) {
            assertThatThrownBy(() -> FineTuning.builder(recipe("out", key).with("data.train=" + text))
                            .model(model)
                            .build()
                            .run())
                    .isInstanceOf(RecipeException.class)
                    .hasMessageContaining("needs text of the kind that the model knows already: name it,"
                            + " data.general=general.txt");
        }
        assertThat(folder.resolve("out")).doesNotExist();
    }
}
