package io.gradus.bench.measure;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class PeaksTest {

    @Test
    void peakDependsOnTheUnit() {
        Peaks peaks = new Peaks(300, 20, 25);

        assertThat(peaks.of(Work.Unit.FLOP)).isEqualTo(300);
        assertThat(peaks.of(Work.Unit.BYTE)).isEqualTo(25);
    }

    @Test
    void rateIsInBillionsPerSecond() {
        assertThat(Work.flops(2e9).rate(0.5)).isEqualTo(4);
    }
}
