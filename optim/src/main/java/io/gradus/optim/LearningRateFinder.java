package io.gradus.optim;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * The learning rate range test (Smith 2017, Cyclical learning rates, section 3.3), like fastai's {@code lr_find}: the learning
 * rate increases at each step from far too low to far too high, and the losses show which rates train.
 *
 * {@snippet :
 * Variable w = Variable.parameter("w", Tensor.of(new float[] {3}, 1));
 * Optimizer optimizer = new Sgd(ParameterGroups.single(List.of(w), 0), 0);
 * LearningRateFinder finder = new LearningRateFinder(1e-5, 100, 100);
 * while (finder.isRunning()) {
 *     optimizer.zeroGrad();
 *     Variable loss = w.multiply(w).sum();
 *     loss.backward();
 *     optimizer.setLearningRate(finder.rate());
 *     optimizer.step();
 *     finder.add(loss.item()); // the loss before the step
 * }
 * double rate = finder.suggestion().steepest();
 * }
 *
 * The test ruins the weights; load them again afterwards. The rate grows by a constant factor from step to step. Losses are
 * smoothed by the average {@code a = 0.98·a + 0.02·loss}, divided by {@code 1 − 0.98ⁿ} to correct its start at 0. The test ends
 * after the last step, or when the smoothed loss exceeds four times its minimum or is not finite. These choices are fastai's.
 */
public final class LearningRateFinder {
    private static final double SMOOTHING = 0.98;
    private static final double DIVERGED = 4;

    /** fastai ignores the first tenth of the steps, where the average covers few losses, and the last five. */
    private static final int HEAD = 10;

    private static final int TAIL = 5;

    /** A descent of this many standard errors is clear. */
    private static final double CLEAR = 5;

    /** Rates that are further apart than this factor are coarse. */
    private static final double COARSE = 1.5;

    /** The standard deviation of a normal distribution, divided by the median of its absolute values. */
    private static final double MEDIAN_TO_DEVIATION = 1.4826;

    private final double low;
    private final double high;
    private final int steps;
    private final List<Point> points = new ArrayList<>();
    private double average;
    private double lowest = Double.POSITIVE_INFINITY;
    private boolean diverged;

    /**
     * One step of the test.
     *
     * @param rate the learning rate
     * @param loss the loss given to {@link #add}
     * @param smoothed the smoothed loss
     */
    public record Point(double rate, double loss, double smoothed) {}

    /**
     * Two rules of thumb for the learning rate.
     *
     * @param steepest the rate at which the smoothed loss falls fastest as a function of the logarithm of the rate
     * @param tenthOfMinimum a tenth of the rate with the lowest smoothed loss: the more careful choice
     */
    public record Suggestion(double steepest, double tenthOfMinimum) {}

    /**
     * @param low the first rate, greater than 0
     * @param high the last rate, greater than the first
     * @param steps at least 20; 100 is usual
     * @throws IllegalArgumentException if a number is out of range
     */
    public LearningRateFinder(double low, double high, int steps) {
        if (!(low > 0 && high > low) || Double.isInfinite(high)) {
            throw new IllegalArgumentException("learning rate finder: the rates are " + low + " to " + high
                    + "; the first must be greater than 0 and less than the last");
        }
        if (steps < 2 * HEAD) {
            throw new IllegalArgumentException(
                    "learning rate finder: " + steps + " steps are too few; use at least " + 2 * HEAD);
        }
        this.low = low;
        this.high = high;
        this.steps = steps;
    }

    /** Whether the test needs another step. */
    public boolean isRunning() {
        return !diverged && points.size() < steps;
    }

    /** The learning rate of the next step: {@code low·(high/low)^(i/(steps − 1))}. */
    public double rate() {
        return low * Math.pow(high / low, (double) points.size() / (steps - 1));
    }

