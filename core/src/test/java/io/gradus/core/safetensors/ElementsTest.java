package io.gradus.core.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Conversions keep values, or the tensor is rejected. */
class ElementsTest {
    @TempDir
    private Path folder;

    private Path file;

    @BeforeEach
    void nameTheFile() {
        file = folder.resolve("model.safetensors");
    }

    private Tensor read(String dtype, ByteBuffer data, int count, DType wanted) throws IOException {
        Files.write(
                file,
                RawFile.bytes(
                        "{" + RawFile.tensor("t", dtype, "[" + count + "]", 0, data.capacity()) + "}", data.array()));
        return read(wanted);
    }

    private Tensor read(DType wanted) throws IOException {
        try (SafetensorsFile opened = SafetensorsFile.open(file)) {
            return opened.read("t", Device.cpu(), wanted, MemoryCategory.WEIGHTS);
        }
    }

    private static ByteBuffer bytes(int count) {
        return ByteBuffer.allocate(count).order(ByteOrder.LITTLE_ENDIAN);
    }

    @ParameterizedTest
    @EnumSource(
            value = DType.class,
            names = {"F32", "BF16", "F16", "F64"})
    void floatsConvertBetweenAllFloatDtypes(DType stored) throws IOException {
        double[] values = {
            0, -0.0, 1, -2.5, 0.09375, 384, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, Double.NaN
        };
        Tensor tensor = Tensor.of(Device.reference(), values, values.length);
        SafetensorsWriter.write(file, List.of(NamedTensor.of("t", tensor, stored)), Map.of());
        for (DType wanted : List.of(DType.F32, DType.BF16, DType.F16, DType.F64)) {
            Tensor read = read(wanted);
            assertThat(read.dtype()).isEqualTo(wanted);
            assertThat(read.toDoubles()).as("%s as %s", stored, wanted).containsExactly(values);
        }
    }

    @Test
    void bfloat16RoundsToNearestTiesToEven() throws IOException {
        float halfStep = 1 + 0x1p-8f; // between two neighbors of bfloat16, the lower one even
        Tensor tensor = Tensor.of(new float[] {halfStep, Math.nextUp(halfStep)}, 2);
        SafetensorsWriter.write(file, List.of(NamedTensor.of("t", tensor, DType.BF16)), Map.of());
        assertThat(read(DType.F32).toFloats()).containsExactly(1f, 1 + 0x1p-7f);
    }

