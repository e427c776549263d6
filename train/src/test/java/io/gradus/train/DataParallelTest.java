package io.gradus.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.gradus.core.Device;
import io.gradus.core.HostStorage;
import io.gradus.core.Scope;
import io.gradus.core.Tensor;
import io.gradus.data.tokenizer.Tokenizer;
import io.gradus.nn.model.llama.LlamaConfig;
import io.gradus.optim.InPlace;
import io.gradus.optim.Optimizer;
import io.gradus.optim.ParameterGroup;
import io.gradus.optim.ParameterStep;
import io.gradus.parallel.CommunicationException;
import io.gradus.parallel.HostName;
import io.gradus.train.checkpoint.StateFiles;
import io.gradus.train.guard.TrainingException;
import io.gradus.train.recipe.Recipe;
import io.gradus.train.recipe.RecipeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntFunction;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Processes with a batch each have the bits of one process that accumulates as many batches. Here they are threads. */
@Timeout(120)
class DataParallelTest {
    private static final List<String> STAGES = List.of("data", "zero1", "zero2", "zero3");
    private static final String CHECKPOINT = "checkpoints/step-000004";

    @TempDir
    private Path folder;

    private Path model = Path.of("");
    private Path text = Path.of("");

    @BeforeEach
    void write() {
        // The embedding table and two matrices are divided among processes, the others are too short.
        model = TinyModel.write(folder.resolve("model"), LlamaConfig.of(257, 256, 24, 3, 2, 1, 32));
        text = TinyModel.writeText(folder.resolve("text.txt"), 200);
    }

    private Recipe recipe(String output, String... overrides) {
        String yaml = """
            model: {path: '%s'}
            data: {train: '%s', validation_split: 0.1}
            output: '%s'
            steps: 6
            batch_size: 2
            learning_rate: 0.02
            eval_steps: 3
            max_eval_blocks: 4
            save_steps: 4
            sample: {max_tokens: 0}
            threads: 1
            """.formatted(model, text, folder.resolve(output));
        return Recipe.parse(
                yaml,
                Stream.of(overrides)
                        .flatMap(each ->
                                Stream.of(each.replace("TEXT", text.toString()).split(" ")))
                        .toArray(String[]::new));
    }

    @ParameterizedTest(name = "{0}")
    @ValueSource(
            strings = {
                "max_grad_norm=0.1 spike_z=1 sample.max_tokens=3",
                "precision=bf16 ema_decay=0.9 max_grad_norm=0.1",
                "precision=f16 max_grad_norm=0.1",
                "optimizer=adamw8bit",
                "optimizer=sgd l2_sp=0.1 ema_decay=0.5",
                "optimizer=adafactor precision=bf16",
                "ewc=0.1 ewc_samples=3 data.general=TEXT",
                "layer_decay=0.5 gradual_unfreeze_steps=2",
                "load_best_model_at_end=true learning_rate=0.2",
                "freeze=['*norm*','*embed*'] wise_ft_alpha=0.5 precision=bf16",
                "activation_checkpointing=true loss_chunk_size=8 save_dtype=bf16",
            })
    void processesHaveTheBitsOfOneThatAccumulates(String setting) throws Exception {
        for (int processes : new int[] {2, 3}) {
            String alone = "alone-" + processes;
            new FineTuning(recipe(alone, setting + " gradient_accumulation_steps=" + processes)).run();
            // Three processes divide tensors unevenly; the last stage divides all of them.
            for (String parallel : processes == 2 ? STAGES : List.of(STAGES.getLast())) {
                String together = parallel + "-" + processes;
                runAll(processes, rank -> recipe(together, setting + " parallel=" + parallel));
                assertSameFile(together, alone, "model.safetensors");
                assertSameState(together, alone);
                assertThat(metrics(together)).isEqualTo(metrics(alone));
            }
        }
    }

