package io.gradus.cli.report;

import io.gradus.cli.print.Commands;
import io.gradus.cli.print.TextTable;
import io.gradus.core.safetensors.AtomicFile;
import io.gradus.train.study.ForgettingStudy.Limits;
import io.gradus.train.study.ForgettingStudy.Outcome;
import io.gradus.train.study.ForgettingStudy.Row;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Writes the results of a {@link io.gradus.train.study.ForgettingStudy}, as text, Markdown and a chart. */
public final class ForgettingReport {
    private ForgettingReport() {}

    /** Returns the table for a terminal. */
    public static List<String> lines(Outcome outcome, int width) {
        return table(outcome.rows()).lines(width);
    }

    private static TextTable table(List<Row> rows) {
        Row plain = rows.getFirst();
        List<List<String>> cells = new ArrayList<>();
        cells.add(List.of("loss", "task", "general", "forgotten", "learned %", "forgotten %"));
        cells.add(List.of("before", loss(plain.taskBefore()), loss(plain.generalBefore()), "", "", ""));
        for (Row row : rows) {
            cells.add(List.of(
                    row.variant().name(),
                    loss(row.task()),
                    loss(row.general()),
                    loss(row.forgotten()),
                    percent(row.learned() / plain.learned()),
                    percent(row.forgotten() / plain.forgotten())));
        }
        return new TextTable(cells);
    }

    /** Returns two lines with the results of L2-SP at its limits. */
    public static List<String> limitLines(Outcome outcome) {
        Limits limits = outcome.limits();
        return List.of(
                "λ = 0, " + limits.steps() + " steps: "
                        + (limits.zeroIsPlain() ? "the same bytes as plain" : "NOT the same bytes as plain"),
                String.format(
                        Locale.ROOT,
                        "λ = 1e30, %d steps: the largest change of a weight is %.1e",
                        limits.steps(),
                        limits.largestMove()));
    }

    private static String loss(double value) {
        return String.format(Locale.ROOT, "%.3f", value);
    }

    private static String percent(double part) {
        return Double.isFinite(part) ? String.format(Locale.ROOT, "%.0f", 100 * part) : "–";
    }

    /** Writes the table of an unfinished study to {@code forgetting.md}. */
    public static void write(List<Row> rows, Path folder) throws IOException {
        AtomicFile.write(
                folder.resolve("forgetting.md"), String.join("\n", table(rows).markdown()) + "\n");
    }

    /** Writes {@code forgetting.md} and {@code forgetting.svg}. */
    public static void write(Outcome outcome, Path folder) throws IOException {
        AtomicFile.write(folder.resolve("forgetting.md"), markdown(outcome, folder));
        AtomicFile.write(folder.resolve("forgetting.svg"), svg(outcome.rows()));
    }

    private static String markdown(Outcome outcome, Path folder) {
        List<String> lines = new ArrayList<>(table(outcome.rows()).markdown());
        lines.add("");
        limitLines(outcome).forEach(line -> lines.add("- " + line));
        lines.addAll(Commands.markdown(
                folder, outcome.rows().stream().map(Row::variant).toList()));
        return String.join("\n", lines) + "\n";
    }

    private static String svg(List<Row> rows) {
        Row plain = rows.getFirst();
        List<ScatterChart.Point> points = new ArrayList<>();
        points.add(new ScatterChart.Point("before", plain.taskBefore(), plain.generalBefore()));
        rows.forEach(row -> points.add(new ScatterChart.Point(row.variant().name(), row.task(), row.general())));
        return new ScatterChart(
                        "Learning and forgetting", "loss on the task (held out)", "loss on general text", points)
                .svg();
    }
}
