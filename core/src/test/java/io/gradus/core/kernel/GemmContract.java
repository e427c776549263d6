package io.gradus.core.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.Shape;
import io.gradus.core.ShapeException;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.ElementwiseKernels.Unary;
import io.gradus.core.kernel.GemmKernels.Epilogue;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The contract of {@link GemmKernels} on any device. */
public abstract class GemmContract extends KernelContract {

    /** The error of the product of two operands, relative to it; 0 if they are used as they are. */
    double operandError() {
        return 0;
    }

    static Stream<int[]> sizes() {
        return Stream.of(
                new int[] {1, 1, 1},
                new int[] {1, 7, 1},
                new int[] {3, 1, 5},
                new int[] {7, 13, 17},
                new int[] {16, 16, 16},
                new int[] {1, 64, 301},
                new int[] {129, 67, 1},
                new int[] {2, 5000, 3},
                new int[] {33, 65, 31},
                new int[] {64, 257, 48},
                new int[] {127, 131, 61},
                new int[] {101, 310, 155},
                new int[] {3, 130, 1100},
                new int[] {28, 1601, 70}, // several blocks of k, and rows that span two panels
                new int[] {400, 30, 33},
                new int[] {4, 7, 3}, // rows shorter than a vector
                new int[] {12, 5, 4},
                new int[] {13, 16, 700},
                new int[] {0, 3, 4},
                new int[] {3, 0, 4},
                new int[] {3, 4, 0});
    }

    @Test
    void matmulOfTwoByTwoMatrices() {
        Operand a = of(new float[] {1, 2, 3, 4}, 2, 2);
        Operand b = of(new float[] {5, 6, 7, 8}, 2, 2);
        Operand product = output(false, 2, 2);
        Operand transposed = output(false, 2, 2);
        run(side -> {
            side.kernels().gemm().matmul(side.of(a), false, side.of(b), false, side.of(product), false);
            side.kernels().gemm().matmul(side.of(a), false, side.of(b), true, side.of(transposed), false);
        });
        assertThat(product.actual()).containsExactly(19, 22, 43, 50);
        assertThat(transposed.actual()).containsExactly(17, 23, 39, 53);
    }