    /** The state of the checkpoints, which processes that have parts of it write in several files. */
    private void assertSameState(String output, String expected) throws IOException {
        try (Scope _ = Scope.open("test");
                StateFiles files = StateFiles.open(folder.resolve(output).resolve(CHECKPOINT), Device.cpu());
                StateFiles others = StateFiles.open(folder.resolve(expected).resolve(CHECKPOINT), Device.cpu())) {
            assertThat(files.names()).containsExactlyInAnyOrderElementsOf(others.names());
            for (String name : files.names()) {
                Tensor tensor = files.read(name);
                Tensor other = others.read(name);
                assertThat(tensor.shape()).isEqualTo(other.shape());
                assertThat(HostStorage.of(tensor).mismatch(HostStorage.of(other)))
                        .as(name)
                        .isEqualTo(-1);
            }
        }
    }

    @Test
    void processesShareTheBatchesOfAnEvaluationInEqualNumbersOfPasses() throws Exception {
        String[] few = {"steps=1", "batch_size=1", "max_eval_blocks=5"};
        Map<Long, AtomicInteger> passes = new ConcurrentHashMap<>();
        LossFunction counting = (model, hidden, batch) -> {
            if (!hidden.requiresGrad() && model.device().backend().hasElements()) { // not in the memory plan
                passes.computeIfAbsent(Thread.currentThread().threadId(), _ -> new AtomicInteger())
                        .incrementAndGet();
            }
            return LossFunction.crossEntropy(0).sum(model, hidden, batch);
        };
        assertThat(failures(2, _ -> recipe("together", few), run -> run.loss(counting)))
                .containsOnlyNulls();
        int evaluations = 2;
        assertThat(passes.values()).extracting(AtomicInteger::get).containsExactly(3 * evaluations, 3 * evaluations);
        new FineTuning(recipe("alone", "steps=1", "batch_size=1", "max_eval_blocks=5")).run();
        assertThat(evaluations("together").getFirst())
                .isEqualTo(evaluations("alone").getFirst());
    }

    private List<String> evaluations(String output) throws IOException {
        return metrics(output).lines().filter(line -> line.contains("held_out")).toList();
    }

    @Test
    void lossThatIsNotFiniteOnOneProcessIsTheSameErrorOnAll() throws Exception {
        Recipe recipe = recipe("out");
        TrainingData data = TrainingData.read(recipe, Texts.NONE, Tokenizer.load(model), 32);
        int[] second = data.evaluation()
                .get(TrainingData.HELD_OUT)
                .batch(1, Device.cpu())
                .ids()
                .toInts();
        LossFunction infinite = (model, hidden, batch) -> LossFunction.crossEntropy(0)
                .sum(model, hidden, batch)
                .multiply(Arrays.equals(batch.ids().toInts(), second) ? Double.POSITIVE_INFINITY : 1);
        List<Throwable> failures = failures(3, _ -> recipe, run -> run.loss(infinite));
        assertThat(failures)
                .hasSize(3)
                .allSatisfy(failure -> assertThat(failure)
                        .isInstanceOf(TrainingException.class)
                        .hasMessageStartingWith("before the first step the loss on held-out text is Infinity"));
    }

    private void assertSameFile(String output, String expected, String file) {
        assertThat(folder.resolve(output).resolve(file))
                .hasSameBinaryContentAs(folder.resolve(expected).resolve(file));
    }

    @Test
    void optimizerOfOnesOwnUpdatesWholeParameters() throws Exception {
        UnaryOperator<FineTuning.Builder> momentum = run -> run.optimizer(Momentum::new);
        momentum.apply(FineTuning.builder(recipe("alone", "gradient_accumulation_steps=2")))
                .build()
                .run();
        for (String parallel : STAGES) {
            assertThat(failures(2, _ -> recipe(parallel, "parallel=" + parallel), momentum))
                    .containsOnlyNulls();
            assertSameFile(parallel, "alone", "model.safetensors");
            assertSameState(parallel, "alone");
        }
    }

    /** Divides by the norm of the whole gradient. */
    private static final class Momentum extends Optimizer {
        Momentum(List<ParameterGroup> groups, double learningRate) {
            super(groups, learningRate, "momentum_buffer");
        }

