package io.gradus.cli.report;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.optim.LearningRateFinder.Point;
import io.gradus.train.LearningRateFinderRun;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.DoubleStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The frame reaches from y = 76 (the highest loss) to y = 344, and from x = 56 to x = 860. */
class LearningRateFinderChartTest {

    private static String svg(double steepest, double tenth, @Nullable String doubt, double... losses) {
        return svg(1e-6, 10, steepest, tenth, doubt, losses);
    }

    /** A test whose smoothed losses are the losses, at rates from {@code low} on. */
    private static String svg(
            double low, double factor, double steepest, double tenth, @Nullable String doubt, double... losses) {
        List<Point> points = new ArrayList<>();
        for (int i = 0; i < losses.length; i++) {
            points.add(new Point(low * Math.pow(factor, i), losses[i], losses[i]));
        }
        return new LearningRateFinderChart(new LearningRateFinderRun.Result(points, steepest, tenth, doubt)).svg();
    }

    private static String path(String svg, String style) {
        return Pattern.compile("<path class='" + style + "' d='([^']*)'")
                .matcher(svg)
                .results()
                .map((MatchResult found) -> found.group(1))
                .findFirst()
                .orElse("");
    }

    @Test
    void divergedLossesLeaveTheFrameAndAreMarked() {
        // The axis reaches from 2 to 4. From 4 to 12 the line ends in the frame's upper edge, where it is 4.
        String svg = svg(1e-4, 1e-4, null, 3, 3, 2, 4, 12, 40, 4);
        assertThat(path(svg, "raw"))
                .isEqualTo("M56.0 210.0L190.0 210.0L324.0 344.0L458.0 76.0L458.0 76.0M860.0 76.0L860.0 76.0");
        assertThat(svg.split("class='above'", -1)).hasSize(1 + 2);
        assertThat(svg).contains("M592.0 68l", "M726.0 68l", "triangles: above 4.0, up to 40");
    }

    @Test
    void lineEndsBetweenTheLastPointInsideAndTheFirstOutside() {
        // From 3 to 11, the line crosses 4 after an eighth of the way: 458 + 134 / 8.
        assertThat(path(svg(1e-4, 1e-4, null, 3, 4, 2, 3, 11, 11, 11), "raw")).endsWith("L458.0 210.0L474.8 76.0");
    }

    @Test
    void lossesThatAreNotFiniteInterruptTheLine() {
        String svg = svg(1e-4, 1e-4, null, 3, 4, 2, Double.NaN, 2, Double.POSITIVE_INFINITY, 3);
        assertThat(path(svg, "raw"))
                .isEqualTo("M56.0 210.0L190.0 76.0L324.0 344.0M592.0 344.0M860.0 210.0")
                .doesNotContain("NaN");
        assertThat(svg).contains("triangles: above 4.0, not finite");
    }

    @Test
    void lowLossesOfSingleStepsAreInTheFrame() {
        String raw = path(svg(1e-4, 1e-4, null, 3.4, 3.4, 3.4, 1.1, 1.2, 1.1, 3.4), "raw");
        assertThat(heights(raw)).allMatch(height -> height < 344 && height >= 76);
        assertThat(svg(1e-4, 1e-4, null, 3, 2)).doesNotContain("class='above'", "triangles");
    }

    private static DoubleStream heights(String path) {
        return Pattern.compile("[ML][\\d.]+ ([\\d.]+)")
                .matcher(path)
                .results()
                .mapToDouble(found -> Double.parseDouble(found.group(1)));
    }

    @ParameterizedTest
    @CsvSource({"1e-6, 1e-6", "1e-6, 1", "1, 1", "1, 1e-6", "1e-3, 1.2e-3", "1.2e-3, 1e-3", "0.5, 1e-2"})
    void labelsAreReadableWhereverTheSuggestionsAre(double steepest, double tenth) throws Exception {
        TextBoxes.assertReadable(svg(steepest, tenth, "the losses vary by about 0.4 & more", 3, 4, 2, 3, 11, 11, 11));
    }

    @Test
    void narrowRangeOfRatesHasSeveralLabels() throws Exception {
        String svg = svg(1e-4, 1.5, 2e-4, 2e-4, null, 3, 3, 2, 2, 3, 4);
        assertThat(svg).contains(">1e-4<", ">2e-4<", ">5e-4<");
        TextBoxes.assertReadable(svg);
    }
}
