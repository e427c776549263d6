package io.gradus.cli.report;

import io.gradus.cli.print.Quantities;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * Draws named points as an SVG file. The file is self-contained and includes the colors of the report for light and dark
 * mode. Each name is placed next to its point so that it covers nothing else, if possible.
 *
 * @param title the title above the chart
 * @param x the label of the horizontal axis
 * @param y the label of the vertical axis
 * @param points the points; those that are not finite are left out
 */
public record ScatterChart(String title, String x, String y, List<Point> points) {
    private static final int WIDTH = 880;
    private static final int HEIGHT = 620;
    private static final int LEFT = 76;
    private static final int RIGHT = 24;
    private static final int TOP = 60;
    private static final int BOTTOM = 64;
    private static final int MARKS = 7;
    private static final double RADIUS = 5;
    private static final int FONT = 13;
    private static final double TITLE_FONT = 17 * 1.1; // bold
    private static final double LINE = 16;

    /** A point and its name. */
    public record Point(String name, double x, double y) {
        boolean isFinite() {
            return Double.isFinite(x) && Double.isFinite(y);
        }
    }

    /** A rectangle that a dot or a name covers. */
    private record Box(double left, double top, double width, double height) {
        boolean touches(Box other) {
            return left < other.left + other.width
                    && other.left < left + width
                    && top < other.top + other.height
                    && other.top < top + height;
        }

        boolean isInside(Box other) {
            return left >= other.left
                    && top >= other.top
                    && left + width <= other.left + other.width
                    && top + height <= other.top + other.height;
        }
    }

    private static final Box FRAME = new Box(LEFT, TOP, WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM);

    /** Returns the contents of the SVG file. */
    public String svg() {
        List<Point> drawn = points.stream().filter(Point::isFinite).toList();
        Axis across = Axis.covering(drawn.stream().mapToDouble(Point::x), MARKS);
        Axis up = Axis.covering(drawn.stream().mapToDouble(Point::y), MARKS);
        StringBuilder svg = new StringBuilder();
        Svg.append(svg, "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 %d %d' role='img'>\n", WIDTH, HEIGHT);
        Svg.append(svg, "<title>%s</title>\n<desc>", Svg.escaped(title));
        drawn.forEach(point -> Svg.append(
                svg, "%s: %s, %s. ", Svg.escaped(point.name), Quantities.loss(point.x), Quantities.loss(point.y)));
        Svg.append(svg, "</desc>\n%s<rect width='%d' height='%d'/>\n", Svg.STYLE, WIDTH, HEIGHT);
        Svg.append(
                svg,
                "<text class='title' x='16' y='32'>%s</text>\n",
                Svg.escaped(Svg.fitting(title, TITLE_FONT, WIDTH - 32)));
        grid(svg, across, up);
        List<Box> dots = drawn.stream()
                .map(point -> {
                    double cx = FRAME.left + FRAME.width * across.position(point.x);
                    double cy = FRAME.top + FRAME.height * (1 - up.position(point.y));
                    return new Box(cx - RADIUS, cy - RADIUS, 2 * RADIUS, 2 * RADIUS);
                })
                .toList();
        List<Box> taken = new ArrayList<>(dots);
        for (int i = 0; i < dots.size(); i++) {
            Box dot = dots.get(i);
            String text = Svg.fitting(drawn.get(i).name, FONT, FRAME.width / 2);
            Box name = place(text, dot, taken);
            taken.add(name);
            // In a narrower font than the estimated one, the name still touches its dot.
            boolean leftOfDot = name.left + name.width <= dot.left;
            Svg.append(
                    svg,
                    "<circle cx='%.1f' cy='%.1f' r='%.1f'/><text class='name%s' x='%.1f' y='%.1f'>%s</text>\n",
                    dot.left + RADIUS,
                    dot.top + RADIUS,
                    RADIUS,
                    leftOfDot ? " y" : "",
                    leftOfDot ? name.left + name.width : name.left,
                    name.top + LINE - 4,
                    Svg.escaped(text));
        }
        return svg.append("</svg>\n").toString();
    }

    private void grid(StringBuilder svg, Axis across, Axis up) {
        for (double mark : across.marks()) {
            double at = FRAME.left + FRAME.width * across.position(mark);
            Svg.append(svg, "<path d='M%.1f %.1fv%.1f'/>", at, FRAME.top, FRAME.height);
            Svg.append(
                    svg,
                    "<text class='x' x='%.1f' y='%.1f'>%s</text>\n",
                    at,
                    FRAME.top + FRAME.height + 20,
                    across.label(mark));
        }
        for (double mark : up.marks()) {
            double at = FRAME.top + FRAME.height * (1 - up.position(mark));
            Svg.append(svg, "<path d='M%.1f %.1fh%.1f'/>", FRAME.left, at, FRAME.width);
            Svg.append(svg, "<text class='y' x='%.1f' y='%.1f'>%s</text>\n", FRAME.left - 8, at + 4, up.label(mark));
        }
        double middle = FRAME.top + FRAME.height / 2;
        Svg.append(
                svg,
                "<text class='x' x='%.1f' y='%d'>%s</text>\n",
                FRAME.left + FRAME.width / 2,
                HEIGHT - 20,
                Svg.escaped(x));
        Svg.append(
                svg,
                "<text class='x' x='20' y='%.1f' transform='rotate(-90 20 %.1f)'>%s</text>\n",
                middle,
                middle,
                Svg.escaped(y));
    }

    /** Finds the place of a name: to the right of the dot if that is free, else around it, nearest first. */
    private static Box place(String name, Box dot, List<Box> taken) {
        double width = Svg.width(name, FONT);
        double right = dot.left + dot.width + 4;
        double left = dot.left - 4 - width;
        double centre = dot.left + RADIUS - width / 2;
        double level = dot.top + RADIUS - LINE / 2;
        return Stream.iterate(0, far -> far + 1)
                .limit(6)
                .flatMap(far -> {
                    double away = far * LINE / 2;
                    return Stream.of(
                            new Box(right, level - away, width, LINE),
                            new Box(left, level - away, width, LINE),
                            new Box(right, level + away, width, LINE),
                            new Box(left, level + away, width, LINE),
                            new Box(centre, level - LINE - away, width, LINE),
                            new Box(centre, level + LINE + away, width, LINE));
                })
                .filter(box -> box.isInside(FRAME) && taken.stream().noneMatch(box::touches))
                .findFirst()
                .orElse(new Box(Math.min(right, WIDTH - width), level, width, LINE)); // covers another name
    }
}
