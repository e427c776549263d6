package io.gradus.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

final class HostCastTest {

    @Test
    void everyBFloat16RoundTripsThroughF32() {
        for (int bits = 0; bits < 65_536; bits++) {
            float value = HostCast.fromBFloat16((short) bits);
            assertThat(Float.floatToRawIntBits(value)).isEqualTo(bits << 16);
            short back = HostCast.toBFloat16(value);
            if (Float.isNaN(value)) {
                assertThat(HostCast.fromBFloat16(back)).isNaN();
            } else {
                assertThat(back).isEqualTo((short) bits);
            }
        }
    }

    @Test
    void everyF16RoundTripsThroughF32() {
        short[] all = new short[65_536];
        for (int bits = 0; bits < all.length; bits++) {
            all[bits] = (short) bits;
        }
        float[] wide = new float[all.length];
        short[] back = new short[all.length];
        HostCast.convert(MemorySegment.ofArray(all), DType.F16, MemorySegment.ofArray(wide), DType.F32, all.length);
        HostCast.convert(MemorySegment.ofArray(wide), DType.F32, MemorySegment.ofArray(back), DType.F16, all.length);
        for (int bits = 0; bits < all.length; bits++) {
            if (Float.isNaN(wide[bits])) {
                assertThat(Float.float16ToFloat(back[bits])).isNaN();
            } else {
                assertThat(back[bits]).isEqualTo((short) bits);
            }
        }
        assertThat(wide[0x3C00]).isEqualTo(1);
        assertThat(wide[0x0001]).isEqualTo(0x1p-24f);
        assertThat(wide[0x7BFF]).isEqualTo(65_504);
    }

    @Test
    void bfloat16RoundsToNearestTiesToEven() {
        assertThat(rounded(0x3F80_7FFF)).isEqualTo(0x3F80); // below a tie
        assertThat(rounded(0x3F80_8000)).isEqualTo(0x3F80); // a tie, even below
        assertThat(rounded(0x3F80_8001)).isEqualTo(0x3F81); // above a tie
        assertThat(rounded(0x3F81_8000)).isEqualTo(0x3F82); // a tie, even above
        assertThat(rounded(0xBF81_8000)).isEqualTo(0xBF82); // the same below zero
        assertThat(rounded(0x3FFF_FFFF)).isEqualTo(0x4000); // into the next power of two
        assertThat(rounded(0x0000_8001)).isEqualTo(0x0001); // the smallest
    }

    private static int rounded(int floatBits) {
        return HostCast.toBFloat16(Float.intBitsToFloat(floatBits)) & 0xFFFF;
    }

    @Test
    void valuesBeyondTheRangeOf16BitFloatsBecomeInfinite() {
        assertThat(HostCast.fromBFloat16(HostCast.toBFloat16(Float.MAX_VALUE))).isEqualTo(Float.POSITIVE_INFINITY);
        assertThat(HostCast.fromBFloat16(HostCast.toBFloat16(-Float.MAX_VALUE))).isEqualTo(Float.NEGATIVE_INFINITY);
        assertThat(HostCast.toBFloat16(0x1.FEp127f) & 0xFFFF).isEqualTo(0x7F7F); // the largest stays
        float[] large = {65_504, 65_519, 65_520, -1e10f, Float.POSITIVE_INFINITY};
        assertThat(roundTrip(large, DType.F16))
                .containsExactly(
                        65_504, 65_504, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, Float.POSITIVE_INFINITY);
    }

    @Test
    void nanWithAnyPayloadStaysNan() {
        for (int payload : new int[] {1, 0xFFFF, 0x10000, 0x400000, 0x7FFFFF}) {
            assertThat(HostCast.fromBFloat16(HostCast.toBFloat16(Float.intBitsToFloat(0x7F80_0000 | payload))))
                    .isNaN();
        }
        assertThat(roundTrip(new float[] {Float.NaN}, DType.F16)).containsExactly(Float.NaN);
        assertThat(roundTrip(new float[] {Float.NaN}, DType.F64)).containsExactly(Float.NaN);
    }

    @Test
    void f16RoundsTiesToEven() {
        float[] values = {1 + 0x1p-11f, 1 + 0x3p-11f, 1 + 0x1.01p-11f, 0x1p-25f, 0x1.8p-25f};
        assertThat(roundTrip(values, DType.F16)).containsExactly(1, 1 + 0x2p-10f, 1 + 0x1p-10f, 0, 0x1p-24f);
    }

    @Test
    void floatsAreTruncatedToIntegers() {
        double[] doubles = {1.9, -1.9, 123_456_789, 3e9};
        int[] ints = new int[4];
        HostCast.convert(MemorySegment.ofArray(doubles), DType.F64, MemorySegment.ofArray(ints), DType.I32, 4);
        assertThat(ints).containsExactly(1, -1, 123_456_789, Integer.MAX_VALUE);
        double[] back = new double[4];
        HostCast.convert(MemorySegment.ofArray(ints), DType.I32, MemorySegment.ofArray(back), DType.F64, 4);
        assertThat(back).containsExactly(1, -1, 123_456_789, Integer.MAX_VALUE);
    }

    @Test
    void bytesAreUnsignedAndSaturate() {
        float[] floats = {-3, -0.5f, 0, 1.9f, 127, 128, 255, 300, Float.NaN, Float.POSITIVE_INFINITY};
        assertThat(roundTrip(floats, DType.U8)).containsExactly(0, 0, 0, 1, 127, 128, 255, 255, 0, 255);
        byte[] bytes = {0, 1, 127, -128, -1};
        int[] ints = new int[5];
        HostCast.convert(MemorySegment.ofArray(bytes), DType.U8, MemorySegment.ofArray(ints), DType.I32, 5);
        assertThat(ints).containsExactly(0, 1, 127, 128, 255);
        byte[] back = new byte[5];
        HostCast.convert(MemorySegment.ofArray(ints), DType.I32, MemorySegment.ofArray(back), DType.U8, 5);
        assertThat(back).containsExactly(bytes);
    }

    private static float[] roundTrip(float[] values, DType dtype) {
        byte[] narrow = new byte[values.length * dtype.bytes()];
        float[] back = new float[values.length];
        HostCast.convert(MemorySegment.ofArray(values), DType.F32, MemorySegment.ofArray(narrow), dtype, values.length);
        HostCast.convert(MemorySegment.ofArray(narrow), dtype, MemorySegment.ofArray(back), DType.F32, values.length);
        return back;
    }
}
