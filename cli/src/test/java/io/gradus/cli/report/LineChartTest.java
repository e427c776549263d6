package io.gradus.cli.report;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.cli.report.Curve.Point;
import io.gradus.cli.report.LineChart.Series;
import java.io.StringReader;
import java.util.List;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.xml.sax.InputSource;

class LineChartTest {

    @Test
    void chartHasGridLineAndDots() throws Exception {
        Curve curve = new Curve(List.of(new Point(0, 4), new Point(5, 3), new Point(10, 2)));
        String svg = chart(curve, true).svg(156, 116);
        assertThat(svg).isEqualTo("""
            <svg class='chart' id='loss' role='img' aria-labelledby='loss-title loss-desc' viewBox='0 0 156 148'>
            <title id='loss-title'>a &lt;title&gt;</title>
            <desc id='loss-desc'>up &amp; down</desc>
            <g class='grid'>
            <path d='M46 108.0h100.0'/><text class='y' x='38' y='112.0'>2</text>
            <path d='M46 58.0h100.0'/><text class='y' x='38' y='62.0'>3</text>
            <path d='M46 8.0h100.0'/><text class='y' x='38' y='12.0'>4</text>
            <path d='M46.0 108.0v4'/><text class='x' x='46.0' y='126.0'>0</text>
            <path d='M96.0 108.0v4'/><text class='x' x='96.0' y='126.0'>5</text>
            <path d='M146.0 108.0v4'/><text class='x' x='146.0' y='126.0'>10</text>
            <text class='x' x='96.0' y='142.0'>step</text>
            </g>
            <path class='heldout' d='M46.0 8.0L96.0 58.0L146.0 108.0'/>
            <circle class='heldout' cx='46.0' cy='8.0' r='3.5'><title>held &amp; out, step 0: 4.000</title></circle>
            <circle class='heldout' cx='96.0' cy='58.0' r='3.5'><title>held &amp; out, step 5: 3.000</title></circle>
            <circle class='heldout' cx='146.0' cy='108.0' r='3.5'><title>held &amp; out, step 10: 2.000</title></circle>
            </svg>
            """);
        assertThat(parsed(svg).getElementsByTagName("circle").getLength()).isEqualTo(3);
    }

    @Test
    void nonFiniteValuesInterruptTheLine() {
        Curve curve = new Curve(List.of(
                new Point(0, 4),
                new Point(1, 3),
                new Point(2, Double.NaN),
                new Point(5, 3),
                new Point(6, Double.POSITIVE_INFINITY),
                new Point(10, 2)));
        assertThat(chart(curve, false).svg(156, 116))
                .contains("d='M46.0 8.0L56.0 58.0M96.0 58.0h0M146.0 108.0h0'")
                .doesNotContain("NaN", "Infinity", "<circle");
    }

    @Test
    void chartWithoutFiniteValuesSaysNothingToDraw() throws Exception {
        String svg = chart(new Curve(List.of(new Point(1, Double.NaN))), true).svg(300, 100);
        assertThat(svg).contains("nothing to draw").doesNotContain("class='heldout'");
        assertThat(parsed(svg).getDocumentElement().getTagName()).isEqualTo("svg");
    }

    private static LineChart chart(Curve curve, boolean dots) {
        Series series = new Series("held & out", "heldout", curve, dots);
        return new LineChart(
                "loss", "a <title>", "up & down", new Axis(0, 10, 5), new Axis(2, 4, 1), List.of(series), true);
    }

    private static Document parsed(String svg) throws Exception {
        return DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(new InputSource(new StringReader(svg)));
    }
}
