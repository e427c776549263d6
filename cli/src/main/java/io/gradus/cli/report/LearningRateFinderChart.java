package io.gradus.cli.report;

import io.gradus.optim.LearningRateFinder.Point;
import io.gradus.train.LearningRateFinderRun;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;
import java.util.stream.DoubleStream;

/**
 * Draws the losses of a learning rate range test over the learning rate, on a logarithmic axis. Losses that have diverged would
 * flatten the rest of the curve: the curve leaves the frame there, and a triangle marks each of them. The SVG file is
 * self-contained and includes the colors of the report for light and dark mode.
 *
 * @param result the result of the test
 */
public record LearningRateFinderChart(LearningRateFinderRun.Result result) {
    private static final int WIDTH = 880;
    private static final int HEIGHT = 424;
    private static final int LEFT = 56;
    private static final int RIGHT = 20;
    private static final int TOP = 76;
    private static final int BOTTOM = 80;
    private static final int FONT = 13;
    private static final int GAP = 6;

    /** Losses above this multiple of the first are cut off. */
    private static final double HIGHEST = 1.5;

    private static final String STYLE = """
        <style>
        svg { --paper: #ffffff; --ink: #1b222c; --soft: #5a6473; --rule: #dfe3e9; --line: #2f6db5; --mark: #c8500a; }
        @media (prefers-color-scheme: dark) {
          svg { --paper: #11151b; --ink: #e4e8ee; --soft: #9aa5b3; --rule: #2b333e; --line: #6ea8ec; --mark: #f0893f; }
        }
        text { font: 13px system-ui, -apple-system, "Segoe UI", "Helvetica Neue", "Noto Sans", Arial, sans-serif; fill: var(--soft); }
        text.title { font-size: 17px; font-weight: 600; fill: var(--ink); }
        text.x { text-anchor: middle; } text.y, text.before { text-anchor: end; }
        text.suggestion { fill: var(--mark); stroke: var(--paper); stroke-width: 4; paint-order: stroke; }
        path { fill: none; stroke: var(--rule); stroke-linecap: round; stroke-linejoin: round; }
        path.raw { stroke: var(--line); opacity: 0.4; }
        path.smoothed { stroke: var(--line); stroke-width: 2; }
        path.suggestion { stroke: var(--mark); stroke-dasharray: 5 4; }
        path.above { fill: var(--line); stroke: none; opacity: 0.6; }
        rect { fill: var(--paper); }
        </style>
        """;

    /** Returns the contents of the SVG file. */
    public String svg() {
        Axis y = axis();
        StringBuilder svg = new StringBuilder();
        Svg.append(svg, "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 %d %d' role='img'>\n", WIDTH, HEIGHT);
        Svg.append(svg, "<title>Loss over the learning rate</title>\n");
        Svg.append(
                svg,
                "<desc>The smoothed loss falls fastest at a rate of %.1e; a tenth of the rate where it is lowest is"
                        + " %.1e.%s</desc>\n",
                result.steepest(),
                result.tenthOfMinimum(),
                result.doubt() == null ? "" : " Little confidence: " + Svg.escaped(result.doubt()) + ".");
        Svg.append(svg, "%s<rect width='%d' height='%d'/>\n", STYLE, WIDTH, HEIGHT);
        Svg.append(svg, "<text class='title' x='16' y='32'>Loss over the learning rate</text>\n");
        text(svg, 54, note(y));
        if (result.doubt() != null) {
            text(svg, HEIGHT - 14, "Little confidence: " + result.doubt() + ".");
        }
        grid(svg, y);
        Svg.append(svg, "<path class='raw' d='%s'/>\n", path(y, Point::loss));
        Svg.append(svg, "<path class='smoothed' d='%s'/>\n", path(y, Point::smoothed));
        above(svg, y);
        suggestions(svg);
        return svg.append("</svg>\n").toString();
    }

    private static void text(StringBuilder svg, int y, String text) {
        Svg.append(svg, "<text x='16' y='%d'>%s</text>\n", y, Svg.escaped(Svg.fitting(text, FONT, WIDTH - 32)));
    }

    /** Returns the axis of losses, which covers all but diverged ones. */
    private Axis axis() {
        double first = result.points().getFirst().smoothed();
        return Axis.covering(
                result.points().stream()
                        .flatMapToDouble(point -> DoubleStream.of(point.loss(), point.smoothed()))
                        .filter(loss -> loss < HIGHEST * first),
                6);
    }

    /** Explains the lines and the triangles. */
    private String note(Axis y) {
        String note = "thin: the loss of each step; thick: smoothed";
        List<Point> above = above(y);
        if (!above.isEmpty()) {
            double most = above.stream()
                    .mapToDouble(Point::loss)
                    .filter(Double::isFinite)
                    .max()
                    .orElse(Double.NaN);
            note += String.format(Locale.ROOT, "; triangles: above %s", y.label(y.max()))
                    + (Double.isNaN(most) ? ", not finite" : String.format(Locale.ROOT, ", up to %.3g", most));
        }
        return note;
    }

