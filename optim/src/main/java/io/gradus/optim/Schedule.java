package io.gradus.optim;

import java.util.List;
import java.util.stream.Stream;

/**
 * A learning rate schedule: the factor that multiplies the base learning rate at each step. It consists of phases; each starts
 * at the level where the previous one ended, and the last level remains.
 *
 * {@snippet :
 * Schedule schedule = Schedule.warmup(100) // 0 → 1 in 100 steps
 *         .thenCosine(800, 0.1) // → 0.1
 *         .thenConstant(200) // stays at 0.1
 *         .thenLinear(100, 0); // → 0
 * double factor = schedule.factor(50); // 0.5
 * }
 *
 * The factors of {@link #constant()}, {@link #linear(long, long)} and {@link #cosine(long, long, double)} are those of Hugging
 * Face transformers. {@link Optimizer#setLearningRate(Schedule, long)} applies a schedule; for any other rule, compute the rate
 * and call {@link Optimizer#setLearningRate(double)}.
 *
 * @param start the level at step 0
 * @param phases the phases in order
 */
public record Schedule(double start, List<Phase> phases) {

    /** The path from one level to the next; p is the fraction of the phase's steps that are done. */
    public enum Curve {
        /** {@code from + (to − from)·p}. */
        LINEAR,
        /** {@code to + (from − to)·½(1 + cos πp)} (Loshchilov &amp; Hutter 2017, equation 5, without restarts). */
        COSINE
    }

    /**
     * A number of steps with one curve.
     *
     * @param curve the path to the new level
     * @param steps the number of steps; with 0 the level changes at once
     * @param level the factor at the first step after this phase, at least 0
     */
    public record Phase(Curve curve, long steps, double level) {
        /** @throws IllegalArgumentException if the steps or the level are negative, or the level is not finite */
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

    /** @throws IllegalArgumentException if the start is negative or not finite */
    public Schedule {
        requireNotNegative("the start", start);
        phases = List.copyOf(phases);
    }

    // ---- common schedules ----

    /** The base learning rate at every step. */
    public static Schedule constant() {
        return new Schedule(1, List.of());
    }

    /**
     * Linear from 0 to the base learning rate in {@code steps} steps, then constant. The first step has learning rate 0, as in
     * transformers.
     */
    public static Schedule warmup(long steps) {
        return new Schedule(0, List.of(new Phase(Curve.LINEAR, steps, 1)));
    }

    /**
     * Warmup, then linear decay to 0.
     *
     * @param warmupSteps number of warmup steps
     * @param totalSteps number of all steps, including warmup; the factor is 0 afterwards
     * @throws IllegalArgumentException if a number is negative, or the warmup is longer than the total
     */
    public static Schedule linear(long warmupSteps, long totalSteps) {
        return warmup(warmupSteps).thenLinear(rest(warmupSteps, totalSteps), 0);
    }

    /**
     * Warmup, then cosine decay to a minimum, which remains.
     *
     * @param warmupSteps number of warmup steps
     * @param totalSteps number of all steps, including warmup; the factor is the minimum afterwards
     * @param minRatio the minimum as a fraction of the base learning rate, from 0 to 1
     * @throws IllegalArgumentException if a number is negative, the minimum is greater than 1, or the warmup is longer than the
     *     total
     */
    public static Schedule cosine(long warmupSteps, long totalSteps, double minRatio) {
        if (!(minRatio >= 0 && minRatio <= 1)) {
            throw new IllegalArgumentException("schedule: minRatio is " + minRatio
                    + "; it is a fraction of the base learning rate and must be in [0, 1]");
        }
        return warmup(warmupSteps).thenCosine(rest(warmupSteps, totalSteps), minRatio);
    }

    /**
     * The slanted triangular schedule (Howard &amp; Ruder 2018, equation 3): a short linear increase from 1/ratio to 1, then a
     * long linear decay to 1/ratio. The increase takes a whole number of steps, rounded down; the decay takes the rest.
     *
     * @param totalSteps number of all steps
     * @param cutFraction the fraction of the steps that the increase takes, from 0 to 1; 0.1 in the paper
     * @param ratio the peak divided by the minimum, at least 1; 32 in the paper
     * @throws IllegalArgumentException if a number is out of range
     */
    public static Schedule slantedTriangular(long totalSteps, double cutFraction, double ratio) {
        if (!(cutFraction >= 0 && cutFraction <= 1)) {
            throw new IllegalArgumentException("schedule: cutFraction is " + cutFraction
                    + "; it is a fraction of the steps and must be in [0, 1]");
        }
        if (!(ratio >= 1) || Double.isInfinite(ratio)) {
            throw new IllegalArgumentException("schedule: ratio is " + ratio + "; it must be at least 1");
        }
        long cut = (long) Math.floor(totalSteps * cutFraction);
        return new Schedule(1 / ratio, List.of()).thenLinear(cut, 1).thenLinear(totalSteps - cut, 1 / ratio);
    }

    private static long rest(long warmupSteps, long totalSteps) {
        if (warmupSteps > totalSteps) {
            throw new IllegalArgumentException("schedule: the warmup of " + warmupSteps
                    + " steps is longer than the total of " + totalSteps + "; shorten it or train longer");
        }
        return totalSteps - warmupSteps;
    }

    // ---- adding a phase ----

    /** Adds a linear phase to a level. */
    public Schedule thenLinear(long steps, double level) {
        return then(new Phase(Curve.LINEAR, steps, level));
    }

    /** Adds a phase along half a cosine to a level. */
    public Schedule thenCosine(long steps, double level) {
        return then(new Phase(Curve.COSINE, steps, level));
    }

    /** Adds a phase that keeps the level. */
    public Schedule thenConstant(long steps) {
        return thenLinear(steps, phases.isEmpty() ? start : phases.getLast().level());
    }

    private Schedule then(Phase phase) {
        return new Schedule(
                start, Stream.concat(phases.stream(), Stream.of(phase)).toList());
    }

    // ---- values ----

    /**
     * The factor that multiplies the base learning rate.
     *
     * @param step the number of steps done: 0 for the first
     * @throws IllegalArgumentException if it is negative
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
