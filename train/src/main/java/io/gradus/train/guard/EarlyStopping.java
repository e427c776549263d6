package io.gradus.train.guard;

import org.jspecify.annotations.Nullable;

/**
 * Records the lowest held-out loss of a run, and stops it after too many evaluations without a lower one (Prechelt 1998, "Early
 * Stopping – But When?", criterion UP). The untrained model (step 0) counts as a candidate.
 */
public final class EarlyStopping {
    private final @Nullable Integer patience;
    private State best;

    /**
     * The best evaluation so far, which a checkpoint keeps.
     *
     * @param step after which the loss was lowest; 0 is before the first step
     * @param loss the held-out loss
     * @param since the number of evaluations after it
     */
    public record State(int step, double loss, int since) {
        public static final State NONE = new State(0, Double.POSITIVE_INFINITY, 0);
    }

    /**
     * @param patience the run stops after this many evaluations without a lower loss; null: never
     */
    public EarlyStopping(@Nullable Integer patience, State best) {
        this.patience = patience;
        this.best = best;
    }

    public State best() {
        return best;
    }

    /** Records an evaluation, and returns whether it is the best so far. */
    public boolean improvedBy(int step, double loss) {
        boolean better = loss < best.loss;
        best = better ? new State(step, loss, 0) : new State(best.step, best.loss, best.since + 1);
        return better;
    }

    /** Whether the run should stop. */
    public boolean isExhausted() {
        return patience != null && best.since >= patience;
    }
}
