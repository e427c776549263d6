package io.gradus.cli.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.gradus.cli.report.Curve.Point;
import java.util.Random;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class CurveTest {

    @Test
    void smoothingKeepsAStraightLine() {
        Curve line = curve(50, step -> 3 - 0.25 * step);
        assertThat(line.smoothed(7, 1000).points())
                .hasSize(50)
                .allSatisfy(point -> assertThat(point.value()).isCloseTo(3 - 0.25 * point.step(), within(1e-12)));
    }

    @Test
    void smoothingRemovesNoiseAndKeepsTheTrend() {
        Random random = new Random(1);
        double[] noise = random.doubles(400, -1, 1).toArray();
        Curve smooth = curve(400, step -> 5 * Math.exp(-step / 100.0) + noise[step - 1])
                .smoothed(20, 1000);
        double error = smooth.points().stream()
                .mapToDouble(point -> Math.pow(point.value() - 5 * Math.exp(-point.step() / 100.0), 2))
                .average()
                .orElseThrow();
        assertThat(error).isLessThan(1.0 / 3 / 10); // the variance of the noise is 1/3
    }

    @Test
    void smoothingReturnsAboutTheRequestedSamplesAndTheLastPoint() {
        Curve smooth = curve(1003, step -> 1).smoothed(5, 100);
        assertThat(smooth.points()).hasSizeBetween(100, 103);
        assertThat(smooth.points().getLast()).isEqualTo(new Point(1003, 1));
    }

    @Test
    void smoothingSkipsNonFiniteValues() {
        Curve smooth = curve(20, step -> step == 9 ? Double.NaN : 2).smoothed(3, 100);
        assertThat(smooth.points())
                .hasSize(19)
                .allSatisfy(point -> assertThat(point.value()).isCloseTo(2, within(1e-12)));
        assertThat(curve(0, step -> 1).smoothed(3, 100).points()).isEmpty();
        assertThat(curve(1, step -> 7).smoothed(3, 100).points()).containsExactly(new Point(1, 7));
    }

    @Test
    void thinningKeepsExtremesAndOrder() {
        Curve thin = curve(10_000, step -> step == 4321 ? 99 : step == 8765 ? -99 : step % 7)
                .thinned(500);
        assertThat(thin.points()).hasSizeLessThanOrEqualTo(502);
        assertThat(thin.points()).contains(new Point(4321, 99), new Point(8765, -99));
        assertThat(thin.points()).extracting(Point::step).isSorted().doesNotHaveDuplicates();
    }

    @Test
    void thinningKeepsShortCurvesAndLongGaps() {
        Curve few = curve(10, step -> step);
        assertThat(few.thinned(10)).isSameAs(few);
        Curve gap =
                curve(1000, step -> step > 300 && step <= 500 ? Double.NaN : 1).thinned(50);
        assertThat(gap.points()).anyMatch(point -> !point.isFinite());
        assertThat(gap.points()).filteredOn(Point::isFinite).hasSizeGreaterThan(15);
    }

    static Curve curve(int steps, IntToDoubleFunction value) {
        return new Curve(IntStream.rangeClosed(1, steps)
                .mapToObj(step -> new Point(step, value.applyAsDouble(step)))
                .toList());
    }
}
