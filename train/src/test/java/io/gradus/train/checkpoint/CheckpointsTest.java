package io.gradus.train.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.autograd.Variable;
import io.gradus.core.Device;
import io.gradus.core.Tensor;
import io.gradus.optim.Optimizer;
import io.gradus.optim.ParameterGroup;
import io.gradus.optim.Sgd;
import io.gradus.train.checkpoint.Checkpoints.Checkpoint;
import io.gradus.train.guard.EarlyStopping;
import io.gradus.train.guard.SpikeGuard;
import io.gradus.train.recipe.Recipe;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A checkpoint has its name only when it is whole; what was left half-done is neither read nor kept. */
class CheckpointsTest {
    @TempDir
    private Path folder;

    private final Optimizer optimizer = new Sgd(
            List.of(new ParameterGroup(
                    "all", List.of(Variable.parameter("w", Tensor.of(Device.cpu(1), new float[] {1, 2}, 2))))),
            0.1,
            new Sgd.Settings(0.9, 0, false));

    private static RunState state(int step) {
        return new RunState(
                step,
                Recipe.defaults().toMap(),
                Map.of("optimizer", "AdamW"),
                Map.of("held_out", 1.0 / 3),
                new SpikeGuard.State(List.of(1.0 / 3, 2.0), 1, 4),
                new EarlyStopping.State(2, 0.1, 3),
                null);
    }

    private Path write(int step) throws IOException {
        return new Checkpoints(folder)
                .write(state(step), 2, to -> Files.writeString(to.resolve("m"), "x"), optimizer.state());
    }

    @Test
    void newestCheckpointIsFoundWithItsState() throws IOException {
        Checkpoints checkpoints = new Checkpoints(folder);
        assertThat(checkpoints.newest()).isEmpty();
        write(9);
        Path path = write(1_000_001);

        assertThat(checkpoints.newest()).contains(new Checkpoint(path, state(1_000_001)));
    }

    @Test
    void onlyTheNewestCheckpointsAreKept() throws IOException {
        for (int step : new int[] {1, 2, 3, 10}) {
            write(step);
        }
        assertThat(folder.resolve("checkpoints"))
                .isDirectoryNotContaining("glob:**1")
                .isDirectoryNotContaining("glob:**2")
                .isDirectoryContaining("glob:**step-000003")
                .isDirectoryContaining("glob:**step-000010");
    }

    @Test
    void bestWeightsAreReplacedAndAreNoCheckpoint() throws IOException {
        Checkpoints checkpoints = new Checkpoints(folder);
        checkpoints.writeBest(to -> Files.writeString(to.resolve("m"), "one"));
        checkpoints.writeBest(to -> Files.writeString(to.resolve("m"), "two"));
        assertThatThrownBy(() -> checkpoints.writeBest(_ -> {
                    throw new IOException("disk full");
                }))
                .hasMessage("disk full");
        checkpoints.prepareFolder();

        assertThat(checkpoints.best().resolve("m")).hasContent("two");
        assertThat(checkpoints.newest()).isEmpty();
        assertThat(folder.resolve("checkpoints")).isDirectoryNotContaining("glob:**tmp");
    }

    @Test
    void resumeRequiresTheSameRecipe() {
        Recipe recipe = Recipe.parse("{output: out, early_stopping_patience: 3}");
        RunState state = new RunState(
                3, recipe.toMap(), Map.of(), Map.of(), SpikeGuard.State.NONE, EarlyStopping.State.NONE, null);

        Checkpoints.requireSame(
                state, Recipe.parse("{output: out, early_stopping_patience: 3, threads: 3, resume: true}"));
        assertThatThrownBy(
                        () -> Checkpoints.requireSame(state, Recipe.parse("{early_stopping_patience: 3, l2_sp: 0.5}")))
                .hasMessageEndingWith("but l2_sp was 0.0 and is 0.5");
        assertThatThrownBy(() ->
                        Checkpoints.requireSame(state, Recipe.parse("{early_stopping_patience: 3, eval_steps: 9}")))
                .hasMessageEndingWith("but eval_steps was 50 and is 9");
    }

    @Test
    void keyMissingInACheckpointHasItsDefault() {
        Map<String, String> old = Recipe.defaults().toMap();
        old.remove("l2_sp");
        RunState state =
                new RunState(3, old, Map.of(), Map.of(), SpikeGuard.State.NONE, EarlyStopping.State.NONE, null);

        Checkpoints.requireSame(state, Recipe.defaults());
        assertThatThrownBy(() -> Checkpoints.requireSame(state, Recipe.parse("l2_sp: 0.5")))
                .hasMessageEndingWith("but l2_sp was 0.0 and is 0.5");
    }

    @Test
    void failedWriteKeepsTheOldCheckpoint() throws IOException {
        Path old = write(1);

        assertThatThrownBy(() -> new Checkpoints(folder)
                        .write(
                                state(2),
                                2,
                                _ -> {
                                    throw new IOException("disk full");
                                },
                                optimizer.state()))
                .hasMessage("disk full");
        assertThat(new Checkpoints(folder).newest()).map(Checkpoint::path).contains(old);
        assertThat(folder.resolve("checkpoints")).isDirectoryNotContaining("glob:**tmp");
    }

    @Test
    void onlyLeftoversOfAKilledRunAreRemoved() throws IOException {
        Path old = write(1);
        Path checkpoints = folder.resolve("checkpoints");
        Path unfinished = Files.createDirectories(checkpoints.resolve("step-000002.tmp/deep"));
        Path doomed = Files.createDirectories(checkpoints.resolve("step-000000.old"));
        Files.writeString(unfinished.resolve("model.safetensors"), "half");
        Path atomic = Files.writeString(folder.resolve("model.safetensors.0123456789abcdef.tmp"), "half");
        Path mine = Files.writeString(folder.resolve("notes.tmp"), "keep");
        Path backup = Files.createDirectories(checkpoints.resolve("backup.old"));

        assertThat(new Checkpoints(folder).newest()).map(Checkpoint::path).contains(old);
        new Checkpoints(folder).prepareFolder();

        assertThat(unfinished.getParent()).doesNotExist();
        assertThat(doomed).doesNotExist();
        assertThat(atomic).doesNotExist();
        assertThat(mine).exists();
        assertThat(backup).exists();
        assertThat(old).exists();
    }
}
