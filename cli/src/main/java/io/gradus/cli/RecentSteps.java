package io.gradus.cli;

import io.gradus.train.TrainingListener.Step;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Locale;
import java.util.function.ToDoubleFunction;

/** The latest steps of a run. The loss, the speed, and the time left that a console shows are their means. */
final class RecentSteps {
    private final Deque<Step> steps = new ArrayDeque<>();
    private final int most;

    /** Keeps at most {@code most} steps. */
    RecentSteps(int most) {
        this.most = most;
    }

    void add(Step step) {
        if (steps.size() == most) {
            steps.removeFirst();
        }
        steps.addLast(step);
    }

    void clear() {
        steps.clear();
    }

    /** Returns the mean loss with the number of steps, so that nobody takes it for the loss of one step. */
    String loss(int decimals) {
        String mean = String.format(Locale.ROOT, "loss %." + decimals + "f", sum(Step::loss) / steps.size());
        return steps.size() == 1 ? mean : mean + " (mean of " + steps.size() + ")";
    }

    double tokensPerSecond() {
        return sum(Step::tokens) / sum(Step::seconds);
    }

    double secondsPerStep() {
        return sum(Step::seconds) / steps.size();
    }

    private double sum(ToDoubleFunction<Step> number) {
        return steps.stream().mapToDouble(number).sum();
    }
}
