package io.gradus.train.delta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.gradus.core.DType;
import io.gradus.core.safetensors.SafetensorsFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A delta says what moved, reads back as it was made, and its file is one that any program can use. */
class DeltaTest {
    @TempDir
    private Path folder;

    private Path base = Path.of("");
    private Path tuned = Path.of("");
    private Path file = Path.of("");

    @BeforeEach
    void write() throws IOException {
        base = new TestModel()
                .with("model.layers.10.w.weight", DType.F32, 3, 4)
                .with("model.layers.2.w.weight", DType.F32, 1, 1)
                .with("model.embed_tokens.weight", DType.F32, 0, 1e9f)
                .write(folder.resolve("base"));
        tuned = new TestModel()
                .with("model.layers.10.w.weight", DType.F32, 3, 4 + 1f / 1024)
                .with("model.layers.2.w.weight", DType.F32, 1, 1)
                .with("model.embed_tokens.weight", DType.F32, 5, 1e9f)
                .write(folder.resolve("tuned"));
        file = folder.resolve("delta.safetensors");
    }

    @Test
    void deltaFileHasTheDifferencesOfChangedTensors() throws IOException {
        Delta.diff(base, tuned, file);

        try (SafetensorsFile opened = SafetensorsFile.open(file)) {
            assertThat(opened.names()).containsExactly("model.layers.10.w.weight", "model.embed_tokens.weight");
            assertThat(opened.metadata())
                    .containsEntry("format", "gradus-delta")
                    .containsEntry("format_version", "1")
                    .containsEntry("dtype", "F32")
                    .containsEntry("base.name", "base")
                    .containsEntry("tuned.name", "tuned");
            assertThat(opened.metadata().get("base.sha256")).matches("[0-9a-f]{64}");
        }
        assertThat(TestModel.floats(file, "model.layers.10.w.weight")).containsExactly(0, 1f / 1024);
        assertThat(TestModel.floats(file, "model.embed_tokens.weight")).containsExactly(5, 0);
    }

    @Test
    void deltaIsReadBack() throws IOException {
        Delta made = Delta.diff(base, tuned, file);

        assertThat(Delta.read(file)).isEqualTo(made);
    }

    @Test
    void deltaHasStatisticsByTensorLayerAndModel() throws IOException {
        Delta delta = Delta.diff(base, tuned, file);

        assertThat(delta.byTensor().sequencedKeySet())
                .containsExactly("model.embed_tokens.weight", "model.layers.2.w.weight", "model.layers.10.w.weight");
        assertThat(delta.byLayer().sequencedKeySet()).containsExactly("embed_tokens", "layers.2", "layers.10");
        Change last = delta.byLayer().lastEntry().getValue();
        assertThat(last.norm()).isEqualTo(1.0 / 1024);
        assertThat(last.relativeNorm()).isCloseTo(1.0 / 1024 / 5, within(1e-18));
        assertThat(last.changed()).isEqualTo(1);
        assertThat(last.changedBf16()).as("4 + 1/1024 in BF16 is 4").isZero();
        assertThat(delta.byLayer().get("layers.2")).isEqualTo(new Change(2, 0, 0, 0, 2, 0));
        assertThat(delta.total().numbers()).isEqualTo(6);
        assertThat(delta.total().changed()).isEqualTo(2);
        assertThat(delta.total().changedBf16()).isEqualTo(1);
        assertThat(delta.total().largest()).isEqualTo(5);
        assertThat(delta.total().norm()).isCloseTo(Math.hypot(5, 1.0 / 1024), within(1e-12));
        assertThat(delta.dtypes()).isEqualTo("F32");
    }

    @Test
    void modelHashIsIndependentOfShards() throws IOException {
        Path sharded = new TestModel()
                .with("model.embed_tokens.weight", DType.F32, 0, 1e9f)
                .with("model.layers.10.w.weight", DType.F32, 3, 4)
                .with("model.layers.2.w.weight", DType.F32, 1, 1)
                .shards(8)
                .write(folder.resolve("sharded"));

        String whole = Delta.diff(base, tuned, file).base().sha256();
        assertThat(Delta.diff(sharded, tuned, file).base().sha256()).isEqualTo(whole);
        assertThat(Delta.diff(tuned, base, file).base().sha256()).isNotEqualTo(whole);
    }

    @Test
    void deltaOfEqualModelsIsEmpty() throws IOException {
        Delta delta = Delta.diff(base, base, file);

        assertThat(delta.total().changed()).isZero();
        assertThat(TestModel.bits(file)).isEmpty();
        Path again = folder.resolve("again");
        DeltaSum.of(base).plus(file, 1).write(again);
        assertThat(TestModel.bits(again)).isEqualTo(TestModel.bits(base));
    }

    @Test
    void deltaNeverOverwritesAModel() throws IOException {
        Path weights = base.resolve("model.safetensors");
        byte[] before = Files.readAllBytes(weights);

        assertThatThrownBy(() -> Delta.diff(base, tuned, weights))
                .isInstanceOf(IOException.class)
                .hasMessage(weights + " exists and is not a delta; name another file, or delete it");
        assertThat(weights).hasBinaryContent(before);
        Delta.diff(base, tuned, file);
        Delta.diff(base, base, file);
        assertThat(Delta.read(file).total().changed()).as("a delta is replaced").isZero();
    }

    @Test
    void deltaOfDifferentArchitecturesWritesNothing() throws IOException {
        Path other = new TestModel().with("w", DType.F32, 1).write(folder.resolve("other"));

        assertThatThrownBy(() -> Delta.diff(base, other, file)).hasMessageContaining("it lacks");
        assertThatThrownBy(() -> Delta.diff(base, folder.resolve("nowhere"), file))
                .hasMessageContaining("nowhere");
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files.map(Path::getFileName).map(Path::toString))
                    .containsExactlyInAnyOrder("base", "tuned", "other");
        }
    }
}
