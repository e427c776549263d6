package io.gradus.train.guard;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Finds the steps whose loss is a spike, and which are better not made: one odd batch can undo hundreds of steps, and Adam
 * remembers it for a thousand more. With μ and σ the mean and the standard deviation of the last losses that were none,
 *
 * <pre>
 *   z = (loss − μ) / σ     a spike where z > limit
 * </pre>
 *
 * σ counts as at least a hundredth of μ, so that losses that hardly differ do not make a spike of the next. Nothing is judged
 * until enough losses are known. A loss that is not finite is a spike too.
 *
 * <p>Many spikes in a row are none: the loss has a new level, and skipping would go on for ever. Then the run ends.
 */
public final class SpikeGuard {
    /** Losses that are remembered. */
    static final int WINDOW = 64;
    /** Losses that must be known before one is judged. */
    static final int ENOUGH = 16;
    /** Steps skipped in a row that end the run. */
    static final int TOO_MANY = 10;

    private static final double LEAST_DEVIATION = 0.01;

    private final @Nullable Double limit;
    private final Deque<Double> losses;
    private int inARow;
    private int skipped;

    /**
     * What a checkpoint keeps.
     *
     * @param losses the last that were no spikes, oldest first
     * @param inARow steps skipped since
     * @param skipped steps skipped in all
     */
    public record State(List<Double> losses, int inARow, int skipped) {
        public static final State NONE = new State(List.of(), 0, 0);

        public State {
            losses = List.copyOf(losses);
        }
    }

    /**
     * @param limit the z-score above which a loss is a spike; null: none is
     */
    public SpikeGuard(@Nullable Double limit, State state) {
        this.limit = limit;
        this.losses = new ArrayDeque<>(state.losses);
        this.inARow = state.inARow;
        this.skipped = state.skipped;
    }

    public State state() {
        return new State(List.copyOf(losses), inARow, skipped);
    }

    /**
     * Whether the step with this loss is to be skipped, and why. Each step's loss is asked about once, in order.
     *
     * @throws TrainingException when too many steps in a row were skipped
     */
    public Optional<String> reasonToSkip(double loss) {
        if (limit == null) {
            return Optional.empty();
        }
        if (losses.size() >= ENOUGH) {
            double mean = mean();
            double z = (loss - mean) / deviation(mean);
            if (!(z <= limit)) { // NaN too
                inARow++;
                skipped++;
                requireNotForEver(mean);
                return Optional.of(reason(loss, z, mean));
            }
        }
        inARow = 0;
        losses.addLast(loss);
        if (losses.size() > WINDOW) {
            losses.removeFirst();
        }
        return Optional.empty();
    }

    private double mean() {
        return losses.stream().mapToDouble(Double::doubleValue).sum() / losses.size();
    }

    private double deviation(double mean) {
        double squares = 0;
        for (double loss : losses) {
            squares += (loss - mean) * (loss - mean);
        }
        return Math.max(Math.sqrt(squares / (losses.size() - 1)), LEAST_DEVIATION * mean);
    }

    private String reason(double loss, double z, double mean) {
        return Double.isFinite(z)
                ? String.format(
                        Locale.ROOT,
                        "its loss of %.4g is %.1f standard deviations above the mean of the last %d, %.4g",
                        loss,
                        z,
                        losses.size(),
                        mean)
                : String.format(Locale.ROOT, "its loss is %s", loss);
    }

    private void requireNotForEver(double mean) {
        if (inARow >= TOO_MANY) {
            throw new TrainingException(String.format(
                    Locale.ROOT,
                    "the last %d steps were all skipped as loss spikes: the loss has left its level of %.4g for good;"
                            + " take a lower learning_rate, a longer warmup, or a higher spike_z (now %s)",
                    inARow,
                    mean,
                    limit));
        }
    }
}
