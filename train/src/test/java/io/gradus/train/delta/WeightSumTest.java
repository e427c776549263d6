package io.gradus.train.delta;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.core.DType;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

/** Sums are rounded once, and what nothing is added to keeps its bits. */
class WeightSumTest {
    private final float[] result = new float[3];

    private long sum(double factor, float[] base, float[] added) {
        WeightSum sum = new WeightSum();
        sum.begin(MemorySegment.ofArray(base), DType.F32, 3);
        sum.add(MemorySegment.ofArray(added), DType.F32, factor);
        return sum.round(MemorySegment.ofArray(result), DType.F32);
    }

    @Test
    void multipleIsAdded() {
        assertThat(sum(-0.5, new float[] {1, 2, 3}, new float[] {2, 0, -2})).isZero();
        assertThat(result).containsExactly(0, 2, 4);
    }

    @Test
    void unchangedElementsKeepTheirBits() {
        sum(1, new float[] {-0f, 0f, 1e-45f}, new float[] {0, -0f, 0});

        assertThat(Float.floatToRawIntBits(result[0])).isEqualTo(0x8000_0000);
        assertThat(Float.floatToRawIntBits(result[1])).isZero();
        assertThat(Float.floatToRawIntBits(result[2])).isEqualTo(1);
    }

    @Test
    void overflowsAreCounted() {
        assertThat(sum(2, new float[] {1, 2, 3}, new float[] {3e38f, -3e38f, 1}))
                .isEqualTo(2);
    }
}
