package io.gradus.cli.report;

import io.gradus.cli.print.Quantities;
import io.gradus.cli.report.Curve.Point;
import java.util.List;

/**
 * Draws curves over the steps of a run as an SVG element of a page. The style sheet of the page sets the colors by the class
 * of each series, so the same drawing works in light mode, in dark mode and in print.
 *
 * @param id the id of the SVG, unique within the page
 * @param title the title for screen readers
 * @param description one sentence that describes the chart
 * @param x the axis of steps
 * @param y the axis of values
 * @param series the curves, drawn in this order
 * @param stepLabels whether to label the marks of the x axis; in a stack of charts only the lowest has labels
 */
record LineChart(String id, String title, String description, Axis x, Axis y, List<Series> series, boolean stepLabels) {
    private static final int LEFT = 46;
    private static final int RIGHT = 10;
    private static final int TOP = 8;
    private static final int BOTTOM = 8;
    private static final int LABELS = 32;

    /**
     * One curve of the chart.
     *
     * @param name the text of the tooltip of each dot
     * @param style the class in the style sheet
     * @param dots whether to mark each value with a dot, for series with few values
     */
    record Series(String name, String style, Curve curve, boolean dots) {}

    /** Returns the SVG. One unit is one pixel if the page shows it at this width. */
    String svg(int width, int height) {
        int whole = stepLabels ? height + LABELS : height;
        StringBuilder svg = new StringBuilder();
        Svg.append(svg, "<svg class='chart' id='%s' role='img' aria-labelledby='%s-title %s-desc'", id, id, id);
        Svg.append(svg, " viewBox='0 0 %d %d'>\n", width, whole);
        Svg.append(svg, "<title id='%s-title'>%s</title>\n", id, Svg.escaped(title));
        Svg.append(svg, "<desc id='%s-desc'>%s</desc>\n", id, Svg.escaped(description));
        Frame frame = new Frame(width - LEFT - RIGHT, height - TOP - BOTTOM);
        grid(svg, frame);
        for (Series one : series) {
            String path = path(one.curve(), frame);
            if (!path.isEmpty()) {
                Svg.append(svg, "<path class='%s' d='%s'/>\n", one.style(), path);
            }
            if (one.dots()) {
                dots(svg, one, frame);
            }
        }
        if (series.stream().noneMatch(one -> one.curve().points().stream().anyMatch(Point::isFinite))) {
            Svg.append(
                    svg,
                    "<text class='empty' x='%.1f' y='%.1f'>nothing to draw</text>\n",
                    LEFT + frame.width / 2,
                    TOP + frame.height / 2 + 4);
        }
        return svg.append("</svg>\n").toString();
    }

    /** The plot area. */
    private final class Frame {
        private final double width;
        private final double height;

        Frame(double width, double height) {
            this.width = width;
            this.height = height;
        }

        double x(double step) {
            return LEFT + width * x.position(step);
        }

        double y(double value) {
            return TOP + height * (1 - y.position(value));
        }
    }

    private void grid(StringBuilder svg, Frame frame) {
        svg.append("<g class='grid'>\n");
        for (double mark : y.marks()) {
            double at = frame.y(mark);
            Svg.append(svg, "<path d='M%d %.1fh%.1f'/>", LEFT, at, frame.width);
            Svg.append(svg, "<text class='y' x='%d' y='%.1f'>%s</text>\n", LEFT - 8, at + 4, y.label(mark));
        }
        for (double mark : x.marks()) {
            double at = frame.x(mark);
            Svg.append(svg, "<path d='M%.1f %.1fv4'/>", at, TOP + frame.height);
            if (stepLabels) {
                Svg.append(
                        svg,
                        "<text class='x' x='%.1f' y='%.1f'>%s</text>\n",
                        at,
                        TOP + frame.height + 18,
                        x.label(mark));
            }
        }
        if (stepLabels) {
            Svg.append(
                    svg,
                    "<text class='x' x='%.1f' y='%.1f'>step</text>\n",
                    LEFT + frame.width / 2,
                    TOP + frame.height + 34);
        }
        svg.append("</g>\n");
    }

    /**
     * Returns the path of a curve. Values that are not finite interrupt it. Round line caps turn a single value between
     * two gaps into a dot.
     */
    private static String path(Curve curve, Frame frame) {
        StringBuilder path = new StringBuilder();
        boolean drawing = false;
        boolean alone = false;
        for (Point point : curve.points()) {
            if (!point.isFinite()) {
                path.append(alone ? "h0" : "");
                drawing = false;
                alone = false;
                continue;
            }
            Svg.append(path, "%s%.1f %.1f", drawing ? "L" : "M", frame.x(point.step()), frame.y(point.value()));
            alone = !drawing;
            drawing = true;
        }
        return path.append(alone ? "h0" : "").toString();
    }

    private static void dots(StringBuilder svg, Series series, Frame frame) {
        for (Point point : series.curve().points()) {
            if (point.isFinite()) {
                Svg.append(
                        svg,
                        "<circle class='%s' cx='%.1f' cy='%.1f' r='3.5'>",
                        series.style(),
                        frame.x(point.step()),
                        frame.y(point.value()));
                Svg.append(
                        svg,
                        "<title>%s, step %d: %s</title></circle>\n",
                        Svg.escaped(series.name()),
                        point.step(),
                        Quantities.loss(point.value()));
            }
        }
    }
}
