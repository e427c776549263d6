package io.gradus.cli.report;

import io.gradus.cli.print.Quantities;
import io.gradus.cli.report.Curve.Point;
import io.gradus.train.RunResult;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** What the losses mean, in sentences. */
final class Remarks {
    /** A change smaller than this part of the loss is not spoken of. */
    private static final double WORTH_A_WORD = 0.005;

    private Remarks() {}

    static List<String> of(Metrics metrics, RunResult result) {
        List<String> remarks = new ArrayList<>();
        Curve heldOut = metrics.evaluation("held_out");
        learnt(metrics.evaluation("held_out", result)).ifPresent(remarks::add);
        tooLong(heldOut, result.savedStep()).ifPresent(remarks::add);
        forgot(metrics.evaluation("general", result)).ifPresent(remarks::add);
        return remarks;
    }

    private static Optional<String> learnt(Curve losses) {
        return change(losses).map(change -> "On text of the new kind that it never saw, the model " + verdict(change));
    }

    private static String verdict(double change) {
        if (Math.abs(change) <= WORTH_A_WORD) {
            return "is about as good as before.";
        }
        return change < 0
                ? "predicts each next token better than before."
                : "became worse: a lower learning_rate or fewer steps may help.";
    }

    /** The model would have been better, had it stopped earlier. */
    private static Optional<String> tooLong(Curve losses, int savedStep) {
        Optional<Point> best =
                losses.points().stream().filter(Point::isFinite).min(Comparator.comparingDouble(Point::value));
        return best.filter(point ->
                        point.step() > 0 && losses.points().getLast().value() > point.value() * (1 + WORTH_A_WORD))
                .map(point -> "The lowest held-out loss was " + Quantities.loss(point.value()) + ", at step "
                        + Quantities.grouped(point.step())
                        + (point.step() == savedStep
                                ? "; it rose again after that, and the weights of that step are the ones saved."
                                : "; it rose again after that, so fewer steps would have done."));
    }

    private static Optional<String> forgot(Curve losses) {
        if (losses.points().isEmpty()) {
            return Optional.of("What it forgot was not measured: data.general names a text of the kind that it knew.");
        }
        return change(losses).map(change -> {
            double before = losses.points().getFirst().value();
            double after = losses.points().getLast().value();
            String numbers = Quantities.loss(before) + " → " + Quantities.loss(after) + " nats, "
                    + Quantities.change(before, after);
            return change > WORTH_A_WORD
                    ? "On general text its loss rose (" + numbers + "): of what it knew before, it forgot some."
                    : "On general text its loss did not rise (" + numbers + "): it forgot nothing that this measures.";
        });
    }

    private static Optional<Double> change(Curve losses) {
        if (losses.points().size() < 2) {
            return Optional.empty();
        }
        double before = losses.points().getFirst().value();
        double change = (losses.points().getLast().value() - before) / Math.abs(before);
        return Double.isFinite(change) ? Optional.of(change) : Optional.empty();
    }
}
