package io.gradus.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.core.Device;
import io.gradus.data.tokenizer.Tokenizer;
import io.gradus.nn.model.ModelFolder;
import io.gradus.train.TrainingListener.Evaluation;
import io.gradus.train.TrainingListener.Skipped;
import io.gradus.train.TrainingListener.Step;
import io.gradus.train.recipe.Recipe;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Spikes are skipped, the best weights are kept, a run ends when it is told to; and each of these survives a resume. */
class RunControlTest {
    @TempDir
    private Path folder;

    private Path model = Path.of("");
    private Path text = Path.of("");

    @BeforeEach
    void write() {
        model = TinyModel.write(folder.resolve("model"));
        text = TinyModel.writeText(folder.resolve("text.txt"), 200);
    }

    private Recipe recipe(String output, String... overrides) {
        String yaml = """
            model: {path: '%s'}
            data: {train: '%s', validation_split: 0.1}
            output: '%s'
            steps: 40
            batch_size: 2
            learning_rate: 0.02
            eval_steps: 5
            max_eval_blocks: 4
            save_steps: 0
            sample: {max_tokens: 0}
            resume: true
            threads: 1
            """.formatted(model, text, folder.resolve(output));
        return Recipe.parse(yaml, overrides);
    }

    /** What was told of a run. */
    private static final class Events implements TrainingListener {
        private final List<Integer> steps = new ArrayList<>();
        private final List<Skipped> skipped = new ArrayList<>();
        private final List<Evaluation> evaluations = new ArrayList<>();

        @Override
        public void stepped(Step step) {
            steps.add(step.step());
        }

        @Override
        public void skipped(Skipped skip) {
            skipped.add(skip);
        }

        @Override
        public void evaluated(Evaluation evaluation) {
            evaluations.add(evaluation);
        }
    }

    private Path checkpoint(String output, int step) {
        return folder.resolve(output).resolve("checkpoints").resolve(String.format("step-%06d", step));
    }

    private void assertSameModel(Path one, Path other) {
        assertThat(one.resolve("model.safetensors")).hasSameBinaryContentAs(other.resolve("model.safetensors"));
    }

    // ---- spikes ----

    private static final String SENTENCE = "the same words again and again, ";

    /** Mostly the sentence that the model knows already, and some lines of bytes that nobody expects. */
    private void writeTextWithNoise() throws IOException {
        Files.writeString(text, SENTENCE.repeat(300));
        new FineTuning(recipe("taught")).run();
        model = folder.resolve("taught");
        Random random = new Random(11);
        StringBuilder lines = new StringBuilder();
        for (int line = 0; line < 300; line++) {
            if (line % 100 == 50) {
                for (int i = 0; i < 96; i++) {
                    lines.append((char) (33 + random.nextInt(90)));
                }
            } else {
                lines.append(SENTENCE);
            }
        }
        Files.writeString(text, lines);
    }

    @Test
    void skippedSpikeLeavesWeightsAndMomentsUnchanged() throws IOException {
        writeTextWithNoise();
        Events events = new Events();
        RunResult result = new FineTuning(
                        recipe("out", "spike_z=3", "save_steps=1", "save_total_limit=100", "steps=60"), events)
                .run();

        assertThat(events.skipped).isNotEmpty();
        assertThat(result.skipped()).isEqualTo(events.skipped.size());
        assertThat(events.steps).hasSize(60 - events.skipped.size());
        for (Skipped skip : events.skipped) {
            assertThat(skip.reason()).contains("standard deviations above");
            assertThat(events.steps).doesNotContain(skip.step());
            Path before = checkpoint("out", skip.step() - 1);
            Path after = checkpoint("out", skip.step());
            assertSameModel(after, before);
            assertThat(after.resolve("optimizer.safetensors"))
                    .hasSameBinaryContentAs(before.resolve("optimizer.safetensors"));
            assertThat(folder.resolve("out/metrics.jsonl"))
                    .content()
                    .contains("{\"step\":" + skip.step() + ",\"skipped\":\"" + skip.reason() + "\"}");
        }
    }

