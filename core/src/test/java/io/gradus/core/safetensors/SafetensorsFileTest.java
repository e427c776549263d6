package io.gradus.core.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A file from the Python library is read; corrupted files are read or rejected. */
class SafetensorsFileTest {
    private static final String JSON_CHARACTERS = "{}[]\",:0123456789-eE\\ \0";

    @TempDir
    private Path folder;

    private Path fixture() throws IOException {
        Path file = folder.resolve("python.safetensors");
        try (InputStream input = SafetensorsFileTest.class.getResourceAsStream("python.safetensors")) {
            assertThat(input).isNotNull();
            Files.write(file, input.readAllBytes());
        }
        return file;
    }

    private static Tensor read(SafetensorsFile file, String name, DType wanted) throws IOException {
        return file.read(name, Device.cpu(), wanted, MemoryCategory.WEIGHTS);
    }

    @Test
    void fileFromThePythonLibraryIsRead() throws IOException {
        try (SafetensorsFile file = SafetensorsFile.open(fixture())) {
            assertThat(file.names()).hasSize(15);
            assertThat(file.metadata()).isEqualTo(Map.of("format", "pt", "note", "naïve"));
            assertThat(read(file, "f32", DType.F32).toFloats())
                    .containsExactly(0f, -1.5f, 3.25f, 1e-40f, 3.4e38f, Float.NEGATIVE_INFINITY);
            assertThat(read(file, "f32", DType.F32).shape()).isEqualTo(Shape.of(2, 3));
            assertThat(read(file, "f16", DType.F32).toFloats()).containsExactly(1f, -2.5f, 65504f);
            assertThat(read(file, "bf16", DType.F32).toFloats())
                    .containsExactly(1f, -2.5f, Float.intBitsToFloat(0x7F62_0000)); // 3e38 to the nearest bfloat16
            assertThat(read(file, "f64", DType.F32).toFloats()).containsExactly(0.1f, -1e-3f);
            assertThat(read(file, "f64", DType.F64).toDoubles()).containsExactly(0.1, -1e-3);
            assertThat(read(file, "i64", DType.I32).toInts()).containsExactly(Integer.MAX_VALUE, Integer.MIN_VALUE, 7);
            assertThat(read(file, "i32", DType.I32).toInts()).containsExactly(Integer.MAX_VALUE, Integer.MIN_VALUE);
            assertThat(read(file, "i16", DType.I32).toInts()).containsExactly(32767, -32768);
            assertThat(read(file, "i8", DType.I32).toInts()).containsExactly(127, -128);
            assertThat(read(file, "u8", DType.I32).toInts()).containsExactly(0, 255);
            assertThat(read(file, "bool", DType.I32).toInts()).containsExactly(1, 0, 1);
            assertThat(read(file, "scalar", DType.F32).item()).isEqualTo(42);
            assertThat(read(file, "scalar", DType.F32).shape()).isEqualTo(Shape.scalar());
            assertThat(read(file, "empty", DType.F32).shape()).isEqualTo(Shape.of(0, 3));
            assertThat(read(file, "empty", DType.BF16).toFloats()).isEmpty();
            assertThat(read(file, "größe.重み", DType.F32).toFloats()).containsExactly(8);
            assertThat(file.entry("f8").dtype()).isEqualTo("F8_E4M3");
            assertThatThrownBy(() -> read(file, "i64.large", DType.I32)).hasMessageContaining("2147483648");
        }
    }

    @Test
    void readTensorHasNameAndCategory() throws IOException {
        try (SafetensorsFile file = SafetensorsFile.open(fixture())) {
            Tensor tensor = file.read("f32", Device.cpu(), DType.F32, MemoryCategory.OPTIMIZER_STATE);
            assertThat(tensor.name()).isEqualTo("f32");
            assertThat(tensor.storage().category()).isEqualTo(MemoryCategory.OPTIMIZER_STATE);
        }
    }

    @Test
    void tensorsRemainValidAfterClose() throws IOException {
        Path path = fixture();
        SafetensorsFile file = SafetensorsFile.open(path);
        Tensor tensor = read(file, "f16", DType.F16);
        file.close();
        file.close();
        Files.delete(path);
        assertThat(tensor.toFloats()).containsExactly(1f, -2.5f, 65504f);
        assertThatThrownBy(() -> read(file, "f16", DType.F16))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("was closed");
    }

    @Test
    void missingNameIsReportedWithExistingNames() throws IOException {
        try (SafetensorsFile file = SafetensorsFile.open(fixture())) {
            assertThatThrownBy(() -> read(file, "nothing", DType.F32))
                    .isInstanceOf(SafetensorsException.class)
                    .hasMessageMatching(".*has no tensor 'nothing'; it has .+, .+, .+ and 12 more");
        }
    }

    @Test
    void pathThatIsNotAFileIsRejected() {
        assertThat(RawFile.refusal(folder.resolve("nowhere.safetensors"))).contains("there is no such file");
        assertThatThrownBy(() -> SafetensorsFile.open(folder))
                .isInstanceOf(SafetensorsException.class)
                .hasMessageContaining("it is not a file");
    }

