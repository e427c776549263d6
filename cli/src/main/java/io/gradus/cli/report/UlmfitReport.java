package io.gradus.cli.report;

import io.gradus.cli.print.TextTable;
import io.gradus.core.safetensors.AtomicFile;
import io.gradus.train.study.UlmfitStudy.Outcome;
import io.gradus.train.study.UlmfitStudy.Row;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Writes the results of a {@link io.gradus.train.study.UlmfitStudy}, as text, Markdown and a chart. */
public final class UlmfitReport {
    private UlmfitReport() {}

    /** Returns the table for a terminal. */
    public static List<String> lines(Outcome outcome, int width) {
        return table(outcome.rows()).lines(width);
    }

    private static TextTable table(List<Row> rows) {
        List<List<String>> cells = new ArrayList<>();
        cells.add(List.of("test error, %", "from scratch", "pre-trained", "difference"));
        for (Row row : rows) {
            cells.add(List.of(
                    String.format(Locale.ROOT, "%,d labels", row.labels()),
                    percent(row.scratch()),
                    percent(row.pretrained()),
                    percent(row.pretrained() - row.scratch())));
        }
        return new TextTable(cells);
    }

    private static String percent(double share) {
        return String.format(Locale.ROOT, "%.1f", 100 * share);
    }

    /** Returns sentences about the language model and the test. */
    public static List<String> remarks(Outcome outcome) {
        return List.of(
                String.format(
                        Locale.ROOT,
                        "vocabulary: %,d words; perplexity of the task's held-out texts: %.0f after pre-training, %.0f after"
                                + " fine-tuning the language model",
                        outcome.words(),
                        Math.exp(outcome.before()),
                        Math.exp(outcome.after())),
                "always the most frequent class: " + percent(outcome.majority()) + "% errors");
    }

    /** Writes the table of an unfinished study to {@code ulmfit.md}. */
    public static void write(List<Row> rows, Path folder) throws IOException {
        AtomicFile.write(
                folder.resolve("ulmfit.md"), String.join("\n", table(rows).markdown()) + "\n");
    }

    /** Writes {@code ulmfit.md} and {@code ulmfit.svg}. */
    public static void write(Outcome outcome, Path folder) throws IOException {
        List<String> lines = new ArrayList<>(table(outcome.rows()).markdown());
        lines.add("");
        remarks(outcome).forEach(line -> lines.add("- " + line));
        AtomicFile.write(folder.resolve("ulmfit.md"), String.join("\n", lines) + "\n");
        AtomicFile.write(folder.resolve("ulmfit.svg"), new UlmfitChart(outcome.rows()).svg());
    }
}