    /**
     * Records the loss of a step at {@link #rate()}.
     *
     * @throws IllegalStateException if the test has ended
     */
    public void add(double loss) {
        if (!isRunning()) {
            throw new IllegalStateException("learning rate finder: the test ended after " + points.size() + " steps");
        }
        average = SMOOTHING * average + (1 - SMOOTHING) * loss;
        double smoothed = average / (1 - Math.pow(SMOOTHING, points.size() + 1));
        points.add(new Point(rate(), loss, smoothed));
        lowest = Math.min(lowest, smoothed);
        diverged = !Double.isFinite(smoothed) || smoothed > DIVERGED * lowest;
    }

    /** Whether the test ended early because the loss diverged. */
    public boolean diverged() {
        return diverged;
    }

    /** All steps so far, for a chart. */
    public List<Point> points() {
        return List.copyOf(points);
    }

    /**
     * Suggests learning rates from the steps after the first tenth and before the last five.
     *
     * @throws IllegalStateException if the test is still running, ended too early, or the loss never fell
     */
    public Suggestion suggestion() {
        if (isRunning()) {
            throw new IllegalStateException(
                    "learning rate finder: the test is still running, at step " + points.size() + " of " + steps);
        }
        int from = steps / HEAD;
        int to = points.size() - TAIL;
        if (to - from < 3) {
            throw new IllegalStateException("learning rate finder: the loss diverged after " + points.size()
                    + " steps, at a rate of " + points.getLast().rate() + "; start below " + low);
        }
        int minimum = from;
        int steepest = from;
        double slope = 0; // log(rate) grows by a constant, so differences of the loss are proportional to the slope
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
            throw new IllegalStateException("learning rate finder: the loss never fell between rates of "
                    + points.get(from).rate() + " and " + points.get(to - 1).rate() + "; start below " + low);
        }
        return new Suggestion(points.get(steepest).rate(), points.get(minimum).rate() / 10);
    }

    /**
     * Says why the suggestion should not be trusted, if the losses give a reason: no mean loss of neighboring steps lies clearly
     * below the mean of the first steps, or the rates are far apart.
     *
     * <p>The noise of a loss is estimated by the median of the differences of successive losses, as far as the lowest mean. A
     * mean of {@code k} losses then has the standard error {@code noise / √k}. The lowest mean of many is low by chance: flat
     * noise passes the limit of five standard errors in about 3% of tests.
     */
    public Optional<String> doubt() {
        int k = Math.max(3, points.size() / HEAD);
        if (points.size() < 2 * k) {
            return Optional.of("only " + points.size() + " rates were tried");
        }
        double first = mean(0, k);
        int lowestAt = 0;
        for (int i = 1; i + k <= points.size(); i++) {
            lowestAt = mean(i, k) < mean(lowestAt, k) ? i : lowestAt; // false if the mean is NaN
        }
        double descent = first - mean(lowestAt, k);
        double noise = noise(Math.max(lowestAt + k, 2 * k));
        if (!(descent > CLEAR * noise / Math.sqrt(k))) {
            return Optional.of(String.format(
                    Locale.ROOT,
                    "the losses vary by about %.2g from step to step, and the lowest are only %.2g below the first,"
                            + " which may be chance",
                    noise,
                    descent));
        }
        double factor = Math.pow(high / low, 1.0 / (steps - 1));
        return factor > COARSE
                ? Optional.of(String.format(
                        Locale.ROOT,
                        "only %d rates were tried, each %.1f times the one before, so the suggestion is rough",
                        points.size(),
                        factor))
                : Optional.empty();
    }

    private double mean(int from, int count) {
        return points.subList(from, from + count).stream()
                .mapToDouble(Point::loss)
                .average()
                .orElseThrow();
    }

    /** Estimates the standard deviation of the first losses; the median ignores the steps at which they fall. */
    private double noise(int count) {
        double[] differences = IntStream.range(1, count)
                .mapToDouble(
                        i -> Math.abs(points.get(i).loss() - points.get(i - 1).loss()))
                .sorted()
                .toArray();
        return MEDIAN_TO_DEVIATION * differences[differences.length / 2] / Math.sqrt(2);
    }
}
