package io.gradus.core.cpu.vector.gemm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.gradus.core.Device;
import io.gradus.core.Tensor;
import io.gradus.core.cpu.common.Workers;
import io.gradus.core.cpu.machine.TileKernel;
import io.gradus.core.cpu.vector.VectorSupport;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The panels for tiles, on any processor: multiplied by plain loops that read what the machine code would. */
final class TileArithmeticTest {
    private static final Device CPU = Device.cpu(1);

    private final Workers workers = new Workers(2);

    @BeforeAll
    static void panelsFit() {
        assumeTrue(
                VectorSupport.isUsable() && TileArithmetic.fitsPanels(), "panels for tiles need vectors of 512 bits");
    }

    /** What {@link TileKernel#multiply} does. */
    private static void multiply(MemorySegment a, MemorySegment b, MemorySegment c, int steps, int columns) {
        int[] left = a.asSlice(0, 4L * TileKernel.ROWS * steps).toArray(ValueLayout.JAVA_INT);
        int[] right = b.asSlice(0, 4L * steps * TileKernel.COLUMNS).toArray(ValueLayout.JAVA_INT);
        for (int i = 0; i < TileKernel.ROWS; i++) {
            for (int j = 0; j < columns; j++) {
                float sum = 0;
                for (int k = 0; k < steps; k++) {
                    int x = left[i * steps + k];
                    int y = right[k * TileKernel.COLUMNS + j];
                    sum = Math.fma(Float.intBitsToFloat(x << 16), Float.intBitsToFloat(y << 16), sum);
                    sum = Math.fma(Float.intBitsToFloat(x & 0xFFFF_0000), Float.intBitsToFloat(y & 0xFFFF_0000), sum);
                }
                c.setAtIndex(ValueLayout.JAVA_FLOAT, (long) i * TileKernel.COLUMNS + j, sum);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"4, 1, 1", "31, 33, 63", "32, 64, 64", "70, 100, 130", "33, 3200, 65", "200, 40, 20"})
    void productIsThatOfRoundedFloats(int m, int k, int n) {
        compare(m, k, n, new TileArithmetic(false, TileArithmeticTest::multiply), Arithmetic.ROUNDED, 1e-6);
    }

    @ParameterizedTest
    @CsvSource({"4, 1, 1", "70, 100, 130", "33, 1100, 65"})
    void productOfSplitOperandsIsNearThatOfFloats(int m, int k, int n) {
        compare(m, k, n, new TileArithmetic(true, TileArithmeticTest::multiply), Arithmetic.FLOATS, 12e-6);
    }

    private void compare(int m, int k, int n, Arithmetic arithmetic, Arithmetic expected, double relative) {
        for (int flags = 0; flags < 4; flags++) {
            boolean transposeA = (flags & 1) != 0;
            boolean transposeB = (flags & 2) != 0;
            Tensor a = transposeA ? random(k, m) : random(m, k);
            Tensor b = transposeB ? random(n, k) : random(k, n);
            float[] actual = product(arithmetic, a, transposeA, b, transposeB, m, n);
            float[] right = product(expected, a, transposeA, b, transposeB, m, n);
            for (int i = 0; i < actual.length; i++) {
                assertThat((double) actual[i]).isCloseTo(right[i], within(relative * k));
            }
        }
    }

    private float[] product(
            Arithmetic arithmetic, Tensor a, boolean transposeA, Tensor b, boolean transposeB, int m, int n) {
        Tensor out = Tensor.of(CPU, new float[m * n], m, n);
        new Gemm(workers, arithmetic).matmul(a, transposeA, b, transposeB, out, false);
        return out.toFloats();
    }

    private static Tensor random(int rows, int columns) {
        Random random = new Random(rows);
        float[] elements = new float[rows * columns];
        for (int i = 0; i < elements.length; i++) {
            elements[i] = random.nextFloat() * 2 - 1;
        }
        return Tensor.of(CPU, elements, rows, columns);
    }
}
