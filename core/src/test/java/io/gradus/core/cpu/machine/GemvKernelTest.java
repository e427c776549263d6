package io.gradus.core.cpu.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.gradus.core.HostCast;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Dot products of a row and lines of a matrix. */
final class GemvKernelTest {

    @BeforeAll
    static void processorHasVectorsOf512Bits() {
        assumeTrue(MachineCode.hasGemv(), "no machine code with AVX-512");
    }

    @ParameterizedTest
    @CsvSource({"1, 1, false", "1, 1, true", "3, 5, false", "3, 5, true", "18, 16, false", "18, 16, true"})
    void lanesSumToTheDotProducts(int steps, int groups, boolean half) {
        int k = steps * GemvKernel.STEP;
        int lines = groups * GemvKernel.LINES;
        Random random = new Random(k);
        float[] row = new float[k];
        float[] ordered = new float[k];
        for (int i = 0; i < k; i++) {
            row[i] = random.nextFloat() - 0.5f;
            int place = i % GemvKernel.STEP;
            ordered[half ? i - place + place / 2 + place % 2 * GemvKernel.LANES : i] = row[i];
        }
        float[] sums = new float[lines * GemvKernel.LANES];
        double[] expected = new double[lines];
        try (Arena arena = Arena.ofConfined()) {
            int bytes = half ? 2 : 4;
            MemorySegment matrix = arena.allocate((long) lines * k * bytes);
            for (int j = 0; j < lines; j++) {
                for (int i = 0; i < k; i++) {
                    float element = random.nextFloat() - 0.5f;
                    if (half) {
                        short rounded = HostCast.toBFloat16(element);
                        matrix.setAtIndex(ValueLayout.JAVA_SHORT, (long) j * k + i, rounded);
                        element = HostCast.fromBFloat16(rounded);
                    } else {
                        matrix.setAtIndex(ValueLayout.JAVA_FLOAT, (long) j * k + i, element);
                    }
                    expected[j] += (double) element * row[i];
                }
            }
            GemvKernel.dots(
                    half,
                    MemorySegment.ofArray(ordered),
                    matrix,
                    MemorySegment.ofArray(sums),
                    steps,
                    (long) groups * k * bytes,
                    groups);
        }
        for (int j = 0; j < lines; j++) {
            int at = (j % groups * GemvKernel.LINES + j / groups) * GemvKernel.LANES;
            double sum = 0;
            for (int lane = 0; lane < GemvKernel.LANES; lane++) {
                sum += sums[at + lane];
            }
            assertThat(sum).isCloseTo(expected[j], within(1e-6 * steps));
        }
    }

    @Test
    void operandsThatAreTooSmallAreRejected() {
        MemorySegment row = MemorySegment.ofArray(new float[64]);
        MemorySegment matrix = MemorySegment.ofArray(new float[8 * 64]);
        MemorySegment sums = MemorySegment.ofArray(new float[8 * 16]);
        rejects(row, matrix, sums, 2, 512, 3);
        rejects(row, matrix, sums, 2, 516, 2);
        rejects(row, matrix, sums, 2, -512, 2);
        rejects(row, matrix, sums, 3, 256, 1);
        rejects(row, matrix, sums, 0, 512, 2);
        rejects(row, matrix, sums, 2, 512, 0);
        rejects(row.asSlice(4), matrix, sums, 2, 512, 2);
        rejects(row, matrix.asSlice(4), sums, 2, 512, 2);
        rejects(row, matrix, sums.asSlice(4), 2, 512, 2);
    }

    private static void rejects(
            MemorySegment row, MemorySegment matrix, MemorySegment sums, long steps, long apart, long groups) {
        assertThatThrownBy(() -> GemvKernel.dots(false, row, matrix, sums, steps, apart, groups))
                .isInstanceOf(IndexOutOfBoundsException.class);
    }
}
