package io.gradus.cli.print;

import io.gradus.train.memory.Bytes;
import io.gradus.train.memory.Division;
import io.gradus.train.memory.MemoryPlan;
import io.gradus.train.memory.StepTime;
import io.gradus.train.recipe.Recipe;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Formats what each way to divide a training run costs a process.
 *
 * @param recipe of the run
 * @param processes that train together
 * @param gigabits per second of each process and direction; a column for each
 * @param teraflops per second of each process; if null, the columns have the time of communication only
 */
public record DivisionTable(
        Recipe recipe,
        int processes,
        List<Double> gigabits,
        @Nullable Double teraflops) {

    /** The lines of the table; a narrow terminal gets fewer columns of bytes. */
    public List<String> lines(List<Division.Row> division, int width) {
        List<List<String>> rows = new ArrayList<>();
        List<String> heading = new ArrayList<>(List.of(processes + " ranks", "formula", "kept", "peak", "sent"));
        gigabits.forEach(rate -> heading.add(number(rate) + " Gb/s"));
        rows.add(heading);
        for (Division.Row row : division) {
            MemoryPlan plan = row.plan();
            List<String> cells = new ArrayList<>(List.of(
                    row.parallel().name().toLowerCase(Locale.ROOT),
                    Bytes.format(row.formula()),
                    Bytes.format(row.kept()),
                    Bytes.format(plan.peakBytes()),
                    Bytes.format(plan.sentBytes())));
            gigabits.forEach(rate -> cells.add(time(plan, 1e9 * rate)));
            rows.add(cells);
        }
        return new TextTable(rows).lines(width);
    }

    private String time(MemoryPlan plan, double bandwidth) {
        if (teraflops == null) {
            return seconds(StepTime.sending(plan.sentBytes(), bandwidth)) + " s";
        }
        StepTime time = step(plan, bandwidth);
        String least = seconds(time.atLeast());
        String most = seconds(time.atMost());
        return (least.equals(most) ? most : least + "–" + most) + " s";
    }

    private StepTime step(MemoryPlan plan, double bandwidth) {
        return StepTime.of(
                plan.parameters(),
                plan.tokens() * recipe.gradientAccumulationSteps(),
                recipe.memory().activationCheckpointing(),
                1e12 * (teraflops == null ? Double.NaN : teraflops),
                plan.sentBytes(),
                bandwidth);
    }

    /** What the columns mean, as sentences. */
    public List<String> legend(MemoryPlan plan) {
        List<String> sentences = new ArrayList<>();
        sentences.add(
                "formula: weights, gradients and optimizer state with AdamW (Rajbhandari et al. 2020, figure 1, with "
                        + switch (Division.precision(recipe)) {
                            case F32 -> "4 + 4 + 8";
                            case MIXED -> "2 + 2 + 12";
                        }
                        + " bytes per parameter). kept: the same, planned for the rank with most; peak: all of its memory.");
        sentences.add("sent: by a rank in a step, and as much received at the same time; without latency.");
        if (teraflops != null) {
            sentences.add(String.format(
                    Locale.ROOT,
                    "Gb/s: the time of a step that computes %s tokens per rank in %s s at %s TFLOP/s, from where"
                            + " communication is hidden as far as possible to where nothing is.",
                    Quantities.grouped(plan.tokens() * recipe.gradientAccumulationSteps()),
                    seconds(step(plan, 1).computing()),
                    number(teraflops)));
        } else {
            sentences.add("Gb/s: the time that this takes in a step.");
        }
        return sentences;
    }

    private static String seconds(double seconds) {
        return Quantities.threeDigits(seconds);
    }

    private static String number(double value) {
        return value == Math.rint(value) ? Quantities.grouped((long) value) : Double.toString(value);
    }
}
