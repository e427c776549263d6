package io.gradus.train.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.autograd.Variable;
import io.gradus.core.Device;
import io.gradus.core.Tensor;
import io.gradus.core.safetensors.NamedTensor;
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
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

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
                null,
                Recipe.defaults().toMap(),
                Map.of("optimizer", "AdamW"),
                Inputs.UNKNOWN,
                Map.of("held_out", 1.0 / 3),
                new SpikeGuard.State(List.of(1.0 / 3, 2.0), 1, 4),
                new EarlyStopping.State(2, 0.1, 3),
                null);
    }

    private Path write(int step) throws IOException {
        return new Checkpoints(folder)
                .write(
                        state(step),
                        2,
                        to -> Files.writeString(to.resolve("m"), "x"),
                        to -> StateFiles.write(to, named(optimizer)));
    }

    @Test
    void newestCheckpointIsFoundWithItsState() throws IOException {
        Checkpoints checkpoints = new Checkpoints(folder);
        assertThat(checkpoints.newest()).isEmpty();
        write(9);
        Path path = write(1_000_001);

        assertThat(checkpoints.newest()).contains(new Checkpoint(path, state(1_000_001)));
    }

    /** Versions that formatted in the user's locale wrote the digits of Egypt, of Iran, or of India. */
    @ParameterizedTest
    @ValueSource(strings = {"step-٠٠٠٠٠٩", "step-۰۰۰۰۰۹", "step-०००००९"})
    void checkpointWithDigitsOfAnotherScriptIsFoundAndReplaced(String name) throws IOException {
        Files.move(write(9), folder.resolve("checkpoints").resolve(name));

        assertThat(new Checkpoints(folder).newest())
                .contains(new Checkpoint(folder.resolve("checkpoints").resolve(name), state(9)));
        write(10);
        write(11);
        assertThat(folder.resolve("checkpoints")).isDirectoryNotContaining("glob:**" + name);
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
    void failedWriteKeepsTheOldCheckpoint() throws IOException {
        Path old = write(1);

        assertThatThrownBy(() -> new Checkpoints(folder)
                        .write(
                                state(2),
                                2,
                                _ -> {
                                    throw new IOException("disk full");
                                },
                                to -> StateFiles.write(to, named(optimizer))))
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

    private static List<NamedTensor> named(Optimizer optimizer) {
        return optimizer.state().entrySet().stream()
                .map(each -> NamedTensor.of(each.getKey(), each.getValue()))
                .toList();
    }
}
