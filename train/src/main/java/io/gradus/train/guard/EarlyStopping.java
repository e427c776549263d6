package io.gradus.train.guard;

import org.jspecify.annotations.Nullable;

/**
 * Knows the lowest held-out loss of a run, and when it is time to give up (Prechelt 1998, "Early Stopping – But When?",
 * criterion UP, for evaluations without a new lowest loss). The model as it was before the first step takes part.
 */
public final class EarlyStopping {
    private final @Nullable Integer patience;
    private State best;

    /**
     * The best so far; what a checkpoint keeps.
     *
     * @param step after which the loss was lowest, 0 for before the first
     * @param loss on held-out text
     * @param since evaluations after it
     */
    public record State(int step, double loss, int since) {
        public static final State NONE = new State(0, Double.POSITIVE_INFINITY, 0);
    }

    /**
     * @param patience evaluations in a row without a lower loss that end the run; null: it goes to its end
     */
    public EarlyStopping(@Nullable Integer patience, State best) {
        this.patience = patience;
        this.best = best;
    }

    public State best() {
        return best;
    }

    /** Takes note of an evaluation; says whether it was the best. */
    public boolean improvedBy(int step, double loss) {
        boolean better = loss < best.loss;
        best = better ? new State(step, loss, 0) : new State(best.step, best.loss, best.since + 1);
        return better;
    }

    /** Whether the run should end. */
    public boolean isExhausted() {
        return patience != null && best.since >= patience;
    }
}
