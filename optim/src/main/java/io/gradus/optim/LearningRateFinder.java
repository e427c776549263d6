package io.gradus.optim;

import java.util.ArrayList;
import java.util.List;

/**
 * Looks for a learning rate before the run (Smith 2017, Cyclical learning rates, section 3.3): over some steps the rate
 * grows from far too low to far too high, and the loss says where learning begins and where it ends.
 *
 * <pre>{@code
 * LearningRateFinder finder = new LearningRateFinder(1e-7, 1, 100);
 * while (finder.isRunning()) {
 *     optimizer.setLearningRate(finder.rate());
 *     double loss = ...;       // of a batch, before its step
 *     optimizer.step();
 *     finder.add(loss);
 * }
 * double rate = finder.suggestion().steepest();
 * }</pre>
 *
 * The weights are spoilt afterwards; load them again. The rate grows by a constant factor from step to step; losses are
 * smoothed by an average {@code a = 0.98·a + 0.02·loss} that is divided by {@code 1 − 0.98ⁿ}, since it begins at 0; the
 * test ends when that is above four times its least value or not finite, or after the last step. These are the choices
 * of fastai's {@code lr_find}.
 */
public final class LearningRateFinder {
    private static final double SMOOTHING = 0.98;
    private static final double DIVERGED = 4;

    /** What fastai cuts off: the first tenth, where the average has seen little, and the last steps before the end. */
    private static final int HEAD = 10;

    private static final int TAIL = 5;

    private final double low;
    private final double high;
    private final int steps;
    private final List<Point> points = new ArrayList<>();
    private double average;
    private double least = Double.POSITIVE_INFINITY;
    private boolean diverged;

    /**
     * One step of the test.
     *
     * @param rate the learning rate
     * @param loss as it was added
     * @param smoothed the average up to here
     */
    public record Point(double rate, double loss, double smoothed) {}

    /**
     * Two rates of thumb.
     *
     * @param steepest where the smoothed loss falls fastest over the logarithm of the rate
     * @param tenthOfMinimum a tenth of the rate at which it is least
     */
    public record Suggestion(double steepest, double tenthOfMinimum) {}

    /**
     * @param low the first rate, above 0
     * @param high the last one, above the first
     * @param steps at least 20; 100 is usual
     * @throws IllegalArgumentException when a number is out of its range
     */
    public LearningRateFinder(double low, double high, int steps) {
        if (!(low > 0 && high > low) || Double.isInfinite(high)) {
            throw new IllegalArgumentException(
                    "range test: rates from " + low + " to " + high + "; the first must be above 0 and below the last");
        }
        if (steps < 2 * HEAD) {
            throw new IllegalArgumentException(
                    "range test: " + steps + " steps; at least " + 2 * HEAD + " are needed to tell a slope");
        }
        this.low = low;
        this.high = high;
        this.steps = steps;
    }

    /** Whether another step is wanted. */
    public boolean isRunning() {
        return !diverged && points.size() < steps;
    }

    /** The rate of the next step: {@code low·(high/low)^(i/(steps − 1))}. */
    public double rate() {
        return low * Math.pow(high / low, (double) points.size() / (steps - 1));
    }

    /**
     * Takes the loss of a step at {@link #rate()}.
     *
     * @throws IllegalStateException when the test is over
     */
    public void add(double loss) {
        if (!isRunning()) {
            throw new IllegalStateException("range test: it is over after " + points.size() + " steps");
        }
        average = SMOOTHING * average + (1 - SMOOTHING) * loss;
        double smoothed = average / (1 - Math.pow(SMOOTHING, points.size() + 1));
        points.add(new Point(rate(), loss, smoothed));
        least = Math.min(least, smoothed);
        diverged = !Double.isFinite(smoothed) || smoothed > DIVERGED * least;
    }

    /** Whether it ended because the loss did not stay small. */
    public boolean diverged() {
        return diverged;
    }

    /** The steps until now, for a drawing. */
    public List<Point> points() {
        return List.copyOf(points);
    }

    /**
     * Rates to begin with, from the steps between the first tenth and the last five.
     *
     * @throws IllegalStateException when the test still goes on, ended too early, or the loss never fell
     */
    public Suggestion suggestion() {
        if (isRunning()) {
            throw new IllegalStateException("range test: it still goes on, at step " + points.size() + " of " + steps);
        }
        int from = steps / HEAD;
        int to = points.size() - TAIL;
        if (to - from < 3) {
            throw new IllegalStateException("range test: the loss diverged after " + points.size()
                    + " steps, at a rate of " + points.getLast().rate() + "; begin lower than " + low);
        }
        int minimum = from;
        int steepest = from;
        double slope = 0; // the rate grows by a constant factor, so differences are slopes over its logarithm
        for (int i = from + 1; i < to; i++) {
            double change = points.get(i).smoothed() - points.get(i - 1).smoothed();
            if (change < slope) {
                slope = change;
                steepest = i;
            }
            if (points.get(i).smoothed() < points.get(minimum).smoothed()) {
                minimum = i;
            }
        }
        if (slope == 0) {
            throw new IllegalStateException("range test: the loss never fell between rates of "
                    + points.get(from).rate() + " and " + points.get(to - 1).rate() + "; begin lower than " + low);
        }
        return new Suggestion(points.get(steepest).rate(), points.get(minimum).rate() / 10);
    }
}