        @Override
        protected void update(ParameterStep step) {
            Tensor gradient = step.gradient();
            double norm = Math.sqrt(gradient.kernels().reduction().sumOfSquares(List.of(gradient)));
            InPlace.lerp(step.state("momentum_buffer"), gradient, 0.1 / (norm + 1));
            InPlace.add(step.weight(), step.state("momentum_buffer"), -step.learningRate());
        }
    }

    @Test
    void severalPassesOfEachProcessAgreeToRoundingAndAreTheSameInEveryRun() throws Exception {
        new FineTuning(recipe("alone", "gradient_accumulation_steps=4")).run();
        for (String parallel : STAGES) {
            for (String output : List.of(parallel, parallel + "-again")) {
                runAll(2, _ -> recipe(output, "gradient_accumulation_steps=2 parallel=" + parallel));
            }
            assertSameFile(parallel + "-again", parallel, "model.safetensors");
            assertThat(lastLoss(parallel)).isCloseTo(lastLoss("alone"), within(1e-3));
        }
    }

    private double lastLoss(String output) throws IOException {
        String line = evaluations(output).getLast();
        return Double.parseDouble(line.replaceAll(".*\"held_out_loss\":([0-9.]+).*", "$1"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"data", "zero1", "zero2", "zero3"})
    void stoppedRunResumesToTheSameBits(String parallel) throws Exception {
        String[] settings = {"ema_decay=0.9 precision=bf16 save_steps=2 parallel=" + parallel};
        runAll(2, _ -> recipe("whole", settings));
        assertThatThrownBy(() -> runAll(2, _ -> recipe("stopped", settings), new TrainingListener() {
                    @Override
                    public void stepped(Step step) {
                        if (step.step() == 3) {
                            throw new IllegalStateException("the power failed");
                        }
                    }
                }))
                .hasMessageContaining("the power failed");
        runAll(2, _ -> recipe("stopped", settings[0] + " resume=true"));
        assertSameFile("stopped", "whole", "model.safetensors");
    }

    @Test
    void otherTextOnOneProcessIsRejectedOnAll() throws Exception {
        Path other = TinyModel.writeText(folder.resolve("other.txt"), 199);
        List<Throwable> failures =
                failures(2, rank -> rank == 0 ? recipe("out") : recipe("out", "data.train=" + other));
        assertThat(failures.get(0))
                .isInstanceOf(OtherRankException.class)
                .hasMessageStartingWith("rank 1 on " + HostName.get() + ": recipe: all processes");
        assertThat(failures.get(1))
                .isInstanceOf(RecipeException.class)
                .hasMessageContaining("here there is \"data.train: ");
        assertThat(folder.resolve("out").resolve("metrics.jsonl")).doesNotExist();
    }

    @Test
    void missingModelOnOneProcessIsReportedByAll() throws Exception {
        Path missing = folder.resolve("missing");
        List<Throwable> failures =
                failures(3, rank -> rank == 2 ? recipe("out", "model.path=" + missing) : recipe("out"));
        String second = "rank 2 on " + HostName.get() + ": ";
        assertThat(failures.get(0)).hasMessageStartingWith(second).hasMessageContaining(missing.toString());
        assertThat(failures.get(1)).hasMessageStartingWith(second);
        assertThat(failures.get(2)).hasMessageContaining(missing.toString());
    }

    @Test
    void folderThatTheFirstProcessCannotWriteIsReportedByAll() throws Exception {
        Files.writeString(folder.resolve("file"), "in the way");
        List<Throwable> failures = failures(2, _ -> recipe("file"));
        assertThat(failures.get(0)).hasMessageContaining("is a file");
        assertThat(failures.get(1)).isInstanceOf(OtherRankException.class).hasMessageContaining("rank 0 on ");
    }

    @Test
    void otherNumberOfBatchesInAStepIsRejected() throws Exception {
        runAll(2, _ -> recipe("out"));
        assertThat(failures(3, _ -> recipe("out", "resume=true", "steps=8")).get(0))
                .hasMessageContaining(
                        "number of processes was 2 and is 3, so a step would have 3 batches instead of 2");
    }

    @ParameterizedTest(name = "{0}")
    @ValueSource(
            strings = {
                "parallel=zero1 x3 > parallel=none gradient_accumulation_steps=3 x1",
                "parallel=none gradient_accumulation_steps=3 x1 > parallel=zero2 x3",
                "parallel=data x3 > parallel=zero1 x3",
                "parallel=zero2 ema_decay=0.9 x3 > parallel=none ema_decay=0.9 gradient_accumulation_steps=3 x1"
            })
    void runResumesToTheSameBitsOnAnotherNumberOfProcesses(String change) throws Exception {
        String[] parts = change.split(" > ");
        String average = change.contains("ema") ? "ema_decay=0.9" : "seed=42";
        new FineTuning(recipe("whole", "gradient_accumulation_steps=3", average)).run();
        TrainingListener stopper = new TrainingListener() {
            @Override
            public void stepped(Step step) {
                if (step.step() == 5) {
                    throw new IllegalStateException("the power failed");
                }
            }
        };
        assertThatThrownBy(() -> start(parts[0], "resume=false", stopper)).hasMessageContaining("the power failed");
        start(parts[1], "resume=true");
        assertSameFile("moved", "whole", "model.safetensors");
    }

    /** Trains with a setting that ends with the number of processes, such as {@code x3}. */
    private void start(String setting, String resume, TrainingListener... listeners) throws Exception {
        int end = setting.lastIndexOf(" x");
        String keys = setting.substring(0, end);
        int processes = Integer.parseInt(setting.substring(end + 2));
        if (processes > 1) {
            runAll(processes, _ -> recipe("moved", keys, resume), listeners);
        } else {
            new FineTuning(recipe("moved", keys, resume), listeners).run();
        }
    }

    @Test
    void errorOfOneProcessEndsAllWithItsRankAndStep() throws Exception {
        AtomicInteger calls = new AtomicInteger();
        LossFunction broken = (model, hidden, batch) -> {
            if (Thread.currentThread().getName().endsWith("-2")
                    && hidden.requiresGrad()
                    && model.device().backend().hasElements()
                    && calls.incrementAndGet() == 3) {
                throw new OutOfMemoryError("Java heap space");
            }
            return LossFunction.crossEntropy(0).sum(model, hidden, batch);
        };
        List<Throwable> failures = failures(2, _ -> recipe("out"), run -> run.loss(broken));
        assertThat(failures.get(1)).isInstanceOf(OutOfMemoryError.class);
        assertThat(failures.get(0))
                .isInstanceOf(CommunicationException.class)
                .hasMessageStartingWith(
                        "rank 1 on " + HostName.get() + ": step 3: java.lang.OutOfMemoryError: Java heap space")
                .hasMessageContaining("There is no checkpoint yet");
    }

    /** The records of a run without their times. */
    private String metrics(String output) throws IOException {
        return Files.readString(folder.resolve(output).resolve("metrics.jsonl"))
                .replaceAll(",\"(tokens_per_second|seconds|communication_seconds|waiting_seconds)\":[^,}]*", "");
    }

    private static void runAll(int processes, IntFunction<Recipe> recipes, TrainingListener... listeners)
            throws Exception {
        for (Throwable failure : failures(processes, recipes, listeners)) {
            if (failure instanceof Exception e) {
                throw e;
            }
            assertThat(failure).isNull();
        }
    }

    private static List<Throwable> failures(int processes, IntFunction<Recipe> recipes, TrainingListener... listeners)
            throws InterruptedException {
        return failures(processes, recipes, run -> run.listeners(listeners));
    }

    /** Runs all processes and returns the failure of each, or null. */
    private static List<Throwable> failures(
            int processes, IntFunction<Recipe> recipes, UnaryOperator<FineTuning.Builder> parts)
            throws InterruptedException {
        List<Throwable> failures = new ArrayList<>();
        JobOfThreads.run(processes, recipes, parts).forEach(each -> failures.add(each.failure()));
        return failures;
    }
}
