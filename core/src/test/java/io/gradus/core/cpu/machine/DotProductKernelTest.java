package io.gradus.core.cpu.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** One tile of a product. */
final class DotProductKernelTest {

    @BeforeAll
    static void processorHasTheInstruction() {
        assumeTrue(MachineCode.hasDotProducts(), MachineCode.description());
    }

    @ParameterizedTest
    @CsvSource({"1, 64", "1, 32", "2, 33", "7, 64", "100, 1", "100, 50"})
    void tileIsTheProductOfPairs(int steps, int columns) {
        Random random = new Random(steps);
        int[] a = pairs(random, steps * DotProductKernel.ROWS);
        int[] b = pairs(random, steps * DotProductKernel.COLUMNS);
        float[] tile = new float[DotProductKernel.ROWS * DotProductKernel.COLUMNS];
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment right = arena.allocateFrom(ValueLayout.JAVA_INT, b);
            DotProductKernel.multiply(MemorySegment.ofArray(a), right, MemorySegment.ofArray(tile), steps, columns);
        }
        for (int i = 0; i < DotProductKernel.ROWS; i++) {
            for (int j = 0; j < columns; j++) {
                double sum = 0;
                for (int k = 0; k < steps; k++) {
                    int left = a[k * DotProductKernel.ROWS + i];
                    int right = b[k * DotProductKernel.COLUMNS + j];
                    sum += (double) lower(left) * lower(right) + (double) upper(left) * upper(right);
                }
                assertThat((double) tile[i * DotProductKernel.COLUMNS + j]).isCloseTo(sum, within(1e-5 * steps));
            }
        }
    }

    @Test
    void tileOfNoStepsIsZero() {
        float[] tile = new float[DotProductKernel.ROWS * DotProductKernel.COLUMNS];
        Arrays.fill(tile, Float.NaN);
        MemorySegment nothing = MemorySegment.ofArray(new int[0]);
        DotProductKernel.multiply(nothing, nothing, MemorySegment.ofArray(tile), 0, 64);
        assertThat(tile).containsOnly(0f);
    }

    @Test
    void operandsThatAreTooSmallAreRejected() {
        MemorySegment a = MemorySegment.ofArray(new int[6 * 10]);
        MemorySegment b = MemorySegment.ofArray(new int[64 * 10]);
        MemorySegment c = MemorySegment.ofArray(new float[6 * 64]);
        rejects(a, b, c, 11);
        rejects(a.asSlice(4), b, c, 10);
        rejects(a, b.asSlice(4), c, 10);
        rejects(a, b, c.asSlice(4), 10);
    }

    private static void rejects(MemorySegment a, MemorySegment b, MemorySegment c, int steps) {
        assertThatThrownBy(() -> DotProductKernel.multiply(a, b, c, steps, 64))
                .isInstanceOf(IndexOutOfBoundsException.class);
    }

    private static int[] pairs(Random random, int count) {
        int[] pairs = new int[count];
        Arrays.setAll(pairs, i -> bits(random) & 0xFFFF_0000 | bits(random) >>> 16);
        return pairs;
    }

    private static int bits(Random random) {
        return Float.floatToRawIntBits(random.nextFloat() * 2 - 1);
    }

    private static float lower(int pair) {
        return Float.intBitsToFloat(pair << 16);
    }

    private static float upper(int pair) {
        return Float.intBitsToFloat(pair & 0xFFFF_0000);
    }
}
