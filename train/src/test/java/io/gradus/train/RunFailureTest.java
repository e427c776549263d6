package io.gradus.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.gradus.train.checkpoint.Folders;
import io.gradus.train.recipe.Recipe;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A run that cannot write says which file, what is safe, and how to go on; and two runs never share a folder. */
class RunFailureTest {
    private static final Path FULL = Path.of("/dev/full");

    @TempDir
    private Path folder;

    private Path model = Path.of("");
    private Path text = Path.of("");

    @BeforeEach
    void write() {
        model = TinyModel.write(folder.resolve("model"));
        text = TinyModel.writeText(folder.resolve("text.txt"), 60);
    }

    private Recipe recipe(String output, String... overrides) {
        return Recipe.builder()
                .model(model)
                .train(text)
                .output(folder.resolve(output))
                .steps(6)
                .batchSize(2)
                .learningRate(0.01)
                .maxEvalBlocks(2)
                .saveSteps(2)
                .sampleMaxTokens(0)
                .threads(1)
                .resume(true)
                .build()
                .with(overrides);
    }

    /** An action of a test during a run. */
    @FunctionalInterface
    private interface Action {
        void run() throws IOException;
    }

    private static TrainingListener after(int wanted, Action action) {
        return new TrainingListener() {
            @Override
            public void stepped(Step step) {
                if (step.step() == wanted) {
                    try {
                        action.run();
                    } catch (IOException e) {
                        throw new UncheckedIOException(e);
                    }
                }
            }
        };
    }

    /** From the next line on, the log of the run is on a full disk. */
    private void fillDisk(String output) throws IOException {
        Path metrics = folder.resolve(output).resolve("metrics.jsonl");
        Files.delete(metrics);
        Files.createSymbolicLink(metrics, FULL);
    }

    private String resume(Path out) {
        return "./gradus finetune " + out.resolve("recipe.yaml") + " output=" + out + " --resume";
    }

    private void assertSameModel(String one, String other) {
        assertThat(folder.resolve(one).resolve("model.safetensors"))
                .hasSameBinaryContentAs(folder.resolve(other).resolve("model.safetensors"));
    }

    // ---- full disks ----

    @Test
    void fullDiskNamesTheFileAndTheCheckpointToResumeFrom() throws IOException {
        assumeTrue(Files.exists(FULL), () -> FULL + " is missing: only Linux has it");
        new FineTuning(recipe("whole")).run();
        Path out = folder.resolve("out");
        assertThatThrownBy(() -> new FineTuning(recipe("out"), after(4, () -> fillDisk("out"))).run())
                .isInstanceOf(IOException.class)
                .hasMessage(out.resolve("metrics.jsonl") + " cannot be written: No space left on device\n"
                        + "The checkpoint of step 4 is intact. Free disk space, then continue from it to the same bits:\n"
                        + "  " + resume(out));
        assertThat(out.resolve(".lock")).doesNotExist();

        Files.delete(out.resolve("metrics.jsonl"));
        new FineTuning(recipe("out")).run();
        assertSameModel("out", "whole");
    }

    @Test
    void fullDiskBeforeTheFirstCheckpointSaysThatThereIsNone() {
        assumeTrue(Files.exists(FULL), () -> FULL + " is missing: only Linux has it");
        Path out = folder.resolve("out");
        assertThatThrownBy(() -> new FineTuning(recipe("out"), after(1, () -> fillDisk("out"))).run())
                .isInstanceOf(IOException.class)
                .hasMessage(out.resolve("metrics.jsonl") + " cannot be written: No space left on device\n"
                        + "There is no checkpoint yet. Free disk space, then start from the first step again:\n  "
                        + resume(out));
    }

    // ---- the model of a running run ----

    @Test
    void runDoesNotNeedTheModelFolderOnceItIsLoaded() throws IOException {
        new FineTuning(recipe("whole")).run();
        new FineTuning(recipe("out"), after(1, () -> Folders.delete(model))).run();

        assertSameModel("out", "whole");
        for (String file : List.of("config.json", "tokenizer.json", "tokenizer_config.json")) {
            assertThat(folder.resolve("out").resolve(file))
                    .hasSameBinaryContentAs(folder.resolve("whole").resolve(file));
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "wise_ft_alpha=0.5",
                "precision=bf16 freeze=*embed_tokens*",
                "load_best_model_at_end=true learning_rate=0 eval_steps=1"
            })
    void deletedModelThatIsNeededAtTheEndCostsNothingThatWasTrained(String keys) throws IOException {
        Path out = folder.resolve("out");
        new FineTuning(recipe("whole", keys.split(" "))).run();
        Path away = folder.resolve("away");
        assertThatThrownBy(() ->
                        new FineTuning(recipe("out", keys.split(" ")), after(5, () -> Files.move(model, away))).run())
                .isInstanceOf(IOException.class)
                .hasMessageStartingWith("the run needs the model that it started from, " + model
                        + ", but it has changed meanwhile:\n  model.path: config.json is missing\n")
                .hasMessageEndingWith(
                        "The checkpoint of step 6 is intact. Solve the problem, then continue from it to the"
                                + " same bits:\n  " + resume(out));
        assertThat(out.resolve("model.safetensors")).doesNotExist();

        Files.move(away, model);
        new FineTuning(recipe("out", keys.split(" "))).run();
        assertSameModel("out", "whole");
    }

    @Test
    void deletedBestWeightsCostNothingThatWasTrained() throws IOException {
        Path out = folder.resolve("out");
        String[] worsens = {
            "load_best_model_at_end=true",
            "eval_steps=1",
            "schedule=constant",
            "warmup_ratio=0",
            "learning_rate=0.3",
            "steps=9"
        };
        assertThatThrownBy(() -> new FineTuning(
                                recipe("out", worsens), after(9, () -> Folders.delete(out.resolve("checkpoints/best"))))
                        .run())
                .isInstanceOf(IOException.class)
                .hasMessageContaining("checkpoints/best is missing: it had the best weights, of step ")
                .hasMessageContaining("The checkpoint of step 9 is intact.");
        String[] last = worsens.clone();
        last[0] = "load_best_model_at_end=false";
        new FineTuning(recipe("out", last)).run();
        new FineTuning(recipe("whole", last)).run();
        assertSameModel("out", "whole");
    }

    // ---- two runs ----

    @Test
    void secondRunOnAFolderIsRejectedAndTheFirstIsUndisturbed() throws IOException {
        new FineTuning(recipe("whole")).run();
        Path out = folder.resolve("out");
        List<String> messages = new ArrayList<>();
        new FineTuning(
                        recipe("out"),
                        after(
                                3,
                                () -> assertThatThrownBy(() -> new FineTuning(recipe("out", "resume=true")).run())
                                        .isInstanceOf(IOException.class)
                                        .satisfies(thrown -> messages.add(thrown.getMessage()))))
                .run();

        assertThat(messages).singleElement().asString().startsWith("output " + out + " is in use by another run");
        assertSameModel("out", "whole");
        assertThat(Files.readAllLines(out.resolve("metrics.jsonl")))
                .hasSameSizeAs(Files.readAllLines(folder.resolve("whole/metrics.jsonl")));
        assertThat(out.resolve(".lock")).doesNotExist();
    }
}
