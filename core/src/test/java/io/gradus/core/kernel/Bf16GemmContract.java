package io.gradus.core.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.core.DType;
import io.gradus.core.HostCast;
import io.gradus.core.Tensor;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * The contract of products whose operands are rounded to BF16. With operands that are BF16 already, it is that of {@link GemmContract}
 * with the same tolerance: products of two BF16 are exact in F32, and sums are F32. Other operands are rounded to the nearest, even on
 * a tie. Denormal numbers may count as zeros, in operands and in sums. Products of fewer than four rows may be F32.
 */
public abstract class Bf16GemmContract extends GemmContract {
    private static final float LARGEST = 0x1.FEp127f;

    static Stream<int[]> sizes() {
        return Stream.of(
                new int[] {1, 1, 1},
                new int[] {4, 1, 1},
                new int[] {7, 13, 17},
                new int[] {16, 32, 64},
                new int[] {20, 257, 129},
                new int[] {5, 3300, 7}, // several blocks of k
                new int[] {200, 31, 17},
                new int[] {100, 48, 2}, // many panels of rows
                new int[] {6, 33, 300},
                new int[] {33, 64, 65}, // around tiles
                new int[] {64, 96, 32},
                new int[] {300, 40, 5},
                new int[] {9, 2100, 1030}, // stripes of columns
                new int[] {0, 3, 4},
                new int[] {5, 0, 4},
                new int[] {5, 4, 0});
    }

    /** Every kind of edge of a tile of 16 or 32 lines, and of a block of k. */
    @Test
    void matmulOfEdges() {
        for (int edge : new int[] {1, 2, 15, 16, 17, 31, 32, 33, 47, 48, 49, 63, 64, 65}) {
            matmulOfAnySizeAndTranspose(new int[] {edge, 40, 9});
            matmulOfAnySizeAndTranspose(new int[] {9, edge, 40});
            matmulOfAnySizeAndTranspose(new int[] {5, 3, edge});
        }
    }

    @Override
    float exact(float number) {
        return HostCast.fromBFloat16(HostCast.toBFloat16(number));
    }

    @Test
    void operandsAreRoundedToTheNearestBf16() {
        float[] elements = new float[20 * 70];
        for (int i = 0; i < elements.length; i++) {
            elements[i] = (float) Math.sin(i) * (i % 7 == 0 ? 1e-20f : 3);
        }
        elements[0] = 1 + 0x1p-8f; // a tie: down to the even 1
        elements[1] = 1 + 0x3p-8f; // a tie: up to the even 1 + 2⁻⁶
        elements[2] = Math.nextUp(1 + 0x1p-8f);
        Tensor a = Tensor.of(device(), elements, 20, 70);
        Tensor b = range(-1, 1, 70, 37).on(1);
        Tensor rounded = a.to(DType.BF16).to(DType.F32);
        assertThat(rounded.toFloats()).startsWith(1, 1 + 0x1p-6f, 1 + 0x1p-7f);
        for (int flags = 0; flags < 2; flags++) {
            boolean transpose = flags == 1;
            Tensor left = transpose ? a.reshape(70, 20) : a;
            Tensor leftRounded = transpose ? rounded.reshape(70, 20) : rounded;
            Tensor actual = zeros(20, 37);
            Tensor expected = zeros(20, 37);
            device().kernels().gemm().matmul(left, transpose, b, false, actual, false);
            device().kernels().gemm().matmul(leftRounded, transpose, b, false, expected, false);
            assertThat(actual.toFloats()).isEqualTo(expected.toFloats());
            Tensor turned = zeros(37, 20);
            Tensor turnedExpected = zeros(37, 20);
            device().kernels().gemm().matmul(b, true, left, !transpose, turned, false);
            device().kernels().gemm().matmul(b, true, leftRounded, !transpose, turnedExpected, false);
            assertThat(turned.toFloats()).isEqualTo(turnedExpected.toFloats());
        }
    }

    @Test
    void zeroTimesInfinityAndNanAreNanInTheirPlacesOnly() {
        float[] left = new float[5 * 3];
        Arrays.fill(left, 1);
        left[0] = 0;
        float[] right = new float[3 * 4];
        Arrays.fill(right, 1);
        right[0] = Float.NEGATIVE_INFINITY;
        right[1] = Float.NaN;
        right[2] = Float.intBitsToFloat(0x7F80_0001); // a NaN whose upper half alone would be infinity
        Operand a = of(left, 5, 3);
        Operand b = of(right, 3, 4);
        Operand out = output(false, 5, 4);
        run(side -> side.kernels().gemm().matmul(side.of(a), false, side.of(b), false, side.of(out), false));
        out.assertExact();
    }

    @Test
    void numbersBeyondTheLargestBf16BecomeInfinity() {
        Tensor a = Tensor.of(device(), new float[] {Float.MAX_VALUE, LARGEST, -Float.MAX_VALUE, 1}, 4, 1);
        Tensor out = zeros(4, 1);
        device().kernels().gemm().matmul(a, false, Tensor.of(device(), new float[] {1}, 1, 1), false, out, false);
        assertThat(out.toFloats()).containsExactly(Float.POSITIVE_INFINITY, LARGEST, Float.NEGATIVE_INFINITY, 1);
    }

    @Test
    void denormalNumbersAreKeptOrZero() {
        float denormal = 0x1p-130f;
        Tensor a = Tensor.of(device(), new float[] {denormal, 1, 0x1p-70f, 1}, 4, 1);
        Tensor b = Tensor.of(device(), new float[] {1, 0x1p-70f}, 1, 2);
        Tensor out = zeros(4, 2);
        device().kernels().gemm().matmul(a, false, b, false, out, false);
        float[] actual = out.toFloats();
        assertThat(actual[0]).isIn(0f, denormal);
        assertThat(actual[1]).isZero(); // below the smallest denormal
        assertThat(actual[2]).isEqualTo(1);
        assertThat(actual[3]).isEqualTo(0x1p-70f);
        assertThat(actual[4]).isEqualTo(0x1p-70f);
        assertThat(actual[5]).isIn(0f, 0x1p-140f);
        assertThat(actual[6]).isEqualTo(1);
    }
}
