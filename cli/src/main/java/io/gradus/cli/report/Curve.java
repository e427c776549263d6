package io.gradus.cli.report;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Values over the steps of a run.
 *
 * @param points points in the order of their steps; values may be infinite or NaN
 */
record Curve(List<Point> points) {

    /** A value at one step. */
    record Point(int step, double value) {
        boolean isFinite() {
            return Double.isFinite(value);
        }
    }

    Curve {
        points = List.copyOf(points);
    }

    /** Returns the points up to and including a step. */
    Curve upTo(int step) {
        return new Curve(points.stream().filter(point -> point.step <= step).toList());
    }

    /** Returns a curve whose last value is replaced. */
    Curve endingWith(double value) {
        List<Point> changed = new ArrayList<>(points);
        changed.add(new Point(changed.removeLast().step, value));
        return new Curve(changed);
    }

    /** Returns a constant curve with one point at each end. */
    static Curve level(double value, int from, int to) {
        return new Curve(List.of(new Point(from, value), new Point(to, value)));
    }

    /**
     * Returns a smoothed curve with about {@code samples} points. Each point is the value of a straight line fitted to its
     * neighbors, with larger weights for nearer ones (local regression with tricube weights: Cleveland 1979, "Robust
     * Locally Weighted Regression and Smoothing Scatterplots", without the robustness iterations). Unlike a running mean,
     * the result does not lag and is not biased at the ends.
     *
     * @param width number of neighbors on each side
     */
    Curve smoothed(int width, int samples) {
        List<Point> finite = points.stream().filter(Point::isFinite).toList();
        List<Point> smooth = new ArrayList<>();
        int stride = Math.max(1, finite.size() / samples);
        for (int i = 0; i < finite.size(); i++) {
            if (i % stride == 0 || i == finite.size() - 1) {
                smooth.add(new Point(finite.get(i).step(), fitted(finite, i, width)));
            }
        }
        return new Curve(smooth);
    }

    /**
     * Fits a line around point {@code at} by weighted least squares. With x measured from that point, the value of the
     * line there is its intercept.
     */
    private static double fitted(List<Point> points, int at, int width) {
        double sum = 0;
        double sumX = 0;
        double sumXx = 0;
        double sumY = 0;
        double sumXy = 0;
        for (int i = Math.max(0, at - width); i <= Math.min(points.size() - 1, at + width); i++) {
            double x = i - at;
            double y = points.get(i).value();
            double distance = Math.abs(x) / (width + 1);
            double weight = Math.pow(1 - distance * distance * distance, 3);
            sum += weight;
            sumX += weight * x;
            sumXx += weight * x * x;
            sumY += weight * y;
            sumXy += weight * x * y;
        }
        double determinant = sum * sumXx - sumX * sumX;
        return determinant < 1e-12 ? sumY / sum : (sumXx * sumY - sumX * sumXy) / determinant;
    }

    /**
     * Reduces the curve to at most about {@code most} points. The minimum and the maximum of each stretch are kept, so no
     * extreme is lost. A gap that is as long as a stretch remains a gap.
     */
    Curve thinned(int most) {
        if (points.size() <= most) {
            return this;
        }
        int stretch = Math.ceilDiv(2 * points.size(), most);
        List<Point> kept = new ArrayList<>();
        for (int start = 0; start < points.size(); start += stretch) {
            List<Point> part = points.subList(start, Math.min(points.size(), start + stretch));
            Comparator<Point> byValue = Comparator.comparingDouble(Point::value);
            Point least = part.stream().filter(Point::isFinite).min(byValue).orElse(part.getFirst());
            Point greatest = part.stream().filter(Point::isFinite).max(byValue).orElse(least);
            kept.add(least.step() <= greatest.step() ? least : greatest);
            if (least.step() != greatest.step()) {
                kept.add(least.step() <= greatest.step() ? greatest : least);
            }
        }
        return new Curve(kept);
    }
}
