package io.gradus.bench.report;

import java.util.ArrayList;
import java.util.List;

/** A text table. The first column is left-aligned and the others right-aligned, with two spaces between columns. */
public final class Table {
    private final List<List<String>> rows = new ArrayList<>();

    public Table(String... titles) {
        row(titles);
    }

    /**
     * Adds a row.
     *
     * @throws IllegalArgumentException if it has not as many cells as the first row
     */
    public void row(String... cells) {
        if (!rows.isEmpty() && cells.length != rows.getFirst().size()) {
            throw new IllegalArgumentException("table: a row has " + cells.length + " cells, and the first has "
                    + rows.getFirst().size());
        }
        rows.add(List.of(cells));
    }

    /** The table, with a line separator after each row. */
    public String text() {
        int[] widths = new int[rows.getFirst().size()];
        for (List<String> row : rows) {
            for (int i = 0; i < widths.length; i++) {
                widths[i] = Math.max(widths[i], row.get(i).length());
            }
        }
        StringBuilder text = new StringBuilder();
        for (List<String> row : rows) {
            StringBuilder line = new StringBuilder();
            for (int i = 0; i < widths.length; i++) {
                String space = " ".repeat(widths[i] - row.get(i).length());
                line.append(i == 0 ? "" : "  ").append(i == 0 ? row.get(i) + space : space + row.get(i));
            }
            text.append(line.toString().stripTrailing()).append('\n');
        }
        return text.toString();
    }
}
