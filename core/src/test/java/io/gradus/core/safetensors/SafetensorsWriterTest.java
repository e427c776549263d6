package io.gradus.core.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Written files can be read; equal content gives equal bytes; a failure keeps the old file. */
class SafetensorsWriterTest {
    private static final Tensor WEIGHT = Tensor.of(new float[] {1, 2, 3, 4, 5, 6}, 2, 3);
    private static final Tensor BIAS = Tensor.of(new float[] {7, 8, 9}, 3);
    private static final Tensor IDS = Tensor.of(new int[] {-1, 5}, 2);

    @TempDir
    private Path folder;

    private Path file;

    @BeforeEach
    void nameTheFile() {
        file = folder.resolve("model.safetensors");
    }

    private static String header(Path file) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        int length = (int) ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong();
        return new String(bytes, 8, length, StandardCharsets.UTF_8);
    }

    @Test
    void writtenTensorsAreReadBack() throws IOException {
        List<NamedTensor> tensors = List.of(
                NamedTensor.of("z.weight", WEIGHT),
                NamedTensor.of("a.bias", BIAS, DType.BF16),
                NamedTensor.of("ids", IDS),
                NamedTensor.of("double", Tensor.of(Device.reference(), new double[] {0.1}, 1)),
                NamedTensor.of("scalar", Tensor.of(new float[] {3})),
                NamedTensor.of("none", Tensor.of(new float[0], 0, 4)),
                NamedTensor.of("\"größe\"\n重み", BIAS, DType.F16));
        SafetensorsWriter.write(file, tensors, Map.of("format", "pt", "note", "ü"));
        try (SafetensorsFile read = SafetensorsFile.open(file)) {
            assertThat(read.names())
                    .isEqualTo(tensors.stream().map(NamedTensor::name).toList());
            assertThat(read.metadata()).isEqualTo(Map.of("format", "pt", "note", "ü"));
            for (NamedTensor written : tensors) {
                Tensor tensor = read.read(written.name(), Device.cpu(), written.dtype(), MemoryCategory.WEIGHTS);
                assertThat(tensor.shape()).isEqualTo(written.shape());
                assertThat(tensor.toDoubles())
                        .containsExactly(written.tensor().get().toDoubles());
            }
        }
    }

    @Test
    void headerHasTheExpectedText() throws IOException {
        SafetensorsWriter.write(
                file,
                List.of(NamedTensor.of("a", BIAS, DType.BF16), NamedTensor.of("b", WEIGHT)),
                Map.of("format", "pt"));
        assertThat(header(file).strip())
                .isEqualTo("{\"__metadata__\":{\"format\":\"pt\"},"
                        + "\"a\":{\"dtype\":\"BF16\",\"shape\":[3],\"data_offsets\":[24,30]},"
                        + "\"b\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]}}");
    }

    @Test
    void elementsAreAligned() throws IOException {
        for (int length = 1; length <= 9; length++) {
            Tensor odd = Tensor.of(new float[3], 3);
            Tensor wide = Tensor.of(Device.reference(), new double[1], 1);
            SafetensorsWriter.write(
                    file,
                    List.of(
                            NamedTensor.of("n".repeat(length), odd, DType.F16),
                            NamedTensor.of("single", odd),
                            NamedTensor.of("double", wide)),
                    Map.of());
            assertThat(header(file).length() % 8).isZero();
            try (SafetensorsFile read = SafetensorsFile.open(file)) {
                assertThat(read.entry("double").begin() % 8).isZero();
                assertThat(read.entry("single").begin() % 4).isZero();
            }
        }
    }

    @Test
    void equalContentGivesEqualBytes() throws IOException {
        List<NamedTensor> tensors = List.of(NamedTensor.of("w", WEIGHT), NamedTensor.of("b", BIAS, DType.F16));
        Map<String, String> oneOrder = new LinkedHashMap<>();
        Map<String, String> otherOrder = new LinkedHashMap<>();
        for (int i = 0; i < 20; i++) {
            oneOrder.put("key" + i, "value");
            otherOrder.put("key" + (19 - i), "value");
        }
        SafetensorsWriter.write(file, tensors, oneOrder);
        byte[] once = Files.readAllBytes(file);
        SafetensorsWriter.write(file, tensors, otherOrder);
        assertThat(Files.readAllBytes(file)).isEqualTo(once);

        Path copy = folder.resolve("copy.safetensors");
        try (SafetensorsFile read = SafetensorsFile.open(file)) {
            List<NamedTensor> again = new ArrayList<>();
            for (Entry entry : read.entries()) {
                DType dtype = DType.valueOf(entry.dtype());
                again.add(new NamedTensor(entry.name(), dtype, entry.shape(), () -> {
                    try {
                        return read.read(entry.name(), Device.cpu(), dtype, MemoryCategory.WORKSPACE);
                    } catch (IOException e) {
                        throw new UncheckedIOException(e);
                    }
                }));
            }
            SafetensorsWriter.write(copy, again, read.metadata());
        }
        assertThat(Files.readAllBytes(copy)).isEqualTo(once);
    }

    @Test
    void suppliersAreCalledOneAtATime() throws IOException {
        List<String> asked = new ArrayList<>();
        List<NamedTensor> tensors = new ArrayList<>();
        for (String name : List.of("a", "b", "c")) {
            tensors.add(new NamedTensor(name, DType.F32, Shape.of(3), () -> {
                asked.add(name);
                return BIAS;
            }));
        }
        SafetensorsWriter.write(file, tensors, Map.of());
        assertThat(asked).containsExactly("a", "b", "c");
    }

    @Test
    void failedWriteKeepsTheOldFile() throws IOException {
        SafetensorsWriter.write(file, List.of(NamedTensor.of("old", WEIGHT)), Map.of());
        byte[] old = Files.readAllBytes(file);
        List<NamedTensor> failing =
                List.of(NamedTensor.of("new", WEIGHT), new NamedTensor("lost", DType.F32, Shape.of(3), () -> {
                    throw new IllegalStateException("the device is gone");
                }));
        assertThatThrownBy(() -> SafetensorsWriter.write(file, failing, Map.of()))
                .hasMessage("the device is gone");
        assertThat(Files.readAllBytes(file)).isEqualTo(old);
        assertThat(RawFile.list(folder)).containsExactly("model.safetensors");
    }

    @Test
    void supplierOfAnotherShapeOrDtypeIsReported() throws IOException {
        NamedTensor broken = new NamedTensor("w", DType.F32, Shape.of(3, 2), () -> WEIGHT);
        assertThatThrownBy(() -> SafetensorsWriter.write(file, List.of(broken), Map.of()))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("tensor 'w' was announced as F32 [3, 2] and is F32 [2, 3]");
        assertThat(RawFile.list(folder)).isEmpty();
    }

    @Test
    void invalidNamesAreRejectedBeforeWriting() throws IOException {
        for (String name : List.of("__metadata__", "\uD800")) {
            assertThatThrownBy(() -> SafetensorsWriter.write(file, List.of(NamedTensor.of(name, WEIGHT)), Map.of()))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("a tensor cannot be called");
        }
        List<NamedTensor> twice = List.of(NamedTensor.of("w", WEIGHT), NamedTensor.of("w", BIAS));
        assertThatThrownBy(() -> SafetensorsWriter.write(file, twice, Map.of()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("two tensors are called 'w'");
        assertThat(RawFile.list(folder)).isEmpty();
    }
}
