package io.gradus.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.train.guard.TrainingException;
import io.gradus.train.recipe.Recipe;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Listeners learn what a run does while it does not train, and how it ends. */
class ProgressTest {
    @TempDir
    private Path folder;

    private Recipe recipe = Recipe.parse("{}");

    /** The stages of a run, each once where it begins, between the other events. */
    private static final class Events implements TrainingListener {
        private final List<String> all = new ArrayList<>();

        @Override
        public void progressed(Progress progress) {
            if (all.isEmpty() || !all.getLast().equals(progress.stage())) {
                all.add(progress.stage());
            }
        }

        @Override
        public void started(Plan plan) {
            all.add("started");
        }

        @Override
        public void stepped(Step step) {
            all.add("step " + step.step());
        }

        @Override
        public void checkpointed(Path folder) {
            all.add("checkpointed");
        }

        @Override
        public void finished(RunResult result) {
            all.add("finished");
        }

        @Override
        public void failed(Exception reason) {
            all.add("failed: " + reason.getMessage());
        }
    }

    @BeforeEach
    void write() {
        recipe = Recipe.parse("""
            model: {path: '%s'}
            data: {train: '%s', validation_split: 0.1}
            output: '%s'
            steps: 2
            batch_size: 2
            max_eval_blocks: 4
            save_steps: 1
            sample: {max_tokens: 1}
            threads: 1
            """.formatted(
                        TinyModel.write(folder.resolve("model")),
                        TinyModel.writeText(folder.resolve("text.txt"), 100),
                        folder.resolve("out")));
    }

    @Test
    void everyStageOfARunIsReportedBeforeItsResult() throws IOException {
        Events events = new Events();
        new FineTuning(recipe, events).run();

        assertThat(events.all)
                .containsSubsequence(
                        "planning memory",
                        "loading the model",
                        "reading the text",
                        "started",
                        "evaluating held-out text",
                        "writing a sample",
                        "step 1",
                        "writing a checkpoint",
                        "checkpointed",
                        "step 2",
                        "evaluating held-out text",
                        "saving the model",
                        "writing a sample",
                        "finished");
        assertThat(events.all).noneMatch(event -> event.startsWith("failed"));
    }

    @Test
    void evaluationCountsItsBatches() throws IOException {
        List<String> counts = new ArrayList<>();
        TrainingListener listener = new TrainingListener() {
            @Override
            public void progressed(Progress progress) {
                if (progress.stage().startsWith("evaluating")) {
                    counts.add(progress.done() + "/" + progress.total());
                }
            }
        };
        new FineTuning(recipe.with("steps=1"), listener).run();

        assertThat(counts).containsExactly("0/2", "1/2", "0/2", "1/2");
    }

    @Test
    void runThatFailsReportsTheReasonOfItsEnd() {
        Events events = new Events();
        FineTuning run = new FineTuning(recipe.with("learning_rate=1e30"), events);

        assertThatThrownBy(run::run)
                .isInstanceOf(TrainingException.class)
                .satisfies(thrown -> assertThat(events.all.getLast()).isEqualTo("failed: " + thrown.getMessage()));
    }
}
