package io.gradus.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.autograd.Variable;
import io.gradus.core.Device;
import io.gradus.core.Tensor;
import io.gradus.optim.Optimizer;
import io.gradus.optim.ParameterGroup;
import io.gradus.optim.Sgd;
import io.gradus.train.Checkpoints.Checkpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A checkpoint has its name only when it is whole; what was left half-done is neither read nor kept. */
class CheckpointsTest {
    private static final Recipe RECIPE = Recipe.parse("keep_checkpoints: 2");

    @TempDir
    private Path folder;

    private final Optimizer optimizer = new Sgd(
            List.of(new ParameterGroup(
                    "all", List.of(Variable.parameter("w", Tensor.of(Device.cpu(1), new float[] {1, 2}, 2))))),
            0.1,
            new Sgd.Settings(0.9, 0, false));

    private Path write(int step) throws IOException {
        return new Checkpoints(folder)
                .write(
                        step,
                        RECIPE,
                        Map.of("held_out", 1.0 / 3),
                        to -> Files.writeString(to.resolve("m"), "x"),
                        optimizer);
    }

    @Test
    void theNewestIsFoundWithAllThatItSays() throws IOException {
        Checkpoints checkpoints = new Checkpoints(folder);
        assertThat(checkpoints.newest()).isEmpty();
        write(9);
        Path path = write(1_000_001);

        assertThat(checkpoints.newest())
                .contains(new Checkpoint(path, 1_000_001, RECIPE.toMap(), Map.of("held_out", 1.0 / 3)));
    }

    @Test
    void onlyTheNewestStay() throws IOException {
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
    void aFailureWhileWritingLeavesTheOldOne() throws IOException {
        Path old = write(1);

        assertThatThrownBy(() -> new Checkpoints(folder)
                        .write(
                                2,
                                RECIPE,
                                Map.of(),
                                _ -> {
                                    throw new IOException("disk full");
                                },
                                optimizer))
                .hasMessage("disk full");
        assertThat(new Checkpoints(folder).newest()).map(Checkpoint::path).contains(old);
    }

    @Test
    void whatAKilledRunLeftIsRemovedAndNothingElse() throws IOException {
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
