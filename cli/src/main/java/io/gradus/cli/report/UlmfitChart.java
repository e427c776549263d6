package io.gradus.cli.report;

import io.gradus.train.study.UlmfitStudy.Row;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;

/**
 * Draws the errors of classifiers over the number of labels, like figure 3 of Howard &amp; Ruder (2018), as an SVG file that stands
 * alone. The axis of labels is logarithmic.
 *
 * @param rows in ascending order of labels, at least one
 */
record UlmfitChart(List<Row> rows) {
    private static final String TITLE = "Errors of classifiers by the number of labels";
    private static final int WIDTH = 880;
    private static final int HEIGHT = 520;
    private static final int LEFT = 76;
    private static final int RIGHT = 210;
    private static final int TOP = 60;
    private static final int BOTTOM = 64;
    private static final int MARKS = 7;
    private static final double LINE = 16;

    /** Returns the contents of the SVG file. */
    String svg() {
        Axis up = Axis.fromZero(
                rows.stream()
                        .flatMap(row -> Stream.of(row.scratch(), row.pretrained()))
                        .mapToDouble(e -> 100 * e),
                MARKS);
        StringBuilder svg = new StringBuilder();
        Svg.append(svg, "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 %d %d' role='img'>\n", WIDTH, HEIGHT);
        Svg.append(svg, "<title>%s</title>\n<desc>", TITLE);
        rows.forEach(row -> Svg.append(
                svg,
                "%d labels: %.1f%% from scratch, %.1f%% pre-trained. ",
                row.labels(),
                100 * row.scratch(),
                100 * row.pretrained()));
        Svg.append(svg, "</desc>\n%s<rect width='%d' height='%d'/>\n", Svg.STYLE, WIDTH, HEIGHT);
        Svg.append(svg, "<text class='title' x='16' y='32'>%s</text>\n", TITLE);
        grid(svg, up);
        curve(svg, up, " other", Row::scratch);
        curve(svg, up, "", Row::pretrained);
        names(svg, y(up, rows.getLast().scratch()), y(up, rows.getLast().pretrained()));
        return svg.append("</svg>\n").toString();
    }

    private double x(int labels) {
        double first = Math.log(rows.getFirst().labels());
        double last = Math.log(rows.getLast().labels());
        double part = last > first ? (Math.log(labels) - first) / (last - first) : 0.5;
        return LEFT + part * (WIDTH - LEFT - RIGHT);
    }

    private static double y(Axis up, double error) {
        return TOP + (1 - up.position(100 * error)) * (HEIGHT - TOP - BOTTOM);
    }

    private void grid(StringBuilder svg, Axis up) {
        for (double mark : up.marks()) {
            double at = y(up, mark / 100);
            Svg.append(svg, "<path d='M%d %.1fH%d'/>", LEFT, at, WIDTH - RIGHT);
            Svg.append(svg, "<text class='y' x='%d' y='%.1f'>%s</text>\n", LEFT - 8, at + 4, up.label(mark));
        }
        for (Row row : rows) {
            Svg.append(svg, "<path d='M%.1f %dV%d'/>", x(row.labels()), TOP, HEIGHT - BOTTOM);
            Svg.append(
                    svg,
                    "<text class='x' x='%.1f' y='%d'>%s</text>\n",
                    x(row.labels()),
                    HEIGHT - BOTTOM + 20,
                    String.format(Locale.ROOT, "%,d", row.labels()));
        }
        double middle = TOP + (HEIGHT - TOP - BOTTOM) / 2.0;
        Svg.append(
                svg,
                "<text class='x' x='%d' y='%d'>labels (logarithmic)</text>\n",
                LEFT + (WIDTH - LEFT - RIGHT) / 2,
                HEIGHT - 20);
        Svg.append(
                svg,
                "<text class='x' x='20' y='%.1f' transform='rotate(-90 20 %.1f)'>test error, %%</text>\n",
                middle,
                middle);
    }

    /** The names of the curves, next to their last points, and apart from each other. */
    private void names(StringBuilder svg, double scratch, double pretrained) {
        double missing = Math.max(0, LINE - Math.abs(scratch - pretrained)) / 2;
        double up = scratch <= pretrained ? -missing : missing;
        double x = x(rows.getLast().labels()) + 12;
        Svg.append(svg, "<text class='name' x='%.1f' y='%.1f'>from scratch</text>\n", x, scratch + up + 4);
        Svg.append(svg, "<text class='name' x='%.1f' y='%.1f'>pre-trained (ULMFiT)</text>\n", x, pretrained - up + 4);
    }

    private void curve(StringBuilder svg, Axis up, String style, ToDoubleFunction<Row> error) {
        StringBuilder path = new StringBuilder();
        for (Row row : rows) {
            Svg.append(
                    path, "%s%.1f %.1f", path.isEmpty() ? "M" : "L", x(row.labels()), y(up, error.applyAsDouble(row)));
        }
        Svg.append(svg, "<path class='curve%s' d='%s'/>\n", style, path);
        for (Row row : rows) {
            Svg.append(
                    svg,
                    "<circle class='%s' cx='%.1f' cy='%.1f' r='5'/>\n",
                    style.strip(),
                    x(row.labels()),
                    y(up, error.applyAsDouble(row)));
        }
    }
}
