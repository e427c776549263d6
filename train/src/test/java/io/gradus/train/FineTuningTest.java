package io.gradus.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.offset;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.data.tokenizer.ByteTokenizer;
import io.gradus.data.tokenizer.Tokenizer;
import io.gradus.nn.model.ModelFolder;
import io.gradus.nn.model.llama.LlamaConfig;
import io.gradus.train.TrainingListener.Evaluation;
import io.gradus.train.TrainingListener.Plan;
import io.gradus.train.TrainingListener.Sample;
import io.gradus.train.TrainingListener.Step;
import io.gradus.train.guard.TrainingException;
import io.gradus.train.recipe.Recipe;
import io.gradus.train.recipe.RecipeException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** A run learns, says what it did, writes what can be read again, and stops with a reason when it makes no sense. */
class FineTuningTest {
    @TempDir
    private Path folder;

    private Path model = Path.of("");
    private Path text = Path.of("");

    @BeforeEach
    void write() {
        model = TinyModel.write(folder.resolve("model"));
        text = TinyModel.writeText(folder.resolve("text.txt"), 200);
    }

    /** A run of a few steps, with what a test changes. */
    private Recipe recipe(String output, String... overrides) {
        String yaml = """
            model: {path: '%s'}
            data: {train: '%s', validation_split: 0.1}
            output: '%s'
            steps: 6
            batch_size: 4
            learning_rate: 0.01
            eval_steps: 3
            max_eval_blocks: 4
            save_steps: 0
            sample: {max_tokens: 4}
            threads: 1
            """.formatted(model, text, folder.resolve(output));
        return Recipe.parse(yaml, overrides);
    }

    private RunResult run(String output, String... overrides) throws IOException {
        return new FineTuning(recipe(output, overrides)).run();
    }

    /** What a run tells its listeners. */
    private static final class Record implements TrainingListener {
        private @Nullable Plan plan;
        private final List<Step> steps = new ArrayList<>();
        private final List<Evaluation> evaluations = new ArrayList<>();
        private final List<Sample> samples = new ArrayList<>();
        private final List<Path> checkpoints = new ArrayList<>();
        private @Nullable RunResult result;

        @Override
        public void started(Plan told) {
            plan = told;
        }

        @Override
        public void stepped(Step step) {
            steps.add(step);
        }

        @Override
        public void evaluated(Evaluation evaluation) {
            evaluations.add(evaluation);
        }

        @Override
        public void sampled(Sample sample) {
            samples.add(sample);
        }

        @Override
        public void checkpointed(Path checkpoint) {
            checkpoints.add(checkpoint);
        }

        @Override
        public void finished(RunResult told) {
            result = told;
        }
    }

