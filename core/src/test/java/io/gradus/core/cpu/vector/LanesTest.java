package io.gradus.core.cpu.vector;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.AdamStep;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordedMethod;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which memory vectors are loaded from, and that the JIT compiler keeps the loops that load them. */
final class LanesTest {
    @Test
    void memoryOfOneThreadIsRejected() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment memory = arena.allocate(256, 64);
            assertThatThrownBy(() -> Lanes.load(memory, 0))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("that all threads may access");
        }
    }

    @Test
    void arrayIsRejected() {
        MemorySegment memory = MemorySegment.ofArray(new float[64]);
        assertThatThrownBy(() -> Lanes.load(memory, 0)).isInstanceOf(IllegalArgumentException.class);
    }

    /** In a JVM of its own, because what the compiler does depends on what ran before. */
    @Test
    void loopStaysCompiledAfterOtherCodeHasReadMemoryOfOneThread(@TempDir Path folder)
            throws IOException, InterruptedException {
        Path recording = folder.resolve("traps.jfr");
        Path log = folder.resolve("log.txt");
        Process program = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--add-modules=jdk.incubator.vector",
                        "-XX:+UseSerialGC",
                        "-cp",
                        System.getProperty("java.class.path"),
                        LongLoops.class.getName(),
                        recording.toString())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        assertThat(program.waitFor()).as(() -> read(log)).isZero();

        List<String> traps = RecordingFile.readAllEvents(recording).stream()
                .filter(event -> method(event).contains("OptimizerSteps"))
                .map(event -> event.getString("reason"))
                .toList();
        assertThat(traps).doesNotContain("profile_predicate");
    }

    private static String method(RecordedEvent event) {
        return event.<RecordedMethod>getValue("method").getType().getName();
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            return e.toString();
        }
    }

    /** Reads confined memory, and then takes steps of Adam, whose loops are the longest. Records what the compiler discards. */
    static final class LongLoops {
        private LongLoops() {}

        public static void main(String[] args) throws IOException {
            try (Recording recording = new Recording()) {
                recording.enable("jdk.Deoptimization");
                recording.start();
                float sum = 0;
                try (Arena arena = Arena.ofConfined()) {
                    MemorySegment memory = arena.allocate(4096, 64);
                    for (int i = 0; i < 5000; i++) {
                        sum += memory.get(ValueLayout.JAVA_FLOAT, i % 1000 * 4);
                    }
                }
                Device device = Device.cpu(1);
                Tensor[] tensors = Stream.generate(
                                () -> Tensor.full(device, DType.F32, Shape.of(1 << 20), 0.5, MemoryCategory.WEIGHTS))
                        .limit(4)
                        .toArray(Tensor[]::new);
                for (int step = 1; step <= 30; step++) {
                    device.kernels()
                            .optimizerSteps()
                            .adam(
                                    tensors[0],
                                    tensors[1],
                                    tensors[2],
                                    tensors[3],
                                    new AdamStep(1e-3, 0.9, 0.999, 1e-8, 0.01, true, 1, step));
                }
                recording.dump(Path.of(args[0]));
                System.out.println(sum);
            }
        }
    }
}
