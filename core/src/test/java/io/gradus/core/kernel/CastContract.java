package io.gradus.core.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.core.DType;
import io.gradus.core.HostCast;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Shape;
import io.gradus.core.ShapeException;
import io.gradus.core.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The contract of {@link CastKernels} on any device, with {@link HostCast} as the reference. */
public abstract class CastContract extends KernelContract {

    @Test
    void castOfOneThirdToBfloat16AndInteger() {
        Tensor x = Tensor.of(device(), new float[] {1 / 3f, -2.7f}, 2);
        assertThat(x.to(DType.BF16).toDoubles()).containsExactly(0.333984375, -2.703125);
        assertThat(x.to(DType.I32).toInts()).containsExactly(0, -2);
    }

    /** Every 16-bit float converts to F32 and back without loss. */
    @ParameterizedTest
    @EnumSource(
            value = DType.class,
            names = {"BF16", "F16"})
    void every16BitFloatRoundTrips(DType dtype) {
        short[] bits = new short[65_536];
        for (int i = 0; i < bits.length; i++) {
            bits[i] = (short) i;
        }
        Tensor small = upload(dtype, MemorySegment.ofArray(bits), bits.length);
        Tensor wide = cast(small, DType.F32);
        float[] expected = new float[bits.length];
        HostCast.convert(MemorySegment.ofArray(bits), dtype, MemorySegment.ofArray(expected), DType.F32, bits.length);
        assertThat(wide.toFloats()).isEqualTo(expected);

        short[] back = new short[bits.length];
        device().backend().download(cast(wide, dtype), MemorySegment.ofArray(back));
        for (int i = 0; i < back.length; i++) {
            if (Float.isNaN(expected[i])) {
                assertThat(value(dtype, back[i])).isNaN();
            } else {
                assertThat(back[i]).isEqualTo(bits[i]);
            }
        }
    }

    private static float value(DType dtype, short bits) {
        return dtype == DType.BF16 ? HostCast.fromBFloat16(bits) : Float.float16ToFloat(bits);
    }

    /** Floats of every exponent, with mantissas at ties, next to ties, and elsewhere. */
    @ParameterizedTest
    @EnumSource(
            value = DType.class,
            names = {"BF16", "F16"})
    void castToHalfRoundsToNearestEven(DType dtype) {
        int[] mantissas = {0, 1, 0x7FFF, 0x8000, 0x8001, 0x18000, 0xFFF, 0x1000, 0x1001, 0x3000, 0x7FFFFF, 0x2AAAAA};
        float[] floats = new float[512 * mantissas.length];
        for (int i = 0; i < floats.length; i++) {
            floats[i] = Float.intBitsToFloat(((i / mantissas.length) << 23) | mantissas[i % mantissas.length]);
        }
        short[] expected = new short[floats.length];
        HostCast.convert(
                MemorySegment.ofArray(floats), DType.F32, MemorySegment.ofArray(expected), dtype, floats.length);
        short[] actual = new short[floats.length];
        device().backend()
                .download(cast(Tensor.of(device(), floats, floats.length), dtype), MemorySegment.ofArray(actual));
        for (int i = 0; i < floats.length; i++) {
            if (Float.isNaN(floats[i])) {
                assertThat(value(dtype, actual[i])).isNaN();
            } else {
                assertThat(actual[i]).as("%s to %s", floats[i], dtype).isEqualTo(expected[i]);
            }
        }
    }

    @Test
    void castOfIntegersAndDoubles() {
        float[] floats = {0, 1.9f, -1.9f, 1e6f, -16_777_216, 0.49f};
        Tensor x = Tensor.of(device(), floats, floats.length);
        assertThat(cast(x, DType.I32).toInts()).containsExactly(0, 1, -1, 1_000_000, -16_777_216, 0);
        assertThat(cast(cast(x, DType.I32), DType.F32).toFloats()).containsExactly(0, 1, -1, 1e6f, -16_777_216, 0);
        assertThat(cast(cast(x, DType.F64), DType.F32).toFloats()).isEqualTo(floats);
        Tensor third = Tensor.of(device(), new double[] {1 / 3.0, 1e300, -1e-300}, 3);
        assertThat(cast(third, DType.F32).toFloats()).containsExactly(1 / 3f, Float.POSITIVE_INFINITY, -0f);
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 1, 7, 5003, 100_003})
    void castToSameDtypeCopies(long size) {
        Operand x = random(size);
        Tensor whole = Tensor.full(device(), DType.F32, Shape.of(size + 8), 9, MemoryCategory.WORKSPACE);
        device().kernels().cast().cast(x.on(1), whole.slice(3, 3 + size));
        float[] result = whole.toFloats();
        assertThat(Arrays.copyOfRange(result, 3, (int) size + 3)).isEqualTo(x.actual());
        assertThat(new float[] {result[0], result[2], result[(int) size + 3], result[(int) size + 7]})
                .containsOnly(9);
    }

    @Test
    void castToIntegersSaturatesAndNanIsZero() {
        float[] floats = {
            Float.NaN,
            Float.POSITIVE_INFINITY,
            Float.NEGATIVE_INFINITY,
            3e9f,
            -3e9f,
            0x1p31f,
            -0x1p31f,
            0x1.fffffep30f,
            -2.9f
        };
        int[] expected = new int[floats.length];
        for (int i = 0; i < floats.length; i++) {
            expected[i] = (int) floats[i];
        }
        assertThat(cast(Tensor.of(device(), floats, floats.length), DType.I32).toInts())
                .isEqualTo(expected);
    }

    /** Odd sizes and offsets of 16-bit tensors, over many chunks. */
    @ParameterizedTest
    @EnumSource(
            value = DType.class,
            names = {"BF16", "F16"})
    void castOf16BitViews(DType dtype) {
        Tensor x = Tensor.full(device(), DType.F32, Shape.of(100_003), 1.5, MemoryCategory.WORKSPACE);
        Tensor whole = Tensor.full(device(), dtype, Shape.of(100_010), -1, MemoryCategory.WORKSPACE);
        device().kernels().cast().cast(x, whole.slice(3, 100_006));
        float[] result = cast(whole.slice(1, 100_008), DType.F32).toFloats();
        for (int i = 0; i < result.length; i++) {
            assertThat(result[i]).as("element %d", i).isEqualTo(i >= 2 && i < 100_005 ? 1.5f : -1);
        }
    }

    @Test
    void castRejectsWrongShapesAndDevices() {
        CastKernels kernels = device().kernels().cast();
        refuses(ShapeException.class, () -> kernels.cast(zeros(2), zeros(3)), "cast", "[2]", "[3]");
        refuses(IllegalArgumentException.class, () -> kernels.cast(elsewhere(2), zeros(2)), "cast", "reference");
    }

    private Tensor upload(DType dtype, MemorySegment elements, long count) {
        Tensor tensor = Tensor.empty(device(), dtype, Shape.of(count), MemoryCategory.WORKSPACE);
        device().backend().upload(elements, tensor);
        return tensor;
    }

    private Tensor cast(Tensor x, DType dtype) {
        Tensor out = Tensor.empty(device(), dtype, x.shape(), MemoryCategory.WORKSPACE);
        device().kernels().cast().cast(x, out);
        return out;
    }
}