    private static Map<String, float[]> weights(Path folder) {
        try {
            Map<String, float[]> weights = new LinkedHashMap<>();
            new ModelFolder(folder)
                    .load(Device.cpu(1))
                    .namedParameters()
                    .forEach((name, variable) ->
                            weights.put(name, variable.value().toFloats()));
            return weights;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void assertSameWeights(Path one, Path other, float tolerance) {
        Map<String, float[]> expected = weights(other);
        weights(one)
                .forEach((name, values) ->
                        assertThat(values).as(name).containsExactly(expected.get(name), offset(tolerance)));
    }

    private List<JsonNode> metrics(String output) throws IOException {
        ObjectMapper json = new ObjectMapper();
        List<JsonNode> lines = new ArrayList<>();
        for (String line : Files.readAllLines(folder.resolve(output).resolve("metrics.jsonl"))) {
            lines.add(json.readTree(line));
        }
        return lines;
    }

    private static List<String> names(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    // ---- what a run does ----

    @Test
    void lossFalls() throws IOException {
        RunResult result = run("out", "steps=60", "learning_rate=0.02", "eval_steps=100");

        double guessing = Math.log(257);
        assertThat(result.before()).containsOnlyKeys("held_out");
        assertThat(result.before().get("held_out")).isCloseTo(guessing, within(0.1));
        assertThat(result.after().get("held_out")).isLessThan(0.6 * guessing);
        assertThat(result.steps()).isEqualTo(60);
    }

    @Test
    void listenersReceiveAllEvents() throws IOException {
        Record record = new Record();
        Recipe recipe = recipe("out", "save_steps=2", "data.max_seq_len=16", "data.general=" + text);
        RunResult result = new FineTuning(recipe, record).run();

        assertThat(record.plan).isNotNull();
        assertThat(record.plan.firstStep()).isZero();
        assertThat(record.plan.steps()).isEqualTo(6);
        assertThat(record.plan.memory().blockLength()).isEqualTo(16);
        assertThat(record.plan.memory().bytesPerParameter()).isEqualTo(16);
        assertThat(record.steps).extracting(Step::step).containsExactly(1, 2, 3, 4, 5, 6);
        assertThat(record.steps).allSatisfy(step -> {
            assertThat(step.loss()).isBetween(0.0, 6.0);
            assertThat(step.gradientNorm()).isPositive();
            assertThat(step.tokens()).isEqualTo(4 * 16);
        });
        assertThat(record.evaluations)
                .extracting(evaluation -> evaluation.step() + evaluation.name())
                .containsExactly("0held_out", "0general", "3held_out", "3general", "6held_out", "6general");
        assertThat(record.samples).extracting(Sample::step).containsExactly(0, 6);
        assertThat(record.samples.getFirst().prompt())
                .isNotEmpty()
                .isEqualTo(record.samples.getLast().prompt());
        assertThat(record.checkpoints)
                .extracting(path -> path.getFileName().toString())
                .containsExactly("step-000002", "step-000004");
        assertThat(record.result).isSameAs(result);
        assertThat(result.peakBytes()).containsKeys(MemoryCategory.WEIGHTS, MemoryCategory.OPTIMIZER_STATE);
    }

    @Test
    void metricsHaveOneLinePerStepEvaluationAndSample() throws IOException {
        Record record = new Record();
        new FineTuning(recipe("out"), record).run();

        List<JsonNode> lines = metrics("out");
        assertThat(lines)
                .extracting(line -> line.get("step").intValue()
                        + (line.has("loss") ? "" : line.has("prompt") ? " sample" : " evaluation"))
                .containsExactly(
                        "0 evaluation",
                        "0 sample",
                        "1",
                        "2",
                        "3",
                        "3 evaluation",
                        "4",
                        "5",
                        "6",
                        "6 evaluation",
                        "6 sample");
        JsonNode second = lines.get(3);
        Step step = record.steps.get(1);
        assertThat(second.get("loss").doubleValue()).isEqualTo(step.loss());
        assertThat(second.get("learning_rate").doubleValue()).isEqualTo(step.learningRate());
        assertThat(second.get("grad_norm").doubleValue()).isEqualTo(step.gradientNorm());
        assertThat(second.get("tokens").longValue()).isEqualTo(step.tokens());
        assertThat(second.get("tokens_per_second").isIntegralNumber()).isTrue();
        assertThat(lines.get(9).get("held_out_loss").doubleValue())
                .isEqualTo(record.evaluations.getLast().loss());
        assertThat(lines.get(10).get("text").textValue())
                .isEqualTo(record.samples.getLast().text());
    }

    @Test
    void outputFolderHasTheTrainedModel() throws IOException {
        RunResult result = run("out");

        assertThat(names(folder.resolve("out")))
                .containsExactly(
                        "config.json",
                        "generation_config.json",
                        "metrics.jsonl",
                        "model.safetensors",
                        "recipe.yaml",
                        "tokenizer.json",
                        "tokenizer_config.json");
        ModelFolder written = ModelFolder.open(result.output());
        assertThat(Tokenizer.load(written.path())).isInstanceOf(ByteTokenizer.class);
        TrainingData data = TrainingData.read(recipe("out"), Texts.NONE, Tokenizer.load(written.path()), 32);
        assertThat(Evaluator.loss(
                        written.load(Device.cpu(1)),
                        data.evaluation().get("held_out"),
                        LossFunction.crossEntropy(null)))
                .isEqualTo(result.after().get("held_out"));
        Recipe saved = Recipe.read(result.output().resolve("recipe.yaml"));
        assertThat(saved).isEqualTo(recipe("out"));
    }

    @Test
    void everyWeightChanges() throws IOException {
        run("out");
        Map<String, float[]> before = weights(model);
        weights(folder.resolve("out"))
                .forEach((name, values) -> assertThat(values).as(name).isNotEqualTo(before.get(name)));
    }

    @ParameterizedTest
    @CsvSource({"0.5, 1", "1, 1", "1, 2", "2.25, 1"})
    void stepsFollowFromEpochs(double epochs, int accumulation) throws IOException {
        Record record = new Record();
        Recipe recipe = recipe(
                "out",
                "steps=null",
                "epochs=" + epochs,
                "gradient_accumulation_steps=" + accumulation,
                "batch_size=32");
        RunResult result = new FineTuning(recipe, record).run();

        assertThat(record.plan).isNotNull();
        long blocks = Math.ceilDiv(record.plan.trainingTokens() - 1, 32);
        double batches = Math.ceil(epochs * Math.ceilDiv(blocks, 32));
        assertThat(result.steps()).isEqualTo((int) Math.ceil(batches / accumulation));
        assertThat(record.plan.epochs()).isEqualTo((double) result.steps() * accumulation / Math.ceilDiv(blocks, 32));
    }

    @ParameterizedTest
    @EnumSource
    void lossFallsWithEachOptimizer(Recipe.OptimizerKind optimizer) throws IOException {
        String rate = switch (optimizer) {
            case SGD -> "learning_rate=0.3";
            case ADAFACTOR -> "learning_rate=0.3"; // relative to the size of the weights, which is small at first
            default -> "learning_rate=0.02";
        };
        RunResult result = run("out", "optimizer=" + optimizer, rate, "steps=20");

        assertThat(result.after().get("held_out")).isLessThan(result.before().get("held_out") - 0.3);
    }

    @ParameterizedTest
    @CsvSource({"COSINE, 0.0019", "LINEAR, 0.002", "CONSTANT, 0.01"})
    void learningRateFollowsTheSchedule(Recipe.ScheduleKind schedule, double last) throws IOException {
        Record record = new Record();
        new FineTuning(recipe("out", "schedule=" + schedule, "steps=6", "warmup_ratio=0.2", "eval_steps=6"), record)
                .run();

        List<Double> rates = record.steps.stream().map(Step::learningRate).toList();
        assertThat(rates.getFirst()).isZero(); // one step of warm-up
        assertThat(rates.get(1)).isEqualTo(0.01);
        assertThat(rates.getLast()).isCloseTo(last, within(1e-4));
    }

    @Test
    void samplesFitASmallContext() throws IOException {
        model = TinyModel.write(folder.resolve("short"), LlamaConfig.of(257, 16, 24, 1, 2, 1, 8));
        Record record = new Record();
        new FineTuning(recipe("out"), record).run();

        assertThat(record.samples).hasSize(2).allSatisfy(sample -> {
            assertThat(sample.prompt()).hasSize(4);
            assertThat(sample.text()).isNotEmpty();
        });
    }

    // ---- gradient accumulation ----

    @Test
    void accumulatingTwoBatchesOfFourEqualsOneOfEight() throws IOException {
        List<Step> eight = steps("eight", "batch_size=8");
        List<Step> twiceFour = steps("four", "batch_size=4", "gradient_accumulation_steps=2");

        assertSameSteps(twiceFour, eight);
        assertSameWeights(folder.resolve("four"), folder.resolve("eight"), 1e-6f);
    }

    /** Completions of very different length: a mean of means would give the short ones too much weight. */
    @Test
    void gradientsAreWeightedByTokens() throws IOException {
        StringBuilder lines = new StringBuilder();
        for (int i = 0; i < 120; i++) {
            lines.append("{\"prompt\": \"%s\", \"completion\": \"%s\"}\n"
                    .formatted("question ".repeat(1 + i % 7), i % 5 == 0 ? "yes, ".repeat(12) : "no"));
        }
        text = Files.writeString(folder.resolve("pairs.jsonl"), lines);
        List<Step> eight = steps("eight", "batch_size=8");
        List<Step> fourTwos = steps("twos", "batch_size=2", "gradient_accumulation_steps=4");
        List<Step> ones = steps("ones", "batch_size=1", "gradient_accumulation_steps=8");

        assertThat(eight.stream().map(Step::tokens).distinct()).hasSizeGreaterThan(2);
        assertThat(eight).allSatisfy(step -> assertThat(step.tokens()).isLessThan(8 * 32));
        assertSameSteps(fourTwos, eight);
        assertSameSteps(ones, eight);
        assertSameWeights(folder.resolve("twos"), folder.resolve("eight"), 1e-6f);
        assertSameWeights(folder.resolve("ones"), folder.resolve("eight"), 1e-6f);
    }

    /** With SGD, where rounding stays rounding; Adam divides by the gradient's size and makes more of it. */
    private List<Step> steps(String output, String... overrides) throws IOException {
        Record record = new Record();
        String[] all = Stream.concat(Stream.of(overrides), Stream.of("optimizer=sgd", "learning_rate=0.1", "steps=5"))
                .toArray(String[]::new);
        new FineTuning(recipe(output, all), record).run();
        return record.steps;
    }

    private static void assertSameSteps(List<Step> steps, List<Step> expected) {
        assertThat(steps).hasSameSizeAs(expected);
        for (int i = 0; i < steps.size(); i++) {
            assertThat(steps.get(i).tokens()).isEqualTo(expected.get(i).tokens());
            assertThat(steps.get(i).loss()).isCloseTo(expected.get(i).loss(), within(1e-5));
            assertThat(steps.get(i).gradientNorm()).isCloseTo(expected.get(i).gradientNorm(), within(1e-4));
        }
    }

    // ---- checkpoints ----

    @Test
    void saveTotalLimitKeepsTheNewestCheckpoints() throws IOException {
        run("out", "save_steps=1", "save_total_limit=3", "eval_steps=6");

        Path checkpoints = folder.resolve("out/checkpoints");
        assertThat(names(checkpoints)).containsExactly("step-000003", "step-000004", "step-000005");
        assertThat(names(checkpoints.resolve("step-000005")))
                .containsExactly(
                        "config.json",
                        "generation_config.json",
                        "model.safetensors",
                        "optimizer.safetensors",
                        "state.json",
                        "tokenizer.json",
                        "tokenizer_config.json");
    }

    @Test
    void outputFolderWithARunOrModelIsRejected() throws IOException {
        run("out", "steps=1");
        byte[] before = Files.readAllBytes(folder.resolve("out/model.safetensors"));

        assertThatThrownBy(() -> run("out", "steps=2"))
                .isInstanceOf(RecipeException.class)
                .hasMessage("recipe: output " + folder.resolve("out")
                        + " already holds a run; continue it with resume=true, or name another folder");
        assertThatThrownBy(() -> run("model"))
                .hasMessage("recipe: output " + model + " already holds a model; name another folder");
        assertThatThrownBy(() -> run("model", "resume=true"))
                .hasMessage("recipe: output " + model + " holds a model and no run to resume; name another folder");
        assertThatThrownBy(() -> run("text.txt")).hasMessage("output " + text + " is a file; name a folder");
        assertThat(folder.resolve("out/model.safetensors")).hasBinaryContent(before);
    }

    @Test
    void resumeWithAnotherRecipeIsRejected() throws IOException {
        run("out", "save_steps=2");

        assertThatThrownBy(() -> run("out", "save_steps=2", "resume=true", "learning_rate=0.5", "seed=1"))
                .isInstanceOf(RecipeException.class)
                .hasMessage("recipe: a run resumes with the recipe that it was started with, but learning_rate was 0.01"
                        + " and is 0.5, seed was 42 and is 1");
    }

    @Test
    void resumeMayChangeKeysThatNoWeightDependsOn() throws IOException {
        RunResult whole = run("whole", "save_steps=2");
        run("out", "save_steps=2");
        Files.delete(folder.resolve("out/model.safetensors"));

        RunResult resumed = run(
                "out",
                "resume=true",
                "threads=2",
                "eval_steps=1",
                "save_steps=1",
                "save_total_limit=2",
                "sample.max_tokens=0");

        assertThat(resumed.before()).isEqualTo(whole.before());
        assertThat(resumed.after()).isEqualTo(whole.after());
        assertThat(folder.resolve("out/model.safetensors"))
                .hasSameBinaryContentAs(folder.resolve("whole/model.safetensors"));
    }

    @Test
    void resumeWithoutACheckpointStartsAtStepZero() throws IOException {
        run("whole");
        run("fresh", "resume=true");
        Files.createDirectories(folder.resolve("begun"));
        Files.writeString(folder.resolve("begun/metrics.jsonl"), "{\"step\":1,\"loss\":3}\n{\"step\":2,\"lo");
        run("begun", "resume=true");

        for (String output : List.of("fresh", "begun")) {
            assertThat(folder.resolve(output).resolve("model.safetensors"))
                    .hasSameBinaryContentAs(folder.resolve("whole/model.safetensors"));
            assertThat(metrics(output)).hasSameSizeAs(metrics("whole"));
        }
    }

    @Test
    void damagedCheckpointIsNamed() throws IOException {
        run("out", "save_steps=2");
        Path state = folder.resolve("out/checkpoints/step-000004/state.json");
        for (String content : List.of("", "{\"step\": 4, \"rec", "{}")) {
            Files.writeString(state, content);

            assertThatThrownBy(() -> run("out", "save_steps=2", "resume=true"))
                    .isInstanceOf(IOException.class)
                    .hasMessage(state.getParent()
                            + ": its state.json is missing or damaged; delete this folder to resume without it");
        }
    }

    // ---- when it stops ----

    /** Before the first step a failed run has written nothing. */
    private void assertRefused(Class<? extends Exception> type, String message, String... overrides) {
        assertThatThrownBy(() -> run("refused", overrides)).isInstanceOf(type).hasMessageContaining(message);
        assertThat(folder.resolve("refused")).doesNotExist();
    }

    @Test
    void missingFilesAreNamed() {
        assertRefused(IOException.class, "model nowhere is missing", "model.path=nowhere");
        assertRefused(IOException.class, "nowhere.txt", "data.train=nowhere.txt");
        assertRefused(IOException.class, "nowhere.txt", "data.eval=nowhere.txt");
        assertRefused(IOException.class, "nowhere.txt", "data.general=nowhere.txt");
    }

    @Test
    void emptyAndShortTextIsRejected() throws IOException {
        Path empty = Files.writeString(folder.resolve("empty.txt"), "");
        Path brief = Files.writeString(folder.resolve("brief.txt"), "Only a few words.\n");

        assertRefused(IOException.class, empty + ": it is empty", "data.train=" + empty);
        assertRefused(
                IllegalArgumentException.class,
                "held-out text: the text has 19 tokens; a block of 32 needs 33",
                "data.eval=" + brief);
        assertRefused(
                IllegalArgumentException.class,
                "training text: the text has ",
                "data.train=" + brief,
                "data.eval=" + text);
    }

    @Test
    void textWithoutTargetsIsRejected() throws IOException {
        Path masked = Files.writeString(
                folder.resolve("masked.jsonl"), "{\"prompt\": \"a long question\", \"completion\": \"\"}\n".repeat(50));

        assertRefused(IOException.class, masked + ":1: \"completion\" must be", "data.train=" + masked);
    }

    @Test
    void configurationThatDoesNotFitTheWeightsIsRejected() throws IOException {
        Path config = model.resolve("config.json");
        Files.writeString(config, Files.readString(config).replace("\"hidden_size\" : 16", "\"hidden_size\" : 32"));

        assertRefused(IOException.class, "config.json: hidden_size is 32, but model.embed_tokens.weight");
    }

    @Test
    void tokenizerWithTooManyTokensIsRejected() {
        model = TinyModel.write(folder.resolve("bytes"), LlamaConfig.of(256, 16, 24, 1, 2, 1, 32));

        assertRefused(RecipeException.class, "the text has the token 256, but the vocab_size of the model is 256");
    }

    @Test
    void maxSeqLenAboveTheContextLengthIsRejected() {
        assertRefused(RecipeException.class, "data.max_seq_len is 33", "data.max_seq_len=33");
    }

    @Test
    void samplePromptLongerThanTheContextIsRejected() {
        assertRefused(RecipeException.class, "sample.prompt has 33 tokens", "sample.prompt=" + "x".repeat(33));
    }

    @Test
    void modelWorseThanGuessingIsRejectedUnlessDisabled() throws IOException {
        LlamaConfig wild = LlamaConfig.read(
                LlamaConfig.of(257, 16, 24, 1, 2, 1, 32).toJson().set("initializer_range", 2.0));
        model = TinyModel.write(folder.resolve("wild"), wild);

        assertRefused(TrainingException.class, "worse than guessing among 257 tokens (5.55)");
        assertThat(run("allowed", "check_first_loss=false").steps()).isEqualTo(6);
    }

    @ParameterizedTest
    @CsvSource({"1e9, adamw", "1e9, adam", "1e9, sgd", "1e30, sgd", "1e4, adamw", "30, adamw"})
    void tooHighLearningRateEndsTheRun(String rate, String optimizer) {
        assertThatThrownBy(() -> run("out", "learning_rate=" + rate, "optimizer=" + optimizer, "warmup_ratio=0"))
                .isInstanceOf(TrainingException.class)
                .hasMessageStartingWith("step ")
                .hasMessageMatching(".*a lower learning.rate.*");
        assertThat(folder.resolve("out/config.json")).doesNotExist();
        assertThat(folder.resolve("out/model.safetensors")).doesNotExist();
    }

    /** The last update has no step after it that would notice. */
    @Test
    void divergenceInTheLastStepEndsTheRun() {
        assertThatThrownBy(() -> run("out", "learning_rate=1e300", "steps=1", "warmup_ratio=0"))
                .isInstanceOf(TrainingException.class)
                .hasMessageStartingWith("step 1: the loss on held-out text is NaN: ")
                .hasMessageContaining("; a lower learning_rate (now 1.0E300)");
        assertThat(folder.resolve("out/model.safetensors")).doesNotExist();
    }

    @Test
    void missingGpuIsReportedFirst() {
        assertRefused(IllegalStateException.class, "device gpu", "device=gpu");
    }

    // ---- same seed, same bits ----

    @Test
    void sameSeedGivesTheSameBytesForAnyNumberOfThreads() throws IOException {
        model = TinyModel.write(folder.resolve("wide"), LlamaConfig.of(257, 64, 160, 2, 4, 2, 64));
        List<List<Sample>> samples = new ArrayList<>();
        for (int threads : new int[] {1, 2, 3}) {
            Record record = new Record();
            new FineTuning(
                            recipe("t" + threads, "threads=" + threads, "steps=4", "batch_size=6", "warmup_ratio=0"),
                            record)
                    .run();
            samples.add(record.samples);
        }

        for (int threads : new int[] {2, 3}) {
            assertThat(folder.resolve("t" + threads + "/model.safetensors"))
                    .hasSameBinaryContentAs(folder.resolve("t1/model.safetensors"));
        }
        assertThat(samples.get(1)).isEqualTo(samples.get(0));
        assertThat(samples.get(2)).isEqualTo(samples.get(0));
    }

    @Test
    void anotherSeedChangesOrderAndSamples() throws IOException {
        List<List<Double>> losses = new ArrayList<>();
        List<String> firstSamples = new ArrayList<>();
        for (int seed : new int[] {1, 2}) {
            Record record = new Record();
            new FineTuning(recipe("s" + seed, "seed=" + seed, "sample.max_tokens=12"), record).run();
            losses.add(record.steps.stream().map(Step::loss).toList());
            firstSamples.add(record.samples.getFirst().text());
        }

        assertThat(losses.get(0)).isNotEqualTo(losses.get(1));
        assertThat(firstSamples.get(0)).isNotEqualTo(firstSamples.get(1));
    }

    /** Stopped between any two steps, with every optimizer: the same bytes. */
    @ParameterizedTest
    @EnumSource
    void resumedRunGivesTheSameBytes(Recipe.OptimizerKind optimizer) throws IOException {
        String[] keys = {
            "optimizer=" + optimizer, "save_steps=2", "gradient_accumulation_steps=2", "resume=true", "steps=7"
        };
        Record whole = new Record();
        new FineTuning(recipe("whole", keys), whole).run();
        for (int stop : IntStream.rangeClosed(1, 6).toArray()) {
            TrainingListener stopper = new TrainingListener() {
                @Override
                public void stepped(Step step) {
                    if (step.step() == stop) {
                        throw new IllegalStateException("stopped");
                    }
                }
            };
            String output = "stopped" + stop;
            assertThatThrownBy(() -> new FineTuning(recipe(output, keys), stopper).run())
                    .hasMessage("stopped");
            Record resumed = new Record();
            RunResult result = new FineTuning(recipe(output, keys), resumed).run();

            assertThat(resumed.plan).isNotNull();
            assertThat(resumed.plan.firstStep()).isEqualTo((stop - 1) / 2 * 2);
            assertThat(whole.result).isNotNull();
            assertThat(result.before()).isEqualTo(whole.result.before());
            assertThat(result.after()).isEqualTo(whole.result.after());
            assertThat(resumed.samples.getLast()).isEqualTo(whole.samples.getLast());
            assertThat(folder.resolve(output).resolve("model.safetensors"))
                    .hasSameBinaryContentAs(folder.resolve("whole/model.safetensors"));
            assertThat(losses(output)).isEqualTo(losses("whole"));
        }
    }

    private List<String> losses(String output) throws IOException {
        return metrics(output).stream()
                .map(line -> line.get("step") + " " + line.get("loss") + " " + line.get("held_out_loss"))
                .toList();
    }
}
