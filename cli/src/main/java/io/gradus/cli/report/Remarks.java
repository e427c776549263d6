package io.gradus.cli.report;

import io.gradus.cli.print.Quantities;
import io.gradus.cli.report.Curve.Point;
import io.gradus.train.recipe.Recipe.TaskKind;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** Explains the losses in sentences. */
final class Remarks {
    /** The smallest relative change of the loss that is worth a remark. */
    private static final double WORTH_A_WORD = 0.005;

    private Remarks() {}

    /** @param task what was trained */
    static List<String> of(Metrics metrics, Standing standing, TaskKind task) {
        List<String> remarks = new ArrayList<>();
        if (!standing.isFinished()) {
            remarks.add(standing.unfinished());
        }
        Curve heldOut = metrics.evaluation("held_out");
        learnt(metrics.evaluation("held_out", standing), task).ifPresent(remarks::add);
        tooLong(heldOut, standing.savedStep()).ifPresent(remarks::add);
        if (!task.readsExamples()) {
            forgot(metrics.evaluation("general", standing)).ifPresent(remarks::add);
        }
        return remarks;
    }

    private static Optional<String> learnt(Curve losses, TaskKind task) {
        return change(losses).map(change -> "On held-out text, the model " + verdict(change, task));
    }

    private static String verdict(double change, TaskKind task) {
        if (Math.abs(change) <= WORTH_A_WORD) {
            return "is about as good as before.";
        }
        if (change > 0) {
            return "became worse: a lower learning_rate or fewer steps may help.";
        }
        return switch (task) {
            case LANGUAGE_MODELING -> "predicts each next token better than before.";
            case MASKED_LANGUAGE_MODELING -> "predicts each hidden token better than before.";
            case SEQUENCE_CLASSIFICATION, TOKEN_CLASSIFICATION -> "predicts each label better than before.";
            case EMBEDDINGS -> "tells better than before which texts belong together.";
        };
    }

    /** Returns a remark if the held-out loss was lower at an earlier step. */
    private static Optional<String> tooLong(Curve losses, int savedStep) {
        Optional<Point> best =
                losses.points().stream().filter(Point::isFinite).min(Comparator.comparingDouble(Point::value));
        return best.filter(point ->
                        point.step() > 0 && losses.points().getLast().value() > point.value() * (1 + WORTH_A_WORD))
                .map(point -> "The lowest held-out loss was " + Quantities.loss(point.value()) + ", at step "
                        + Quantities.grouped(point.step())
                        + (point.step() == savedStep
                                ? "; it rose again after that, and the weights of that step are the ones saved."
                                : "; it rose again after that, so fewer steps would have been better."));
    }

    private static Optional<String> forgot(Curve losses) {
        if (losses.points().isEmpty()) {
            return Optional.of(
                    "Forgetting was not measured. To measure it, set data.general to a text like the pre-training"
                            + " data.");
        }
        return change(losses).map(change -> {
            double before = losses.points().getFirst().value();
            double after = losses.points().getLast().value();
            String numbers = Quantities.loss(before) + " → " + Quantities.loss(after) + " nats, "
                    + Quantities.change(before, after);
            return change > WORTH_A_WORD
                    ? "On general text its loss rose (" + numbers + "): the model forgot some of what it knew."
                    : "On general text its loss did not rise (" + numbers + "): no forgetting was measured.";
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
