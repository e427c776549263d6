package io.gradus.train.delta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

/** How far numbers moved, against numbers worked out by hand. */
class ChangeTest {
    @Test
    void changeMeasuresDifferences() {
        Change change = Change.between(new float[] {3, 4, 0, 1}, new float[] {3, 7, -4, 1.001f}, 4);

        assertThat(change.numbers()).isEqualTo(4);
        assertThat(change.changed()).isEqualTo(3);
        assertThat(change.changedBf16()).isEqualTo(2);
        assertThat(change.norm()).isCloseTo(5, within(1e-6));
        assertThat(change.relativeNorm()).isCloseTo(5 / Math.sqrt(26), within(1e-6));
        assertThat(change.largest()).isEqualTo(4);
        assertThat(change.changedBf16Share()).isEqualTo(0.5);
    }

    @Test
    void signOfZeroIsAChangeOfNormZero() {
        Change change = Change.between(new float[] {0f}, new float[] {-0f}, 1);

        assertThat(change).isEqualTo(new Change(1, 1, 1, 0, 0, 0));
        assertThat(change.relativeNorm()).isZero();
    }

    @Test
    void relativeNormOfZerosIsInfinite() {
        assertThat(Change.between(new float[1], new float[] {1}, 1).relativeNorm())
                .isInfinite();
        assertThat(Change.between(new float[1], new float[1], 1).relativeNorm()).isZero();
    }

    @Test
    void changesAdd() {
        Change a = new Change(2, 1, 1, 9, 16, 3);
        Change b = new Change(3, 2, 0, 16, 9, 2);

        assertThat(a.plus(b)).isEqualTo(new Change(5, 3, 1, 25, 25, 3));
        assertThat(a.plus(b).norm()).isEqualTo(5);
        assertThat(a.plus(b).relativeNorm()).isEqualTo(1);
        assertThat(Change.NONE.plus(a)).isEqualTo(a);
        assertThat(Change.NONE.changedBf16Share()).isZero();
    }
}