    @ParameterizedTest
    @MethodSource("sizes")
    void matmulOfAnySizeAndTranspose(int[] size) {
        for (int flags = 0; flags < 8; flags++) {
            boolean transposeA = (flags & 1) != 0;
            boolean transposeB = (flags & 2) != 0;
            Shape a = transposeA ? Shape.of(size[1], size[0]) : Shape.of(size[0], size[1]);
            Shape b = transposeB ? Shape.of(size[2], size[1]) : Shape.of(size[1], size[2]);
            product(a, transposeA, b, transposeB, (flags & 4) != 0);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void matmulBroadcastsBatches(boolean accumulate) {
        for (int flags = 0; flags < 4; flags++) {
            boolean transposeA = (flags & 1) != 0;
            boolean transposeB = (flags & 2) != 0;
            long[] a = transposeA ? new long[] {11, 5} : new long[] {5, 11};
            long[] b = transposeB ? new long[] {7, 11} : new long[] {11, 7};
            product(Shape.of(2, 1).append(a), transposeA, Shape.of(3).append(b), transposeB, accumulate);
            product(Shape.of(4).append(a), transposeA, Shape.of(b), transposeB, accumulate);
            product(Shape.of(a), transposeA, Shape.of(2, 3).append(b), transposeB, accumulate);
            product(Shape.of(3, 2).append(a), transposeA, Shape.of(3, 2).append(b), transposeB, accumulate);
            product(Shape.of(3, 1, 2).append(a), transposeA, Shape.of(1, 2, 1).append(b), transposeB, accumulate);
            product(Shape.of(0).append(a), transposeA, Shape.of(b), transposeB, accumulate);
        }
    }

    @Test
    void matmulOfBatchesOfLargerMatrices() {
        product(Shape.of(3, 50, 70), false, Shape.of(3, 70, 90), false, false);
        product(Shape.of(3, 50, 70), false, Shape.of(90, 70), true, true);
    }

    private void product(Shape shapeA, boolean transposeA, Shape shapeB, boolean transposeB, boolean accumulate) {
        Operand a = random(shapeA.toArray());
        Operand b = random(shapeB.toArray());
        Operand out = output(accumulate, GemmKernels.outputShape("test", a.on(0), transposeA, b.on(0), transposeB));
        Tensor magnitude = accumulate ? out.magnitudes() : out.magnitudes().emptyLike(out.shape());
        run(side ->
                side.kernels().gemm().matmul(side.of(a), transposeA, side.of(b), transposeB, side.of(out), accumulate));
        Device.reference()
                .kernels()
                .gemm()
                .matmul(a.magnitudes(), transposeA, b.magnitudes(), transposeB, magnitude, accumulate);
        long inner = shapeA.get(transposeA ? -2 : -1);
        out.assertClose((2 + Math.sqrt(inner)) * ULP + operandError(), magnitude.toDoubles());
    }

    @ParameterizedTest
    @EnumSource(names = {"BF16", "F16"})
    void matmulConverts16BitOperands(DType half) {
        GemmKernels gemm = device().kernels().gemm();
        for (int[] size : new int[][] {{1, 40, 70}, {20, 800, 37}, {33, 65, 130}}) {
            for (int flags = 0; flags < 4; flags++) {
                boolean transposeA = (flags & 1) != 0;
                boolean transposeB = (flags & 2) != 0;
                Tensor a = matrix(half, size[0], size[1], transposeA);
                Tensor b = matrix(half, size[1], size[2], transposeB);
                Tensor expected = zeros(size[0], size[2]);
                Tensor actual = zeros(size[0], size[2]);
                gemm.matmul(a.to(DType.F32), transposeA, b.to(DType.F32), transposeB, expected, false);
                gemm.matmul(a, transposeA, b, transposeB, actual, false);
                // Products of two BF16 may be summed in another order.
                double allowed = ((2 + Math.sqrt(size[1])) * ULP + operandError()) * 1.5 * size[1];
                assertThat(actual.toFloats()).containsExactly(expected.toFloats(), within((float) allowed));
            }
        }
    }

    /** Elements from −2 to 2. */
    private Tensor matrix(DType dtype, int rows, int columns, boolean transposed) {
        return random(transposed ? columns : rows, transposed ? rows : columns)
                .on(1)
                .to(dtype);
    }

    static Stream<Arguments> halvesAndSizes() {
        return Stream.of(
                        new int[] {1, 40, 700},
                        new int[] {3, 9, 1},
                        new int[] {20, 800, 37},
                        new int[] {70, 33, 130},
                        new int[] {5, 0, 4},
                        new int[] {9, 7000, 65}) // several blocks of k
                .flatMap(size -> Stream.of(DType.BF16, DType.F16).map(half -> Arguments.of(half, size)));
    }

    /** Each element of a 16-bit result is rounded once: it is the F32 result, rounded. */
    @ParameterizedTest
    @MethodSource("halvesAndSizes")
    void matmulRounds16BitResultsOnce(DType half, int[] size) {
        GemmKernels gemm = device().kernels().gemm();
        for (int flags = 0; flags < 8; flags++) {
            boolean transposeA = (flags & 1) != 0;
            boolean transposeB = (flags & 2) != 0;
            boolean accumulate = (flags & 4) != 0;
            for (DType operand : List.of(half, DType.F32)) {
                Tensor a = matrix(operand, size[0], size[1], transposeA);
                Tensor b = matrix(half, size[1], size[2], transposeB);
                Tensor actual = matrix(half, size[0], size[2], false);
                Tensor expected = actual.to(DType.F32);
                gemm.matmul(a, transposeA, b, transposeB, expected, accumulate);
                gemm.matmul(a, transposeA, b, transposeB, actual, accumulate);
                assertThat(actual.toFloats()).isEqualTo(expected.to(half).toFloats());
            }
        }
    }

    @ParameterizedTest
    @MethodSource("activations")
    void matmulWithBiasAndActivationRounds16BitResultsOnce(@Nullable Unary activation) {
        GemmKernels gemm = device().kernels().gemm();
        for (int[] size : new int[][] {{2, 30, 1100}, {19, 40, 37}, {20, 900, 64}, {9, 7000, 65}}) {
            Tensor a = range(-0.3, 0.3, size[0], size[1]).on(1).to(DType.BF16);
            Tensor b = range(-0.3, 0.3, size[1], size[2]).on(1).to(DType.BF16);
            Epilogue epilogue = new Epilogue(random(size[2]).on(1), activation);
            Tensor expected = zeros(size[0], size[2]);
            Tensor actual = zeros(size[0], size[2]).to(DType.BF16);
            gemm.matmul(a, false, b, false, epilogue, expected);
            gemm.matmul(a, false, b, false, epilogue, actual);
            assertThat(actual.toFloats()).isEqualTo(expected.to(DType.BF16).toFloats());
        }
    }

    static Stream<Unary> activations() {
        return Stream.of(null, Unary.GELU, Unary.GELU_TANH, Unary.SILU);
    }

    @ParameterizedTest
    @MethodSource("activations")
    void matmulWithBiasAndActivation(@Nullable Unary activation) {
        for (int[] size : new int[][] {{1, 33, 70}, {19, 40, 37}, {20, 900, 64}}) {
            for (boolean withBias : new boolean[] {true, false}) {
                Operand a = range(-0.3, 0.3, size[0], size[1]);
                Operand b = range(-0.3, 0.3, size[1], size[2]);
                Operand bias = random(size[2]);
                Operand out = output(false, size[0], size[2]);
                run(side -> side.kernels()
                        .gemm()
                        .matmul(
                                side.of(a),
                                false,
                                side.of(b),
                                false,
                                new Epilogue(withBias ? side.of(bias) : null, activation),
                                side.of(out)));
                out.assertClose(2 * (8 + Math.sqrt(size[1])) * ULP + operandError(), 2 + 0.03 * size[1]);
            }
        }
    }

    @Test
    void matmulRejectsBiasOfWrongLength() {
        GemmKernels gemm = device().kernels().gemm();
        refuses(
                ShapeException.class,
                () -> gemm.matmul(zeros(2, 3), false, zeros(3, 4), false, new Epilogue(zeros(3), null), zeros(2, 4)),
                "bias",
                "[3]",
                "[4]");
    }

    @Test
    void matmulKeepsNanInItsRowAndColumn() {
        float[] elements = new float[40 * 50];
        Arrays.fill(elements, 0.5f);
        elements[3 * 50 + 7] = Float.NaN;
        elements[20 * 50 + 49] = Float.POSITIVE_INFINITY;
        Operand a = of(elements, 40, 50);
        Operand b = range(0.5, 1, 50, 37);
        Operand out = output(false, 40, 37);
        run(side -> side.kernels().gemm().matmul(side.of(a), false, side.of(b), false, side.of(out), false));
        out.assertClose(16 * ULP, 1);
    }

    @Test
    void matmulOfZeroAndInfinityIsNan() {
        Operand a = of(new float[] {0, 0}, 1, 2);
        Operand b = of(new float[] {Float.NEGATIVE_INFINITY, 1, Float.NaN, 1, 1, 1}, 2, 3);
        Operand out = output(false, 1, 3);
        run(side -> side.kernels().gemm().matmul(side.of(a), false, side.of(b), false, side.of(out), false));
        out.assertExact();
    }

    @Test
    void matmulRejectsDifferentInnerAxes() {
        GemmKernels gemm = device().kernels().gemm();
        refuses(
                ShapeException.class,
                () -> gemm.matmul(zeros(8, 64), false, zeros(72, 256), false, zeros(8, 256), false),
                "matmul",
                "[8, 64]",
                "[72, 256]");
        refuses(
                ShapeException.class,
                () -> gemm.matmul(zeros(8, 64), true, zeros(64, 2), false, zeros(64, 2), false),
                "first transposed");
    }

    @Test
    void matmulRejectsWrongBatchesAndVectors() {
        GemmKernels gemm = device().kernels().gemm();
        refuses(
                ShapeException.class,
                () -> gemm.matmul(zeros(2, 4, 5), false, zeros(3, 5, 6), false, zeros(2, 4, 6), false),
                "matmul",
                "broadcast");
        refuses(
                ShapeException.class,
                () -> gemm.matmul(zeros(5), false, zeros(5, 6), false, zeros(6), false),
                "matmul",
                "[5]");
        refuses(
                ShapeException.class,
                () -> gemm.matmul(zeros(4, 5), false, zeros(5, 6), false, zeros(6, 4), false),
                "matmul",
                "[6, 4]",
                "[4, 6]");
    }

    @Test
    void matmulRejectsWrongDtypesAndDevices() {
        GemmKernels gemm = device().kernels().gemm();
        refuses(
                IllegalArgumentException.class,
                () -> gemm.matmul(zeros(2, 2), false, doubles(2, 2), false, zeros(2, 2), false),
                "matmul",
                "F64 [2, 2]",
                "to(DType.F32)");
        refuses(
                IllegalArgumentException.class,
                () -> gemm.matmul(zeros(2, 2), false, elsewhere(2, 2), false, zeros(2, 2), false),
                "matmul",
                "reference",
                "to(device)");
    }
}
