package io.gradus.train.guard;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Detects loss spikes, whose steps are skipped: one bad batch can undo hundreds of steps, and Adam's second moment remembers it
 * for a thousand more. With μ and σ the mean and the standard deviation of the recent losses without spikes,
 *
 * <pre>
 *   z = (loss − μ) / σ     a spike where z > limit
 * </pre>
 *
 * σ is at least μ/100, so that small changes after nearly constant losses are not spikes. No spike is detected until there are
 * enough losses. A loss that is not finite is a spike.
 *
 * <p>Too many spikes in a row end the run: the loss has reached a new level, and every further step would be skipped.
 */
public final class SpikeGuard {
    /** The number of recent losses. */
    static final int WINDOW = 64;
    /** The number of losses before a spike can be detected. */
    static final int ENOUGH = 16;
    /** Skipped steps in a row that end the run. */
    static final int TOO_MANY = 10;

    private static final double LEAST_DEVIATION = 0.01;

    private final @Nullable Double limit;
    private final Deque<Double> losses;
    private int inARow;
    private int skipped;

    /**
     * The state that a checkpoint keeps.
     *
     * @param losses the recent losses without spikes, oldest first
     * @param inARow steps skipped since the last of them
     * @param skipped all skipped steps
     */
    public record State(List<Double> losses, int inARow, int skipped) {
        public static final State NONE = new State(List.of(), 0, 0);

        public State {
            losses = List.copyOf(losses);
        }
    }

    /**
     * @param limit the z-score above which a loss is a spike; null: never
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
     * The reason to skip the step with this loss, if there is one. Call this once for each step, in order.
     *
     * @throws TrainingException if too many steps in a row were skipped
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
                    "the last %d steps were all skipped as loss spikes: the loss does not return to its level of %.4g;"
                            + " use a lower learning_rate, a longer warmup, or a higher spike_z (now %s)",
                    inARow,
                    mean,
                    limit));
        }
    }
}
