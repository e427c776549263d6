package io.gradus.cli.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.stream.DoubleStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AxisTest {

    @ParameterizedTest
    @CsvSource({"0.7, 1", "1, 1", "1.01, 2", "2.3, 5", "5, 5", "5.1, 10", "0.03, 0.05", "1.0e-7, 1.0e-7", "1999, 2000"})
    void roundStepIsOneTwoOrFiveTimesAPowerOfTen(double atLeast, double step) {
        assertThat(Axis.roundStep(atLeast)).isCloseTo(step, within(step * 1e-9));
    }

    @Test
    void axisIsRoundedOutwardToMarks() {
        Axis axis = Axis.covering(DoubleStream.of(1.312, 5.103, 2.2), 6);
        assertThat(axis).isEqualTo(new Axis(1, 6, 1));
        assertThat(labels(axis)).containsExactly("1", "2", "3", "4", "5", "6");
    }

    @Test
    void axisEndsAtValuesThatAreMarks() {
        Axis axis = Axis.covering(DoubleStream.of(0.1, 0.3, 0.7), 6);
        assertThat(labels(axis)).containsExactly("0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7");
    }

    @Test
    void axisIgnoresNonFiniteValues() {
        Axis axis =
                Axis.covering(DoubleStream.of(Double.NaN, 1, Double.POSITIVE_INFINITY, 3, Double.NEGATIVE_INFINITY), 2);
        assertThat(axis).isEqualTo(new Axis(1, 3, 1));
    }

    @Test
    void axisOfASingleValueHasRoomAroundIt() {
        Axis axis = Axis.covering(DoubleStream.of(-2.5, -2.5), 4);
        assertThat(axis.min()).isLessThan(-2.5);
        assertThat(axis.max()).isGreaterThan(-2.5);
        assertThat(axis.marks()).hasSizeGreaterThan(2);
    }

    @Test
    void axisWithoutValuesIsZeroToOne() {
        assertThat(Axis.covering(DoubleStream.of(Double.NaN), 2)).isEqualTo(new Axis(0, 1, 0.5));
        assertThat(Axis.fromZero(DoubleStream.of(0, 0), 2)).isEqualTo(new Axis(0, 1, 0.5));
    }

    @Test
    void countingAxisHasWholeNumbersUpToTheLastStep() {
        assertThat(labels(Axis.counting(15, 8))).containsExactly("0", "2", "4", "6", "8", "10", "12", "14");
        assertThat(Axis.counting(15, 8).position(15)).isEqualTo(1);
        assertThat(labels(Axis.counting(3, 8))).containsExactly("0", "1", "2", "3");
        assertThat(labels(Axis.counting(0, 8))).containsExactly("0", "1");
        assertThat(labels(Axis.counting(20_000, 4))).containsExactly("0", "5k", "10k", "15k", "20k");
    }

    @Test
    void labelsOfSmallAndLargeNumbersAreShort() {
        assertThat(labels(Axis.fromZero(DoubleStream.of(5e-4), 2))).containsExactly("0", "5e-4");
        assertThat(labels(Axis.fromZero(DoubleStream.of(3e-5), 3))).containsExactly("0", "1e-5", "2e-5", "3e-5");
        assertThat(labels(Axis.fromZero(DoubleStream.of(0.05), 2))).containsExactly("0", "0.05");
        assertThat(labels(Axis.fromZero(DoubleStream.of(12_300), 3))).containsExactly("0", "5k", "10k", "15k");
        assertThat(labels(Axis.fromZero(DoubleStream.of(2.1e7), 3))).containsExactly("0", "10M", "20M", "30M");
        assertThat(labels(new Axis(-0.5, 0.5, 0.5))).containsExactly("-0.5", "0", "0.5");
    }

    private static List<String> labels(Axis axis) {
        return axis.marks().stream().map(axis::label).toList();
    }
}
