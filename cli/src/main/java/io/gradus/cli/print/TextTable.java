package io.gradus.cli.print;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A table of text for a terminal. The first column is left-aligned and all others are right-aligned. If the terminal is too
 * narrow, middle columns are dropped from the left, then long names are truncated.
 *
 * @param rows rows with equal numbers of cells; the first row may be a heading
 */
public record TextTable(List<List<String>> rows) {
    private static final int GAP = 3;
    private static final int SHORTEST_NAME = 8;

    /** Returns the lines of the table, at most {@code width} characters wide if possible. */
    public List<String> lines(int width) {
        int columns = rows.getFirst().size();
        List<Integer> shown =
                new ArrayList<>(IntStream.range(0, columns).boxed().toList());
        while (shown.size() > 2 && width(shown) > width) {
            shown.remove(/* index */ 1);
        }
        int names = Math.max(SHORTEST_NAME, Math.min(columnWidth(0), width - width(shown) + columnWidth(0)));
        return rows.stream().map(row -> line(row, shown, names)).toList();
    }

    /** Returns the table in Markdown with all columns. The first row is the heading. */
    public List<String> markdown() {
        List<String> lines = new ArrayList<>(
                rows.stream().map(row -> "| " + String.join(" | ", row) + " |").toList());
        lines.add(1, "| --- |" + " ---: |".repeat(rows.getFirst().size() - 1));
        return lines;
    }

    private String line(List<String> row, List<Integer> shown, int names) {
        String name = row.getFirst();
        StringBuilder line = new StringBuilder(name.length() > names ? name.substring(0, names - 1) + "…" : name);
        line.repeat(' ', names - line.length());
        for (int column : shown.subList(1, shown.size())) {
            String cell = row.get(column);
            line.repeat(' ', GAP + columnWidth(column) - cell.length()).append(cell);
        }
        return line.toString().stripTrailing();
    }

    private int width(List<Integer> shown) {
        return shown.stream().mapToInt(this::columnWidth).sum() + GAP * (shown.size() - 1);
    }

    private int columnWidth(int column) {
        return rows.stream().mapToInt(row -> row.get(column).length()).max().orElse(0);
    }
}
