package io.gradus.cli.report;

import io.gradus.cli.print.Commands;
import io.gradus.cli.print.Quantities;
import io.gradus.cli.print.TextTable;
import io.gradus.core.safetensors.AtomicFile;
import io.gradus.train.memory.Comparison;
import io.gradus.train.study.MemoryStudy.Row;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Writes the results of a {@link io.gradus.train.study.MemoryStudy}, as text, Markdown and a chart. */
public final class MemoryReport {
    private MemoryReport() {}

    /** Returns the table for a terminal. */
    public static List<String> lines(List<Row> rows, int width) {
        return table(rows).lines(width);
    }

    private static TextTable table(List<Row> rows) {
        List<List<String>> cells = new ArrayList<>();
        cells.add(List.of("peak memory", "planned", "measured", "off by", "tokens/s", "loss"));
        for (Row row : rows) {
            cells.add(List.of(
                    row.variant().name(),
                    megabytes(row.plan().peakBytes()),
                    megabytes(row.measured()),
                    String.format(Locale.ROOT, "%.1f%%", 100 * Math.abs(row.error())),
                    Quantities.grouped(Math.round(row.tokensPerSecond())),
                    String.format(Locale.ROOT, "%.3f", row.loss())));
        }
        return new TextTable(cells);
    }

    /** Formats bytes with three digits, because neighboring rows differ by little. */
    private static String megabytes(long bytes) {
        double value = bytes / 1e6;
        return String.format(Locale.ROOT, value < 10 ? "%.2f MB" : value < 100 ? "%.1f MB" : "%,.0f MB", value);
    }

    /** Writes {@code memory.md} and {@code memory.svg}. */
    public static void write(List<Row> rows, Path folder) throws IOException {
        List<String> lines = new ArrayList<>(table(rows).markdown());
        lines.addAll(Commands.markdown(folder, rows.stream().map(Row::variant).toList()));
        AtomicFile.write(folder.resolve("memory.md"), String.join("\n", lines) + "\n");
        List<Comparison.Row> bars = rows.stream()
                .map(row -> new Comparison.Row(row.variant().name(), row.plan()))
                .toList();
        AtomicFile.write(folder.resolve("memory.svg"), MemoryChart.svg("Planned peak memory", bars));
    }
}