    @Test
    void corruptedFilesAreReadOrRejected() throws IOException {
        byte[] sound = Files.readAllBytes(fixture());
        int header = 8 + (sound[0] & 0xFF) + ((sound[1] & 0xFF) << 8);
        SplittableRandom random = new SplittableRandom(20250701);
        Path file = folder.resolve("changed.safetensors");
        int opened = 0;
        int refused = 0;
        for (int trial = 0; trial < 2000; trial++) {
            byte[] bytes = sound.clone();
            for (int change = random.nextInt(1, 4); change > 0; change--) {
                int place = trial % 4 == 0 ? random.nextInt(header, bytes.length) : random.nextInt(header);
                bytes[place] = switch (random.nextInt(3)) {
                    case 0 -> (byte) (bytes[place] ^ 1 << random.nextInt(8));
                    case 1 -> (byte) random.nextInt(256);
                    default -> (byte) JSON_CHARACTERS.charAt(random.nextInt(JSON_CHARACTERS.length()));
                };
            }
            Files.write(file, bytes);
            try (SafetensorsFile changed = SafetensorsFile.open(file)) {
                opened++;
                readEverything(changed);
            } catch (SafetensorsException e) {
                assertThat(e).hasMessageStartingWith(file.toString());
                refused++;
            }
        }
        assertThat(opened).isGreaterThan(100);
        assertThat(refused).isGreaterThan(500);
    }

    /** Reads each tensor as a float and as an integer; at least one of the two fails. */
    private static void readEverything(SafetensorsFile file) throws IOException {
        for (String name : file.names()) {
            for (DType wanted : List.of(DType.F32, DType.I32)) {
                try {
                    assertThat(read(file, name, wanted).size())
                            .isEqualTo(file.entry(name).shape().size());
                } catch (SafetensorsException e) {
                    assertThat(e).hasMessageContaining(StrictJson.shorten(name));
                }
            }
        }
    }

    @Test
    void bytesReturnsRawElements() throws IOException {
        try (SafetensorsFile file = SafetensorsFile.open(fixture())) {
            byte[] f16 = new byte[6];
            file.bytes("f16").read(0, MemorySegment.ofArray(f16));
            assertThat(f16).containsExactly(new int[] {0x00, 0x3C, 0x00, 0xC1, 0xFF, 0x7B}); // 1, -2.5, 65504
            byte[] last = new byte[2];
            file.bytes("f16").read(4, MemorySegment.ofArray(last));
            assertThat(last).containsExactly(new int[] {0xFF, 0x7B});
            assertThat(file.bytes("i64").size()).isEqualTo(24);
            assertThat(file.bytes("f16").hasSameBytes(file.bytes("f16"))).isTrue();
            assertThat(file.bytes("f16").hasSameBytes(file.bytes("f32"))).isFalse();
            assertThatThrownBy(() -> file.bytes("f16").read(5, MemorySegment.ofArray(last)))
                    .isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(() -> file.bytes("none"))
                    .isInstanceOf(SafetensorsException.class)
                    .hasMessageContaining("it has no tensor 'none'");
        }
    }

    @Test
    void fileThatIsShortenedWhileItIsOpenIsReportedByName() throws IOException {
        Path path = folder.resolve("model.safetensors");
        Tensor large = Tensor.of(new float[3_000_000], 3_000_000);
        SafetensorsWriter.write(path, List.of(NamedTensor.of("first", large), NamedTensor.of("last", large)), Map.of());
        try (SafetensorsFile file = SafetensorsFile.open(path)) {
            try (FileChannel channel = FileChannel.open(path, StandardOpenOption.WRITE)) {
                channel.truncate(14_000_000);
            }
            assertThat(read(file, "first", DType.F32).size()).isEqualTo(3_000_000);
            for (DType wanted : List.of(DType.F32, DType.BF16)) {
                assertThatThrownBy(() -> read(file, "last", wanted))
                        .isInstanceOf(SafetensorsException.class)
                        .hasMessageStartingWith(path + ": it was shortened while it was read: it now ends at 14000000");
            }
            FileRange last = file.bytes("last");
            assertThatThrownBy(() -> last.hasSameBytes(file.bytes("first"))).hasMessageContaining("it was shortened");
        }
    }

    @Test
    void fileThatIsDeletedOrReplacedWhileItIsOpenCanStillBeRead() throws IOException {
        Path path = folder.resolve("model.safetensors");
        SafetensorsWriter.write(path, List.of(NamedTensor.of("w", Tensor.of(new float[] {1, 2}, 2))), Map.of());
        try (SafetensorsFile file = SafetensorsFile.open(path)) {
            SafetensorsWriter.write(path, List.of(NamedTensor.of("w", Tensor.of(new float[] {3}, 1))), Map.of());
            assertThat(read(file, "w", DType.F32).toFloats()).containsExactly(1, 2);
            Files.delete(path);
            assertThat(read(file, "w", DType.F32).toFloats()).containsExactly(1, 2);
        }
    }

    @Test
    void interruptWhileReadingIsReportedWithTheFile() throws IOException {
        Path path = fixture();
        try (SafetensorsFile file = SafetensorsFile.open(path)) {
            Thread.currentThread().interrupt();
            assertThatThrownBy(() -> read(file, "f16", DType.F16))
                    .isInstanceOf(InterruptedIOException.class)
                    .hasMessage(path + ": reading was interrupted");
            assertThat(Thread.interrupted()).isTrue();
        }
    }
}