    @Test
    void spikeIsNotSkippedWithoutTheGuard() throws IOException {
        writeTextWithNoise();
        Events events = new Events();
        new FineTuning(recipe("out", "steps=60"), events).run();

        assertThat(events.skipped).isEmpty();
        assertThat(events.steps).hasSize(60);
    }

    @Test
    void spikeGuardResumes() throws IOException {
        writeTextWithNoise();
        String[] keys = {"spike_z=3", "save_steps=7", "steps=60"};
        Events whole = new Events();
        new FineTuning(recipe("whole", keys), whole).run();
        List<Integer> skipped = new ArrayList<>();
        int first = whole.skipped.getFirst().step();
        for (int stop : new int[] {5, first - 1, first, first + 1, 59}) {
            String output = "stopped" + stop;
            stopAfter(stop, recipe(output, keys));
            Events rest = new Events();
            RunResult result = new FineTuning(recipe(output, keys), rest).run();

            assertSameModel(folder.resolve(output), folder.resolve("whole"));
            assertThat(result.skipped()).isEqualTo(whole.skipped.size());
            assertThat(rest.skipped)
                    .isEqualTo(whole.skipped.stream()
                            .filter(skip -> skip.step() > stop)
                            .toList());
            skipped.add(rest.skipped.size());
        }
        assertThat(skipped)
                .isSortedAccordingTo(Comparator.reverseOrder())
                .first()
                .isNotEqualTo(skipped.getLast());
    }

    /** Runs until a step is made or skipped, and tells the run to end in the middle of it. */
    private void stopAfter(int stop, Recipe recipe) {
        class Stopper implements TrainingListener {
            private final FineTuning run = new FineTuning(recipe, this);

            @Override
            public void stepped(Step step) {
                stopAt(step.step());
            }

            @Override
            public void skipped(Skipped skipped) {
                stopAt(skipped.step());
            }

            private void stopAt(int step) {
                if (step == stop) {
                    run.stop();
                }
            }
        }
        assertThatThrownBy(() -> new Stopper().run.run())
                .isInstanceOf(StoppedException.class)
                .hasMessageContaining("stopped after step " + stop + " of ");
        assertThat(recipe.output()).isNotNull();
        assertThat(recipe.output().resolve("model.safetensors")).doesNotExist();
    }

    // ---- the best weights ----

    /** A rate that soon spoils what the first steps learn. */
    private static final String[] WORSENS = {"learning_rate=0.3", "schedule=constant", "warmup_ratio=0", "steps=60"};

    private Recipe worsening(String output, String... overrides) {
        List<String> keys = new ArrayList<>(List.of(WORSENS));
        keys.addAll(List.of(overrides));
        return recipe(output, keys.toArray(String[]::new));
    }

    private double heldOut(Path weights, Recipe recipe) throws IOException {
        ModelFolder written = new ModelFolder(weights);
        TrainingData data = TrainingData.read(recipe, Texts.NONE, Tokenizer.load(written.path()), 32);
        return Evaluator.loss(
                written.load(Device.cpu(1)), data.evaluation().get("held_out"), LossFunction.crossEntropy(null));
    }

    @Test
    void earlyStoppingSavesTheBestWeights() throws IOException {
        Recipe recipe = worsening("out", "early_stopping_patience=3");
        Events events = new Events();
        RunResult result = new FineTuning(recipe, events).run();

        Evaluation lowest = events.evaluations.stream()
                .min(Comparator.comparingDouble(Evaluation::loss))
                .orElseThrow();
        assertThat(result.steps()).isLessThan(60).isEqualTo(lowest.step() + 15);
        assertThat(events.steps).hasSize(result.steps());
        assertThat(result.bestStep()).isEqualTo(lowest.step());
        assertThat(result.bestLoss()).isEqualTo(lowest.loss());
        assertThat(result.savedStep()).isEqualTo(lowest.step());
        assertThat(result.after()).containsEntry("held_out", lowest.loss());
        assertThat(heldOut(folder.resolve("out"), recipe)).isEqualTo(lowest.loss());
        assertSameModel(folder.resolve("out/checkpoints/best"), folder.resolve("out"));
    }