    @Test
    void longTensorsAreConverted() throws IOException {
        int count = (1 << 19) + 13;
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = i % 251 - 100;
        }
        NamedTensor half = NamedTensor.of("t", Tensor.of(values, count), DType.F16);
        SafetensorsWriter.write(file, List.of(half), Map.of());
        assertThat(Files.size(file)).isLessThan(2L * count + 200);
        assertThat(read(DType.F32).toFloats()).isEqualTo(values);
    }

    @Test
    void integersOfEveryWidthBecomeI32() throws IOException {
        assertThat(read("I64", bytes(16).putLong(Integer.MAX_VALUE).putLong(Integer.MIN_VALUE), 2, DType.I32)
                        .toInts())
                .containsExactly(Integer.MAX_VALUE, Integer.MIN_VALUE);
        assertThat(read("I32", bytes(8).putInt(7).putInt(-7), 2, DType.I32).toInts())
                .containsExactly(7, -7);
        assertThat(read("I16", bytes(4).putShort((short) -300).putShort((short) 300), 2, DType.I32)
                        .toInts())
                .containsExactly(-300, 300);
        assertThat(read("I8", bytes(2).put((byte) -1).put((byte) 127), 2, DType.I32)
                        .toInts())
                .containsExactly(-1, 127);
        assertThat(read("U8", bytes(2).put((byte) -1).put((byte) 127), 2, DType.I32)
                        .toInts())
                .containsExactly(255, 127);
        assertThat(read("BOOL", bytes(2).put((byte) 1), 2, DType.I32).toInts()).containsExactly(1, 0);
    }

    @Test
    void u8IsReadAsU8OrI32() throws IOException {
        byte[] elements = {0, 1, 127, -128, -1};
        for (Device device : List.of(Device.cpu(), Device.reference())) {
            Tensor codes = Tensor.of(device, elements, 5);
            SafetensorsWriter.write(file, List.of(NamedTensor.of("t", codes)), Map.of());
            assertThat(read(DType.U8).dtype()).isEqualTo(DType.U8);
            assertThat(read(DType.U8).toDoubles()).containsExactly(0, 1, 127, 128, 255);
            assertThat(read(DType.I32).toInts()).containsExactly(0, 1, 127, 128, 255);
        }
        assertThatThrownBy(() -> read(DType.F32)).hasMessageContaining("tensor 't' is U8, which cannot be read as F32");
        assertThatThrownBy(() -> NamedTensor.of("t", Tensor.of(new int[1], 1), DType.U8))
                .hasMessageContaining("tensor 't' is I32 and cannot be written as U8");
    }

    @ParameterizedTest
    @ValueSource(longs = {2147483648L, -2147483649L, Long.MIN_VALUE, Long.MAX_VALUE})
    void integerOutOfRangeIsReported(long value) {
        assertThatThrownBy(() -> read("I64", bytes(16).putLong(5).putLong(value), 2, DType.I32))
                .isInstanceOf(SafetensorsException.class)
                .hasMessageContaining("tensor 't' holds " + value + ", which does not fit in 32 bits")
                .hasMessageStartingWith(file.toString());
    }

    @ParameterizedTest
    @CsvSource({"F64, 1e39, F32, use F64", "F64, -1e300, BF16, use F64", "F32, 65520, F16, use BF16 or F32"})
    void floatOutOfRangeIsReported(DType stored, double value, DType wanted, String wayOut) throws IOException {
        Tensor tensor = Tensor.of(Device.reference(), new double[] {0, value}, 2);
        SafetensorsWriter.write(file, List.of(NamedTensor.of("t", tensor, stored)), Map.of());
        assertThatThrownBy(() -> read(wanted))
                .isInstanceOf(SafetensorsException.class)
                .hasMessageContaining("tensor 't' holds " + value + ", which " + wanted + " cannot; " + wayOut);

        Path other = folder.resolve("other.safetensors");
        assertThatThrownBy(() -> SafetensorsWriter.write(other, List.of(NamedTensor.of("t", tensor, wanted)), Map.of()))
                .isInstanceOf(SafetensorsException.class)
                .hasMessageContaining("which " + wanted + " cannot");
        assertThat(RawFile.list(folder)).containsExactly("model.safetensors");
    }

    @Test
    void integersAreNotReadAsFloats() {
        assertThatThrownBy(() -> read("I8", bytes(2), 2, DType.F32))
                .isInstanceOf(SafetensorsException.class)
                .hasMessageContaining(
                        "tensor 't' is I8, which cannot be read as F32; if this is a quantized checkpoint");
        assertThatThrownBy(() -> read("F32", bytes(8), 2, DType.I32))
                .isInstanceOf(SafetensorsException.class)
                .hasMessageContaining("tensor 't' is F32, which cannot be read as I32");
        assertThatThrownBy(() -> NamedTensor.of("t", Tensor.of(new int[1], 1), DType.F32))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("tensor 't' is I32 and cannot be written as F32");
    }

    @ParameterizedTest
    @CsvSource({"U16, 4", "U32, 8", "U64, 16", "C64, 16", "F8_E4M3, 2", "F8_E5M2, 2", "F8_E8M0, 2", "F4, 1"})
    void unsupportedDtypesAreRejected(String dtype, int bytes) {
        assertThatThrownBy(() -> read(dtype, bytes(bytes), 2, DType.F32))
                .isInstanceOf(SafetensorsException.class)
                .hasMessageContaining("tensor 't' is " + dtype + ", which cannot be read; save it in one of F64, F32");
    }

    @Test
    void failedReadFreesItsMemory() {
        Device device = Device.cpu(1);
        assertThatThrownBy(() -> {
                    Files.write(
                            file,
                            RawFile.bytes(
                                    "{" + RawFile.tensor("t", "I64", "[1]", 0, 8) + "}",
                                    bytes(8).putLong(Long.MAX_VALUE).array()));
                    try (SafetensorsFile opened = SafetensorsFile.open(file)) {
                        opened.read("t", device, DType.I32, MemoryCategory.WEIGHTS);
                    }
                })
                .isInstanceOf(SafetensorsException.class);
        assertThat(device.backend().memory().live()).isZero();
    }
}