    private void grid(StringBuilder svg, Axis y) {
        for (double mark : y.marks()) {
            Svg.append(svg, "<path d='M%d %.1fH%d'/>", LEFT, height(y, mark), WIDTH - RIGHT);
            Svg.append(
                    svg, "<text class='y' x='%d' y='%.1f'>%s</text>\n", LEFT - 8, height(y, mark) + 4, y.label(mark));
        }
        for (String rate : rates()) {
            double at = across(Double.parseDouble(rate));
            Svg.append(svg, "<path d='M%.1f %dv5'/>", at, HEIGHT - BOTTOM);
            Svg.append(svg, "<text class='x' x='%.1f' y='%d'>%s</text>\n", at, HEIGHT - BOTTOM + 20, rate);
        }
        Svg.append(
                svg,
                "<text class='x' x='%d' y='%d'>learning rate</text>\n",
                (LEFT + WIDTH - RIGHT) / 2,
                HEIGHT - BOTTOM + 40);
    }

    /** Returns the labeled rates: powers of ten, and 2 and 5 times those if there are few. */
    private List<String> rates() {
        List<String> rates = new ArrayList<>();
        int from = (int) Math.floor(Math.log10(low()) + 1e-9);
        int to = (int) Math.floor(Math.log10(high()) + 1e-9);
        for (int power = from; power <= to; power++) {
            for (int factor : to - from < 3 ? new int[] {1, 2, 5} : new int[] {1}) {
                String rate = factor + "e" + power;
                double value = Double.parseDouble(rate);
                if (value > low() * (1 - 1e-9) && value < high() * (1 + 1e-9)) {
                    rates.add(rate);
                }
            }
        }
        return rates;
    }

    /** Marks the losses above the frame. */
    private void above(StringBuilder svg, Axis y) {
        for (Point point : above(y)) {
            Svg.append(svg, "<path class='above' d='M%.1f %dl-3.5 6h7z'/>\n", across(point.rate()), TOP - 8);
        }
    }

    private List<Point> above(Axis y) {
        return result.points().stream()
                .filter(point -> !isInside(y, point.loss()))
                .toList();
    }

    private static boolean isInside(Axis y, double loss) {
        return loss <= y.max(); // false for NaN
    }

    /** Draws both suggestions. The lower one has its label on the left, so that no line crosses a label. */
    private void suggestions(StringBuilder svg) {
        boolean steepestIsLower = result.steepest() <= result.tenthOfMinimum();
        suggestion(svg, result.steepest(), "falls fastest", 18, steepestIsLower);
        suggestion(svg, result.tenthOfMinimum(), "a tenth of the lowest", 36, !steepestIsLower);
    }

    private void suggestion(StringBuilder svg, double rate, String what, int down, boolean lower) {
        double at = across(rate);
        String label = String.format(Locale.ROOT, "%.1e: %s", rate, what);
        double width = Svg.width(label, FONT) + GAP;
        boolean left = lower ? at - width > LEFT : at + width > WIDTH;
        Svg.append(svg, "<path class='suggestion' d='M%.1f %dV%d'/>", at, TOP, HEIGHT - BOTTOM);
        Svg.append(
                svg,
                "<text class='suggestion%s' x='%.1f' y='%d'>%s</text>\n",
                left ? " before" : "",
                left ? at - GAP : at + GAP,
                TOP + down,
                label);
    }

    /** Returns the path of one loss of each step. It ends where it leaves the frame, and begins where it comes back. */
    private String path(Axis y, ToDoubleFunction<Point> loss) {
        StringBuilder path = new StringBuilder();
        boolean drawing = false;
        Point before = null;
        for (Point point : result.points()) {
            boolean inside = isInside(y, loss.applyAsDouble(point));
            if (before != null && inside != drawing) {
                edge(path, y, loss, before, point, drawing);
            }
            if (inside) {
                boolean starts = !drawing && (before == null || !Double.isFinite(loss.applyAsDouble(before)));
                move(path, starts, across(point.rate()), height(y, loss.applyAsDouble(point)));
            }
            drawing = inside;
            before = point;
        }
        return path.toString();
    }

    /** Draws to or from the upper edge of the frame, between two points, unless one has no place above it. */
    private void edge(StringBuilder path, Axis y, ToDoubleFunction<Point> loss, Point from, Point to, boolean drawing) {
        double first = loss.applyAsDouble(from);
        double second = loss.applyAsDouble(to);
        if (Double.isFinite(first) && Double.isFinite(second)) {
            double share = (y.max() - first) / (second - first);
            double x = across(from.rate()) + share * (across(to.rate()) - across(from.rate()));
            move(path, !drawing, x, TOP);
        }
    }

    private static void move(StringBuilder path, boolean starts, double x, double y) {
        Svg.append(path, "%s%.1f %.1f", starts ? "M" : "L", x, y);
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
