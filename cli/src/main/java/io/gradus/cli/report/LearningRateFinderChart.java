package io.gradus.cli.report;

import io.gradus.optim.LearningRateFinder.Point;
import io.gradus.train.LearningRateFinderRun;
import java.util.List;
import java.util.stream.DoubleStream;

/**
 * Draws the losses of a learning rate range test over the learning rate, on a logarithmic axis. The SVG file is
 * self-contained and includes the colors of the report for light and dark mode.
 *
 * @param result the result of the test
 */
public record LearningRateFinderChart(LearningRateFinderRun.Result result) {
    private static final int WIDTH = 880;
    private static final int HEIGHT = 380;
    private static final int LEFT = 56;
    private static final int RIGHT = 20;
    private static final int TOP = 56;
    private static final int BOTTOM = 56;

    private static final String STYLE = """
        <style>
        svg { --paper: #ffffff; --ink: #1b222c; --soft: #5a6473; --rule: #dfe3e9; --line: #2f6db5; --mark: #c8500a; }
        @media (prefers-color-scheme: dark) {
          svg { --paper: #11151b; --ink: #e4e8ee; --soft: #9aa5b3; --rule: #2b333e; --line: #6ea8ec; --mark: #f0893f; }
        }
        text { font: 13px system-ui, -apple-system, "Segoe UI", "Helvetica Neue", "Noto Sans", Arial, sans-serif; fill: var(--soft); }
        text.title { font-size: 17px; font-weight: 600; fill: var(--ink); }
        text.x { text-anchor: middle; } text.y { text-anchor: end; } text.suggestion { fill: var(--mark); }
        path { fill: none; stroke: var(--rule); }
        path.raw { stroke: var(--line); opacity: 0.35; }
        path.smoothed { stroke: var(--line); stroke-width: 2; }
        path.suggestion { stroke: var(--mark); stroke-dasharray: 5 4; }
        rect { fill: var(--paper); }
        </style>
        """;

    /** Returns the contents of the SVG file. */
    public String svg() {
        List<Point> points = result.points().stream()
                .filter(point -> Double.isFinite(point.loss()))
                .toList();
        // Cut off diverged losses, which would flatten the rest of the curve.
        double first = points.getFirst().smoothed();
        Axis y = Axis.covering(
                DoubleStream.concat(
                        points.stream().mapToDouble(Point::smoothed).filter(loss -> loss < 1.5 * first),
                        DoubleStream.of(first)),
                6);
        StringBuilder svg = new StringBuilder();
        Svg.append(svg, "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 %d %d' role='img'>\n", WIDTH, HEIGHT);
        Svg.append(svg, "<title>Loss over the learning rate</title>\n");
        Svg.append(
                svg,
                "<desc>The smoothed loss falls fastest at a rate of %.1e; a tenth of the rate where it is lowest is"
                        + " %.1e.</desc>\n",
                result.steepest(),
                result.tenthOfMinimum());
        Svg.append(svg, "%s<rect width='%d' height='%d'/>\n", STYLE, WIDTH, HEIGHT);
        Svg.append(svg, "<text class='title' x='16' y='32'>Loss over the learning rate</text>\n");
        grid(svg, y);
        Svg.append(svg, "<path class='raw' d='%s'/>\n", path(points, y, false));
        Svg.append(svg, "<path class='smoothed' d='%s'/>\n", path(points, y, true));
        suggestion(svg, result.steepest(), "falls fastest", 14);
        suggestion(svg, result.tenthOfMinimum(), "a tenth of the lowest", 30);
        return svg.append("</svg>\n").toString();
    }

    private void grid(StringBuilder svg, Axis y) {
        for (double mark : y.marks()) {
            Svg.append(svg, "<path d='M%d %.1fH%d'/>", LEFT, height(y, mark), WIDTH - RIGHT);
            Svg.append(
                    svg, "<text class='y' x='%d' y='%.1f'>%s</text>\n", LEFT - 8, height(y, mark) + 4, y.label(mark));
        }
        int from = (int) Math.ceil(Math.log10(low()) - 1e-9);
        int to = (int) Math.floor(Math.log10(high()) + 1e-9);
        for (int power = from; power <= to; power++) {
            double at = across(Math.pow(10, power));
            Svg.append(svg, "<path d='M%.1f %dv5'/>", at, HEIGHT - BOTTOM);
            Svg.append(svg, "<text class='x' x='%.1f' y='%d'>1e%d</text>\n", at, HEIGHT - BOTTOM + 20, power);
        }
        Svg.append(
                svg,
                "<text class='x' x='%d' y='%d'>learning rate</text>\n",
                (LEFT + WIDTH - RIGHT) / 2,
                HEIGHT - BOTTOM + 40);
    }

    private void suggestion(StringBuilder svg, double rate, String what, int down) {
        double at = across(rate);
        Svg.append(svg, "<path class='suggestion' d='M%.1f %dV%d'/>", at, TOP, HEIGHT - BOTTOM);
        Svg.append(svg, "<text class='suggestion' x='%.1f' y='%d'>%.1e: %s</text>\n", at + 6, TOP + down, rate, what);
    }

    private String path(List<Point> points, Axis y, boolean smoothed) {
        StringBuilder path = new StringBuilder();
        for (Point point : points) {
            double loss = smoothed ? point.smoothed() : point.loss();
            // clamped to just outside the frame, so that a line visibly leaves the frame
            double height = Math.clamp(height(y, loss), TOP - 6, HEIGHT - BOTTOM + 6);
            Svg.append(path, "%s%.1f %.1f", path.isEmpty() ? "M" : "L", across(point.rate()), height);
        }
        return path.toString();
    }

    private double low() {
        return result.points().getFirst().rate();
    }

    private double high() {
        return result.points().getLast().rate();
    }

    private double across(double rate) {
        return LEFT + (WIDTH - LEFT - RIGHT) * Math.log(rate / low()) / Math.log(high() / low());
    }

    private static double height(Axis y, double value) {
        return TOP + (HEIGHT - TOP - BOTTOM) * (1 - y.position(value));
    }
}
