package io.gradus.cli.report;

import io.gradus.cli.report.Curve.Point;
import io.gradus.cli.report.LineChart.Series;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;
import java.util.stream.DoubleStream;

/** The charts of a run, stacked over the same steps: losses, learning rate, gradient norm and speed. */
final class Panels {
    private static final int WIDE = 880;
    private static final int NARROW = 360;
    /** The maximum number of points of a curve, about one per pixel. */
    private static final int MOST_POINTS = 880;

    /** Neighbors for smoothing: enough to remove noise in a long run, and few enough to show the first drop of the loss. */
    private static final int WIDEST_SMOOTHING = 250;

    private static final int SMALL = 84;

    private final Metrics metrics;
    private final int steps;

    Panels(Metrics metrics, int steps) {
        this.metrics = metrics;
        this.steps = steps;
    }

    /**
     * A chart with its heading. It is drawn twice, for wide and for narrow pages, because the text of an SVG scales with
     * the SVG.
     */
    record Panel(String heading, List<Key> legend, String wide, String narrow) {}

    /** An entry of the legend. */
    record Key(String style, String text) {}

    List<Panel> all() {
        return List.of(
                losses(),
                small("rate", "Learning rate", Metrics.Step::learningRate, false),
                small("norm", "Gradient norm, before clipping", Metrics.Step::gradientNorm, false),
                small("speed", "Tokens per second", Metrics.Step::tokensPerSecond, true));
    }

    private Panel losses() {
        Curve raw = metrics.curve(Metrics.Step::loss);
        Curve heldOut = metrics.evaluation("held_out");
        Curve general = metrics.evaluation("general");
        List<Series> series = new ArrayList<>();
        List<Key> legend = new ArrayList<>();
        int width = Math.min(raw.points().size() / 25, WIDEST_SMOOTHING);
        if (width == 0) {
            series.add(new Series("Training loss", "training", raw, raw.points().size() == 1));
        } else {
            series.add(new Series("Training loss of each step", "raw", raw.thinned(MOST_POINTS), false));
            series.add(new Series("Training loss, smoothed", "training", raw.smoothed(width, MOST_POINTS / 2), false));
            legend.add(new Key("raw", "training, each step"));
        }
        legend.add(new Key("training", width == 0 ? "training" : "training, smoothed"));
        if (!general.points().isEmpty()) {
            series.add(new Series(
                    "General text before",
                    "baseline",
                    Curve.level(general.points().getFirst().value(), 0, steps),
                    false));
            series.add(new Series("General text", "general", general, true));
        }
        if (!heldOut.points().isEmpty()) {
            series.add(new Series("Held-out text", "heldout", heldOut, true));
            legend.add(new Key("heldout", "held-out text"));
        }
        if (!general.points().isEmpty()) {
            legend.add(new Key("general", "general text"));
            legend.add(new Key("baseline", "general text before training: anything above this line is forgetting"));
        }
        DoubleStream values =
                series.stream().flatMap(one -> one.curve().points().stream()).mapToDouble(Point::value);
        String description = course("Training loss", raw)
                + course(" Loss on held-out text", heldOut)
                + course(" Loss on general text", general);
        Axis y = Axis.covering(values, 6);
        return panel("loss", "Loss, in nats per token", legend, description, y, series, 290, false);
    }

    private Panel small(String id, String heading, ToDoubleFunction<Metrics.Step> number, boolean last) {
        Curve curve = metrics.curve(number);
        Axis y = Axis.fromZero(curve.points().stream().mapToDouble(Point::value), 2);
        List<Series> series = List.of(new Series(
                heading, id, curve.thinned(MOST_POINTS), curve.points().size() == 1));
        return panel(id, heading, List.of(), course(heading, curve), y, series, SMALL, last);
    }

    private Panel panel(
            String id,
            String heading,
            List<Key> legend,
            String description,
            Axis y,
            List<Series> series,
            int height,
            boolean last) {
        boolean labels = last || id.equals("loss");
        return new Panel(
                heading,
                legend,
                new LineChart(id, heading, description, Axis.counting(steps, 8), y, series, labels).svg(WIDE, height),
                new LineChart(id + "-narrow", heading, description, Axis.counting(steps, 4), y, series, labels)
                        .svg(NARROW, Math.min(height, 230)));
    }

    /** Describes a curve in words for screen readers. */
    private static String course(String what, Curve curve) {
        List<Point> finite = curve.points().stream().filter(Point::isFinite).toList();
        if (finite.isEmpty()) {
            return "";
        }
        Point first = finite.getFirst();
        Point last = finite.getLast();
        return String.format(
                Locale.ROOT,
                "%s: %.4g at step %d, %.4g at step %d.",
                what,
                first.value(),
                first.step(),
                last.value(),
                last.step());
    }
}
