package io.gradus.optim;

import java.util.ArrayList;
import java.util.List;

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
}
