package io.gradus.cli.report;

import io.gradus.cli.print.MemoryTable;
import io.gradus.cli.report.StackedBars.Bar;
import io.gradus.cli.report.StackedBars.Part;
import io.gradus.core.MemoryCategory;
import io.gradus.train.memory.Comparison;
import java.util.List;
import java.util.stream.Stream;

/** Draws memory plans as an SVG chart: one stacked bar per plan, with one part per category. */
public final class MemoryChart {
    private MemoryChart() {}

    public static String svg(String title, List<Comparison.Row> rows) {
        return new StackedBars(title, rows.stream().map(MemoryChart::bar).toList()).svg();
    }

    private static Bar bar(Comparison.Row row) {
        return new Bar(
                row.name(),
                Stream.of(MemoryCategory.values())
                        .map(category -> new Part(
                                MemoryTable.name(category), row.plan().atPeak().getOrDefault(category, 0L)))
                        .toList());
    }
}
