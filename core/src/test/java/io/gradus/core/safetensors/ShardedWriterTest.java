package io.gradus.core.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.core.DType;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A sharded checkpoint is complete at any moment: the old one until the last step, then the new one. */
class ShardedWriterTest {
    private static final int TENSORS = 6;

    @TempDir
    private Path folder;

    /** Six tensors of 40 bytes with one value. */
    private static List<NamedTensor> tensors(float value) {
        List<NamedTensor> tensors = new ArrayList<>();
        for (int i = 0; i < TENSORS; i++) {
            float[] elements = new float[10];
            Arrays.fill(elements, value);
            tensors.add(NamedTensor.of("layer." + i, Tensor.of(elements, 2, 5)));
        }
        return tensors;
    }

    private static void write(Path folder, float value, long maxShardBytes) throws IOException {
        SafetensorsWriter.writeCheckpoint(folder, tensors(value), Map.of("format", "pt"), maxShardBytes);
    }

    /** The value of all tensors of a checkpoint; fails if they differ. */
    private static double value(Path folder) throws IOException {
        try (SafetensorsCheckpoint checkpoint = SafetensorsCheckpoint.open(folder)) {
            assertThat(checkpoint.names()).hasSize(TENSORS);
            Set<Double> values = new HashSet<>();
            for (double[] tensor : RawFile.readAll(checkpoint)) {
                for (double element : tensor) {
                    values.add(element);
                }
            }
            assertThat(values).hasSize(1);
            return values.iterator().next();
        }
    }

    @Test
    void smallCheckpointIsOneFile() throws IOException {
        write(folder, 1, 240);
        assertThat(RawFile.list(folder)).containsExactly("model.safetensors");
        assertThat(value(folder)).isEqualTo(1);
    }

    @Test
    void largeCheckpointHasShardsAndIndex() throws IOException {
        write(folder, 2, 100);
        assertThat(RawFile.list(folder))
                .containsExactly(
                        "model-00001-of-00003.safetensors",
                        "model-00002-of-00003.safetensors",
                        "model-00003-of-00003.safetensors",
                        "model.safetensors.index.json");
        assertThat(folder.resolve("model.safetensors.index.json"))
                .content()
                .startsWith("{\n  \"metadata\" : {\n    \"total_size\" : 240\n  },\n  \"weight_map\" : {\n")
                .contains("\"layer.2\" : \"model-00002-of-00003.safetensors\"");
        assertThat(value(folder)).isEqualTo(2);
        try (SafetensorsCheckpoint checkpoint = SafetensorsCheckpoint.open(folder)) {
            assertThat(checkpoint.names())
                    .containsExactly("layer.0", "layer.1", "layer.2", "layer.3", "layer.4", "layer.5");
            assertThat(checkpoint.metadata()).containsEntry("format", "pt");
        }
    }

    @Test
    void tensorLargerThanAShardHasItsOwnShard() throws IOException {
        write(folder, 3, 1);
        assertThat(RawFile.list(folder)).hasSize(TENSORS + 1);
        assertThat(value(folder)).isEqualTo(3);
    }

    @Test
    void equalCheckpointsGiveEqualBytes(@TempDir Path other) throws IOException {
        write(folder, 2, 100);
        write(other, 2, 100);
        for (String name : RawFile.list(folder)) {
            assertThat(other.resolve(name)).hasSameBinaryContentAs(folder.resolve(name));
        }
    }

    @Test
    void writingReplacesCheckpointOfTheOtherForm() throws IOException {
        Files.writeString(folder.resolve("config.json"), "{}");
        float value = 0;
        for (long maxShardBytes : new long[] {100, 100, 240, 100, 50, 100, 240, 240}) {
            write(folder, ++value, maxShardBytes);
            assertThat(value(folder)).isEqualTo(value);
            long shards = maxShardBytes == 240 ? 1 : maxShardBytes == 100 ? 3 + 1 : TENSORS + 1;
            assertThat(RawFile.list(folder)).hasSize((int) shards + 1).contains("config.json");
        }
    }

