package io.gradus.train.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.core.Device;
import io.gradus.core.Scope;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.core.safetensors.NamedTensor;
import io.gradus.core.safetensors.SafetensorsException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The state of a run in one file, or in one file for each process, is the same for whoever reads it. */
class StateFilesTest {
    private static final float[] VALUES = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

    @TempDir
    private Path folder;

    private Path parts = Path.of("");

    /** A tensor of 3 x 5 elements, of which rank 0 has 7, rank 1 none, and rank 2 the rest; and a number, which rank 2 has. */
    @BeforeEach
    void write() throws IOException {
        parts = Files.createDirectory(folder.resolve("parts"));
        Tensor whole = Tensor.of(VALUES, 15);
        StateFiles.write(parts, 0, 3, List.of(new SavedRange("m", Shape.of(3, 5), 0, whole.slice(0, 7))));
        StateFiles.write(parts, 1, 3, List.of());
        StateFiles.write(
                parts,
                2,
                3,
                List.of(
                        new SavedRange("m", Shape.of(3, 5), 7, whole.slice(7, 15)),
                        new SavedRange("n", Shape.of(), 0, Tensor.of(new int[] {42}, 1))));
    }

    @Test
    void filesOfSeveralProcessesHaveTheTensorsOfOne() throws IOException {
        try (Scope _ = Scope.open("test");
                StateFiles files = StateFiles.open(parts, Device.cpu())) {
            assertThat(files.names()).containsExactlyInAnyOrder("m", "n");
            assertThat(files.read("m").shape()).isEqualTo(Shape.of(3, 5));
            assertThat(files.read("m").toFloats()).isEqualTo(VALUES);
            assertThat(files.read("n").shape()).isEqualTo(Shape.of());
            assertThat(files.read("n").toInts()).containsExactly(42);
        }
        assertThat(folder.resolve("parts/optimizer-00003-of-00003.safetensors")).exists();
    }

    @Test
    void anyRangeIsReadFromTheFilesThatHaveIt() throws IOException {
        Path one = Files.createDirectory(folder.resolve("one"));
        StateFiles.write(one, List.of(NamedTensor.of("m", Tensor.of(VALUES, 3, 5))));
        for (Path each : List.of(parts, one)) {
            try (Scope _ = Scope.open("test");
                    StateFiles files = StateFiles.open(each, Device.cpu())) {
                for (int from = 0; from <= 15; from++) {
                    for (int to = from; to <= 15; to++) {
                        List<Float> expected = new ArrayList<>();
                        for (int i = from; i < to; i++) {
                            expected.add(VALUES[i]);
                        }
                        Tensor read = files.read("m", from, to);
                        assertThat(read.toFloats()).hasSize(to - from);
                        for (int i = 0; i < to - from; i++) {
                            assertThat(read.toFloats()[i]).isEqualTo(expected.get(i));
                        }
                    }
                }
            }
        }
    }

    @Test
    void missingFileIsNamed() throws IOException {
        Files.delete(parts.resolve("optimizer-00002-of-00003.safetensors"));
        assertThatThrownBy(() -> StateFiles.open(parts, Device.cpu()))
                .hasMessageContaining(
                        "optimizer-00002-of-00003.safetensors is missing: the checkpoint has 3 such files");
        assertThatThrownBy(() -> StateFiles.open(folder, Device.cpu()))
                .hasMessageContaining("optimizer.safetensors")
                .hasMessageContaining("there is no such file");
    }

    @Test
    void tornFileIsNamed() throws IOException {
        Path torn = parts.resolve("optimizer-00003-of-00003.safetensors");
        byte[] bytes = Files.readAllBytes(torn);
        Files.write(torn, Arrays.copyOf(bytes, bytes.length - 1));
        assertThatThrownBy(() -> StateFiles.open(parts, Device.cpu()))
                .isInstanceOf(SafetensorsException.class)
                .hasMessageContaining(torn.toString());
    }

    @Test
    void filesOfDifferentCheckpointsAreRejected() throws IOException {
        Tensor other = Tensor.of(new float[] {1, 2, 3, 4, 5}, 5);
        StateFiles.write(parts, 0, 3, List.of(new SavedRange("m", Shape.of(3, 5), 0, other)));
        assertThatThrownBy(() -> StateFiles.open(parts, Device.cpu()))
                .hasMessageContaining("optimizer-00003-of-00003.safetensors: its range of 'm' does not follow");
        StateFiles.write(parts, 0, 2, List.of());
        assertThatThrownBy(() -> StateFiles.open(parts, Device.cpu())).hasMessageContaining("it is damaged");
    }
}
