package io.gradus.cli.report;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.cli.report.ScatterChart.Point;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** Tests the positions of points and of their names. */
class ScatterChartTest {
    private static String svg(Point... points) {
        return new ScatterChart("title", "across", "up", List.of(points)).svg();
    }

    @Test
    void pointsArePlacedAtTheirValues() {
        assertThat(svg(new Point("low", 0, 0), new Point("high", 1, 1)))
                .contains("<circle cx='76.0' cy='556.0' r='5.0'/>", "<circle cx='856.0' cy='60.0' r='5.0'/>")
                .contains(
                        ">low<", ">high<", ">across<", ">up<", "<desc>low: 0.000, 0.000. high: 1.000, 1.000. </desc>");
    }

    @Test
    void namesOfNearbyPointsDoNotOverlap() {
        String svg =
                svg(new Point("a", 0, 0), new Point("one", 0.5, 0.5), new Point("two", 0.5, 0.5), new Point("z", 1, 1));
        List<String> places = Pattern.compile("class='name(?: y)?' x='([\\d.]+)' y='([\\d.]+)'")
                .matcher(svg)
                .results()
                .map(found -> found.group(1) + " " + found.group(2))
                .toList();
        assertThat(places).hasSize(4).doesNotHaveDuplicates();
    }

    @Test
    void nonFinitePointsAreSkippedAndNamesAreEscaped() {
        assertThat(svg(new Point("a & b", 1, 2), new Point("lost", Double.NaN, 1)))
                .contains("a &amp; b")
                .doesNotContain("lost", "NaN");
        assertThat(svg()).endsWith("</svg>\n");
    }

    @Test
    void namesAreReadable() throws Exception {
        TextBoxes.assertReadable(svg(
                new Point("plain", 2.85, 2.46),
                new Point("L2-SP, λ = 10", 2.9, 2.3),
                new Point("lower half frozen", 3.02, 2.3),
                new Point("mixing 5%", 2.88, 1.91),
                new Point("L2-SP, λ = 100", 3.2, 1.92),
                new Point("rates by depth, ξ = 2.6", 3.42, 1.93),
                new Point("a tenth of the rate", 3.43, 1.91),
                new Point("before, with a name that is long enough to leave the picture on the right", 5.5, 1.4)));
    }
}