    @Test
    void oldCheckpointIsReadableDuringWrite() throws IOException {
        for (long before : new long[] {240, 100}) {
            write(folder, 1, before);
            for (long after : new long[] {240, 100}) {
                List<NamedTensor> watching = new ArrayList<>();
                List<Double> seen = new ArrayList<>();
                for (NamedTensor tensor : tensors(1)) {
                    watching.add(new NamedTensor(tensor.name(), DType.F32, Shape.of(2, 5), () -> {
                        try {
                            seen.add(value(folder));
                        } catch (IOException e) {
                            throw new AssertionError(e);
                        }
                        return tensor.tensor().get();
                    }));
                }
                SafetensorsWriter.writeCheckpoint(folder, watching, Map.of(), after);
                assertThat(seen).hasSize(TENSORS).containsOnly(1.0);
            }
        }
    }

    @Test
    void failedWriteKeepsTheOldCheckpoint() throws IOException {
        for (long before : new long[] {240, 100}) {
            write(folder, 1, before);
            List<String> files = RawFile.list(folder);
            List<NamedTensor> failing = new ArrayList<>(tensors(2));
            failing.set(3, new NamedTensor("lost", DType.F32, Shape.of(2, 5), () -> {
                throw new IllegalStateException("the device is gone");
            }));
            for (long after : new long[] {240, 100}) {
                assertThatThrownBy(() -> SafetensorsWriter.writeCheckpoint(folder, failing, Map.of(), after))
                        .hasMessage("the device is gone");
                assertThat(RawFile.list(folder)).isEqualTo(files);
                assertThat(value(folder)).isEqualTo(1);
            }
        }
    }

    @Test
    void duplicateNameAcrossShardsIsRejected() {
        List<NamedTensor> twice = new ArrayList<>(tensors(1));
        twice.addAll(tensors(2));
        assertThatThrownBy(() -> SafetensorsWriter.writeCheckpoint(folder, twice, Map.of(), 100))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("two tensors are called 'layer.0'");
        assertThatThrownBy(() -> SafetensorsWriter.writeCheckpoint(folder, tensors(1), Map.of(), 0))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void killedWriterLeavesACompleteCheckpoint() throws Exception {
        write(folder, 0, 240);
        SplittableRandom random = new SplittableRandom(7);
        double reached = 0;
        for (int kill = 0; kill < 5; kill++) {
            Process writer = new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "java")
                                    .toString(),
                            "-Xmx64m",
                            "-cp",
                            System.getProperty("java.class.path"),
                            Endless.class.getName(),
                            folder.toString(),
                            Integer.toString((int) reached + 1))
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            try {
                double before = reached;
                long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
                while (peek() <= before) {
                    assertThat(writer.isAlive() && System.nanoTime() < deadline)
                            .as("the writer is running")
                            .isTrue();
                    Thread.sleep(10);
                }
                Thread.sleep(random.nextInt(100));
            } finally {
                writer.destroyForcibly().waitFor();
            }
            double now = value(folder);
            assertThat(now).isGreaterThan(reached);
            reached = now;
        }
        write(folder, -1, 100);
        assertThat(value(folder)).isEqualTo(-1);
    }

    /** The current value, or −1 if the checkpoint changes between opening its index and its shards. */
    private double peek() {
        try (SafetensorsCheckpoint checkpoint = SafetensorsCheckpoint.open(folder)) {
            return RawFile.readAll(checkpoint).getFirst()[0];
        } catch (IOException e) {
            return -1;
        }
    }

    /** Overwrites the checkpoint until it is killed. */
    static final class Endless {
        private static final long[] SIZES = {100, 50, 240, 100, 100};

        private Endless() {}

        public static void main(String[] arguments) throws IOException {
            Path folder = Path.of(arguments[0]);
            for (int i = Integer.parseInt(arguments[1]); ; i++) {
                write(folder, i, SIZES[i % SIZES.length]);
            }
        }
    }
}