    @Test
    void loadBestModelAtEndSavesTheBestWeights() throws IOException {
        Recipe recipe = worsening("out", "load_best_model_at_end=true");
        RunResult result = new FineTuning(recipe).run();
        RunResult plain = new FineTuning(worsening("plain")).run();

        assertThat(result.steps()).isEqualTo(60);
        assertThat(result.bestStep()).isEqualTo(plain.bestStep()).isLessThan(60);
        assertThat(result.savedStep()).isEqualTo(result.bestStep());
        assertThat(plain.savedStep()).isEqualTo(60);
        assertThat(plain.bestLoss())
                .isEqualTo(result.bestLoss())
                .isLessThan(plain.after().get("held_out"));
        assertThat(heldOut(folder.resolve("out"), recipe)).isEqualTo(result.bestLoss());
        assertThat(folder.resolve("plain/checkpoints/best")).doesNotExist();
    }

    @Test
    void bestWeightsMayBeTheInitialOnes() throws IOException {
        Recipe useful = recipe("useful");
        new FineTuning(useful).run();
        model = folder.resolve("useful");
        RunResult result = new FineTuning(
                        worsening("out", "early_stopping_patience=1", "eval_steps=1", "check_first_loss=false"))
                .run();

        assertThat(result.savedStep()).isZero();
        assertThat(result.after()).isEqualTo(result.before());
        assertSameModel(folder.resolve("out"), folder.resolve("useful"));
    }

    @Test
    void earlyStoppingResumes() throws IOException {
        RunResult whole = new FineTuning(worsening("whole", "early_stopping_patience=3")).run();
        for (int stop : new int[] {1, 5, whole.bestStep(), whole.bestStep() + 7, whole.steps() - 1}) {
            String output = "stopped" + stop;
            stopAfter(stop, worsening(output, "early_stopping_patience=3"));
            RunResult result = new FineTuning(worsening(output, "early_stopping_patience=3")).run();

            assertThat(result.steps()).isEqualTo(whole.steps());
            assertThat(result.bestStep()).isEqualTo(whole.bestStep());
            assertThat(result.after()).isEqualTo(whole.after());
            assertSameModel(folder.resolve(output), folder.resolve("whole"));
        }
    }

    // ---- told to end ----

    @Test
    void stoppedRunLeavesACheckpointAndNoModel() throws IOException {
        new FineTuning(recipe("whole")).run();
        stopAfter(13, recipe("out"));

        assertThat(checkpoint("out", 13)).isDirectory();
        assertThat(folder.resolve("out/recipe.yaml")).exists();
        assertThat(folder.resolve("out/model.safetensors")).doesNotExist();
        new FineTuning(recipe("out")).run();
        assertSameModel(folder.resolve("out"), folder.resolve("whole"));
    }

    @Test
    void runStoppedBeforeTheFirstStepWritesNothing() {
        FineTuning run = new FineTuning(recipe("out"));
        run.stop();

        assertThatThrownBy(run::run)
                .isInstanceOf(StoppedException.class)
                .hasMessage("stopped before the first step; nothing was written");
        assertThat(folder.resolve("out")).doesNotExist();
    }

    @Test
    void runStoppedInTheLastStepFinishes() throws IOException {
        Recipe recipe = recipe("out");
        FineTuning[] run = new FineTuning[1];
        run[0] = new FineTuning(recipe, new TrainingListener() {
            @Override
            public void stepped(Step step) {
                if (step.step() == 40) {
                    run[0].stop();
                }
            }
        });
        assertThat(run[0].run().steps()).isEqualTo(40);
        assertThat(folder.resolve("out/model.safetensors")).exists();
    }
}
