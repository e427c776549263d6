package io.gradus.optim;

import java.util.List;
import java.util.stream.Stream;

/**
 * How the learning rate moves: what the peak rate is multiplied by at each step, made of phases that follow one
 * another. Each phase begins at the level where the one before it ended; after the last the level stays.
 *
 * <pre>{@code
 * Schedule.warmup(100)          // 0 → 1 in 100 steps
 *         .thenCosine(800, 0.1) // → 0.1
 *         .thenConstant(200)    // stays
 *         .thenLinear(100, 0);  // → 0
 * }</pre>
 *
 * The factors of the three usual schedules, {@link #constant()}, {@link #linear(long, long)} and
 * {@link #cosine(long, long, double)}, are those of Hugging Face transformers. A rate that moves in another way needs
 * no schedule: {@link Optimizer#setLearningRate} takes any number.
 *
 * @param start the level at step 0
 * @param phases what follows
 */
public record Schedule(double start, List<Phase> phases) {

    /** How a phase gets from one level to the next; p is the part of its steps that are done. */
    public enum Curve {
        /** {@code from + (to − from)·p}. */
        LINEAR,
        /** {@code to + (from − to)·½(1 + cos πp)} (Loshchilov &amp; Hutter 2017, equation 5, without restarts). */
        COSINE
    }

    /**
     * A stretch of steps.
     *
     * @param curve how the level moves
     * @param steps how long it takes; 0 jumps to the new level
     * @param level where it leads: the factor at the first step after it, at least 0
     */
    public record Phase(Curve curve, long steps, double level) {
        /** @throws IllegalArgumentException when the steps or the level are negative, or the level is not finite */
        public Phase {
            requireNotNegative("the number of steps", steps);
            requireNotNegative("the level", level);
        }

        private double factor(double from, long step) {
            double done = (double) step / steps;
            return switch (curve) {
                case LINEAR -> from + (level - from) * done;
                case COSINE -> level + (from - level) * 0.5 * (1 + Math.cos(Math.PI * done));
            };
        }
    }

    /** @throws IllegalArgumentException when the start is negative or not finite */
    public Schedule {
        requireNotNegative("the start", start);
        phases = List.copyOf(phases);
    }

    // ---- the usual ones ----

    /** The peak rate throughout. */
    public static Schedule constant() {
        return new Schedule(1, List.of());
    }

    /**
     * From 0 to the peak rate in {@code steps} steps, then constant. The first step has the rate 0, as in transformers.
     */
    public static Schedule warmup(long steps) {
        return new Schedule(0, List.of(new Phase(Curve.LINEAR, steps, 1)));
    }

    /**
     * Warm-up, then in a straight line to 0.
     *
     * @param warmupSteps the first of the steps
     * @param totalSteps warm-up included; 0 from there on
     * @throws IllegalArgumentException when a number is negative, or the warm-up longer than the whole
     */
    public static Schedule linear(long warmupSteps, long totalSteps) {
        return warmup(warmupSteps).thenLinear(rest(warmupSteps, totalSteps), 0);
    }

    /**
     * Warm-up, then along half a cosine to a floor, where it stays.
     *
     * @param warmupSteps the first of the steps
     * @param totalSteps warm-up included; the floor from there on
     * @param floor a factor of the peak rate, from 0 to 1
     * @throws IllegalArgumentException when a number is negative, the floor above 1, or the warm-up longer than the
     *     whole
     */
    public static Schedule cosine(long warmupSteps, long totalSteps, double floor) {
        if (!(floor >= 0 && floor <= 1)) {
            throw new IllegalArgumentException(
                    "schedule: the floor is " + floor + "; it is a factor of the peak rate and must be in [0, 1]");
        }
        return warmup(warmupSteps).thenCosine(rest(warmupSteps, totalSteps), floor);
    }

    /**
     * A short steep rise and a long slow fall, both in straight lines (slanted triangular; Howard &amp; Ruder 2018,
     * equation 3): from 1/ratio to 1 in the first part of the steps and back to 1/ratio in the rest. Where the cut is
     * not on a whole step it is moved to the one before, and the fall ends with the last step all the same.
     *
     * @param totalSteps the rise included
     * @param cutFraction which part of the steps the rise takes, from 0 to 1; the paper has 0.1
     * @param ratio how much smaller the least rate is than the peak, at least 1; the paper has 32
     * @throws IllegalArgumentException when a number is out of its range
     */
    public static Schedule slantedTriangular(long totalSteps, double cutFraction, double ratio) {
        if (!(cutFraction >= 0 && cutFraction <= 1)) {
            throw new IllegalArgumentException("schedule: the cut fraction is " + cutFraction
                    + "; it is a part of the steps and must be in [0, 1]");
        }
        if (!(ratio >= 1) || Double.isInfinite(ratio)) {
            throw new IllegalArgumentException("schedule: the ratio is " + ratio + "; it must be at least 1");
        }
        long cut = (long) Math.floor(totalSteps * cutFraction);
        return new Schedule(1 / ratio, List.of()).thenLinear(cut, 1).thenLinear(totalSteps - cut, 1 / ratio);
    }

    private static long rest(long warmupSteps, long totalSteps) {
        if (warmupSteps > totalSteps) {
            throw new IllegalArgumentException("schedule: the warm-up of " + warmupSteps
                    + " steps is longer than the whole of " + totalSteps + "; shorten it or train longer");
        }
        return totalSteps - warmupSteps;
    }

    // ---- one phase more ----

    /** Then in a straight line to a level. */
    public Schedule thenLinear(long steps, double level) {
        return then(new Phase(Curve.LINEAR, steps, level));
    }

    /** Then along half a cosine to a level. */
    public Schedule thenCosine(long steps, double level) {
        return then(new Phase(Curve.COSINE, steps, level));
    }

    /** Then as it is for some steps. */
    public Schedule thenConstant(long steps) {
        return thenLinear(steps, phases.isEmpty() ? start : phases.getLast().level());
    }

    private Schedule then(Phase phase) {
        return new Schedule(
                start, Stream.concat(phases.stream(), Stream.of(phase)).toList());
    }

    // ---- its values ----

    /**
     * What the peak rate is multiplied by.
     *
     * @param step how many steps have been done: 0 for the first
     * @throws IllegalArgumentException when it is negative
     */
    public double factor(long step) {
        requireNotNegative("the step", step);
        double level = start;
        long left = step;
        for (Phase phase : phases) {
            if (left < phase.steps()) {
                return phase.factor(level, left);
            }
            left -= phase.steps();
            level = phase.level();
        }
        return level;
    }

    private static void requireNotNegative(String what, double value) {
        if (!(value >= 0) || Double.isInfinite(value)) {
            throw new IllegalArgumentException(
                    "schedule: " + what + " is " + value + "; it must be a number of at least 0");
        }
    }

    private static void requireNotNegative(String what, long value) {
        if (value < 0) {
            throw new IllegalArgumentException("schedule: " + what + " is " + value + "; it must be at least 0");
        }
    }
}
