package io.gradus.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.nn.model.ConfigJson;
import io.gradus.nn.model.ModelFolder;
import io.gradus.nn.model.awdlstm.AwdLstmConfig;
import io.gradus.train.memory.MemoryPlan;
import io.gradus.train.recipe.Recipe;
import io.gradus.train.recipe.RecipeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Truncated backpropagation with a state that is carried from batch to batch. */
class AwdLstmTrainingTest {
    @TempDir
    private static Path shared;

    @TempDir
    private Path folder;

    @BeforeAll
    static void write() {
        TinyModel.write(shared.resolve("model"), AwdLstmConfig.of(257, 12, 16, 2));
        TinyModel.write(shared.resolve("llama"));
        TinyModel.writeText(shared.resolve("text.txt"), 120);
    }

    private Recipe recipe(String output, String... changes) {
        List<String> all = new ArrayList<>(List.of("data.packing=contiguous", "check_first_loss=false"));
        all.addAll(List.of(changes));
        return Recipe.builder()
                .model(shared.resolve("model"))
                .train(shared.resolve("text.txt"))
                .output(folder.resolve(output))
                .steps(9)
                .batchSize(4)
                .maxSeqLen(16)
                .learningRate(0.01)
                .evalSteps(3)
                .saveSteps(0)
                .sampleMaxTokens(3)
                .threads(1)
                .build()
                .with(all.toArray(String[]::new));
    }

    private static byte[] weights(RunResult result) throws IOException {
        return Files.readAllBytes(result.output().resolve("model.safetensors"));
    }

    @Test
    void carriedStateChangesWhatIsLearned() throws IOException {
        byte[] carried = weights(new FineTuning(recipe("carried")).run());
        assertThat(weights(new FineTuning(recipe("stream", "data.packing=stream")).run()))
                .isNotEqualTo(carried);
        RunResult longer = new FineTuning(recipe("longer", "steps=30", "learning_rate=0.03")).run();
        assertThat(longer.after().get("held_out"))
                .isLessThan(0.7 * longer.before().get("held_out"));
    }

    @Test
    void stoppedRunContinuesWithTheSameBits() throws IOException {
        byte[] whole = weights(new FineTuning(recipe("whole")).run());
        FineTuning[] run = new FineTuning[1];
        run[0] = new FineTuning(recipe("stopped"), new TrainingListener() {
            @Override
            public void stepped(Step step) {
                if (step.step() == 4) {
                    run[0].stop();
                }
            }
        });
        assertThatThrownBy(run[0]::run).isInstanceOf(StoppedException.class);
        RunResult resumed = new FineTuning(recipe("stopped", "resume=true")).run();
        assertThat(weights(resumed)).isEqualTo(whole);
    }

    @Test
    void learningRateOfARandomLengthIsInProportionAndResumes() throws IOException {
        String[] keys = {"data.variable_bptt=true", "schedule=constant", "warmup_ratio=0", "steps=12"};
        List<Double> rates = new ArrayList<>();
        RunResult whole = new FineTuning(recipe("whole", keys), new TrainingListener() {
                    @Override
                    public void stepped(Step step) {
                        rates.add(step.learningRate());
                        assertThat(step.tokens()).isEqualTo(Math.round(step.learningRate() / 0.01 * 16) * 4);
                    }
                })
                .run();
        assertThat(rates).hasSize(12).allMatch(rate -> rate <= 0.01).anyMatch(rate -> rate < 0.01);
        FineTuning[] run = new FineTuning[1];
        run[0] = new FineTuning(recipe("stopped", keys), new TrainingListener() {
            @Override
            public void stepped(Step step) {
                if (step.step() == 5) {
                    run[0].stop();
                }
            }
        });
        assertThatThrownBy(run[0]::run).isInstanceOf(StoppedException.class);
        assertThat(weights(new FineTuning(recipe("stopped", keys).with("resume=true")).run()))
                .isEqualTo(weights(whole));
        assertThatThrownBy(() -> recipe("other", "data.packing=stream", "data.variable_bptt=true"))
                .isInstanceOf(RecipeException.class)
                .hasMessageContainingAll("data.variable_bptt", "contiguous");
    }

    @ParameterizedTest
    @ValueSource(strings = {"gradient_accumulation_steps=2", "loss_chunk_size=0 activation_checkpointing=true"})
    void runTakesThePlannedBytes(String changes) throws IOException {
        Recipe recipe = recipe("out", "steps=3").with(changes.split(" "));
        MemoryPlan plan = FineTuning.plan(recipe, new ModelFolder(recipe.model().path()).config(), false);
        assertThat(new FineTuning(recipe).run().peakBytes()).isEqualTo(plan.atPeak());
    }

    @Test
    void activationsAreRegularizedWithoutChangingTheReportedLoss() throws IOException {
        Path plain = TinyModel.write(
                folder.resolve("plain"),
                AwdLstmConfig.read(AwdLstmConfig.of(257, 12, 16, 2)
                        .toJson()
                        .set("alpha", 0)
                        .set("beta", 0)));
        List<Double> losses = new ArrayList<>();
        TrainingListener first = new TrainingListener() {
            @Override
            public void stepped(Step step) {
                if (step.step() == 1) {
                    losses.add(step.loss());
                }
            }
        };
        byte[] with = weights(new FineTuning(recipe("with"), first).run());
        byte[] without = weights(new FineTuning(recipe("without", "model.path=" + plain), first).run());
        assertThat(losses.get(0)).isEqualTo(losses.get(1));
        assertThat(with).isNotEqualTo(without);
    }

    @Test
    void contiguousBatchesNeedAStateAndOneText() {
        assertThatThrownBy(() -> new FineTuning(recipe("a", "model.path=" + shared.resolve("llama"))).run())
                .isInstanceOf(RecipeException.class)
                .hasMessageContainingAll("data.packing", "contiguous", "no state");
        assertThatThrownBy(() -> new FineTuning(
                                recipe("b", "data.general=" + shared.resolve("text.txt"), "data.replay_ratio=0.1"))
                        .run())
                .isInstanceOf(RecipeException.class)
                .hasMessageContainingAll("data.packing", "several texts");
    }

    @Test
    void savedFolderHasTheKeysOfTheModel() throws IOException {
        RunResult result = new FineTuning(recipe("saved", "steps=1")).run();
        assertThat(AwdLstmConfig.read(ConfigJson.read(result.output()))).isEqualTo(AwdLstmConfig.of(257, 12, 16, 2));
    }
}
