package io.gradus.cli;

import io.gradus.cli.print.Paragraph;
import io.gradus.cli.print.Quantities;
import io.gradus.core.Names;
import io.gradus.train.delta.Change;
import io.gradus.train.delta.Delta;
import io.gradus.train.delta.DeltaFile;
import io.gradus.train.delta.TensorDelta;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SequencedMap;
import java.util.function.Function;

/**
 * Formats a delta as a table that fits the terminal. If the terminal is too narrow, the least important columns are dropped
 * first, then the middles of long names.
 *
 * @param delta the delta to format
 * @param width columns of the terminal
 */
record DeltaTable(Delta delta, int width) {
    private static final String GAP = "  ";
    /** The column in which the texts of the summary begin. */
    static final int COLUMN = 10;

    private static final int FEWEST_COLUMNS = 2;
    private static final int SHORTEST_BAR = 6;
    private static final int LONGEST_BAR = 20;

    /** A right-aligned column of numbers. Columns with the lowest rank are dropped first. */
    private record Column(String title, int rank, Function<Change, String> text) {}

    private static final List<Column> COLUMNS = List.of(
            new Column("numbers", 1, change -> Quantities.grouped(change.numbers())),
            new Column("‖Δ‖", 3, change -> digits(change.norm())),
            new Column("max |Δ|", 2, change -> digits(change.largest())),
            new Column("‖Δ‖/‖θ₀‖", 5, change -> percent(change.relativeNorm())),
            new Column("BF16 ≠", 4, change -> percent(change.changedBf16Share())));

    // ---- summary ----

    /** Returns lines that name both models and say how much changed. */
    List<String> summary() {
        Change total = delta.total();
        List<TensorDelta> tensors = delta.tensors();
        List<String> lines = new ArrayList<>();
        line(lines, "base", describe(delta.base()));
        line(lines, "tuned", describe(delta.tuned()) + ", " + delta.dtypes());
        if (total.changed() == 0) {
            line(lines, "moved", "nothing: the weights of the two models are the same");
        } else {
            moved(lines, total, tensors);
        }
        if (!delta.files().isEmpty()) {
            line(
                    lines,
                    "files",
                    Names.few(delta.files().stream().map(DeltaFile::name).toList()) + ": as in the tuned model");
        }
        return lines;
    }

    private void moved(List<String> lines, Change total, List<TensorDelta> tensors) {
        line(
                lines,
                "moved",
                tensors.stream().filter(TensorDelta::isStored).count() + " of " + tensors.size() + " tensors, "
                        + Quantities.grouped(total.changed()) + " of " + Quantities.grouped(total.numbers())
                        + " numbers, " + Quantities.grouped(total.changedBf16()) + " of them also in BF16");
        line(
                lines,
                "by",
                "‖Δ‖ " + digits(total.norm()) + ", which is " + percent(total.relativeNorm()) + " of ‖θ₀‖ "
                        + digits(Math.sqrt(total.baseSquares())));
        long inexpressible =
                tensors.stream().mapToLong(TensorDelta::inexpressible).sum();
        if (inexpressible > 0) {
            line(
                    lines,
                    "caution",
                    Quantities.counted(inexpressible, "number")
                            + " changed by more than the dtype can hold, in "
                            + Names.few(
                                    tensors.stream()
                                            .filter(tensor -> tensor.inexpressible() > 0)
                                            .map(TensorDelta::name)
                                            .toList(),
                                    3)
                            + ": apply this delta alone and with factor 1 only");
        }
        if (!delta.leftOut().isEmpty()) {
            line(lines, "left out", Names.few(delta.leftOut(), 3) + ": not weights, or duplicates");
        }
    }

    private static String describe(Delta.Origin origin) {
        String hash = origin.sha256();
        return origin.name() + " (SHA-256 " + hash.substring(0, Math.min(12, hash.length())) + "…)";
    }

    private void line(List<String> lines, String label, String text) {
        lines.addAll(Paragraph.labeled(label, COLUMN, text, width));
    }

    // ---- table ----

    /**
     * Returns a heading, one line per row with a bar for its relative norm, and the total. The common parts {@code model.}
     * and {@code .weight} are removed from names.
     */
    List<String> rows(String heading, SequencedMap<String, Change> named) {
        SequencedMap<String, Change> changes = new LinkedHashMap<>();
        named.forEach((name, change) -> changes.merge(
                name.replaceFirst("^(model|transformer)\\.", "").replaceFirst("\\.weight$", ""), change, Change::plus));
        Change total = delta.total();
        int longest = changes.keySet().stream()
                .mapToInt(String::length)
                .reduce(Math.max(heading.length(), "total".length()), Math::max);
        List<Column> columns = new ArrayList<>(COLUMNS);
        while (columns.size() > FEWEST_COLUMNS && longest + widths(columns, changes, total) > width) {
            columns.remove(
                    columns.stream().min(Comparator.comparingInt(Column::rank)).orElseThrow());
        }
        int right = widths(columns, changes, total);
        int names = Math.clamp(width - right, 1, longest);
        int bar = Math.min(LONGEST_BAR, width - names - right - GAP.length());
        double most =
                changes.values().stream().mapToDouble(DeltaTable::finite).max().orElse(0);

        List<String> lines = new ArrayList<>();
        lines.add(row(heading, names, columns, Column::title, changes, total).stripTrailing());
        changes.forEach((name, change) -> {
            String line = row(name, names, columns, column -> column.text().apply(change), changes, total);
            lines.add((line + (bar < SHORTEST_BAR ? "" : GAP + bar(finite(change), most, bar))).stripTrailing());
        });
        lines.add("─".repeat(names + right));
        lines.add(row("total", names, columns, column -> column.text().apply(total), changes, total));
        lines.add("");
        lines.addAll(Paragraph.wrapped("BF16 ≠ is the share of numbers that differ also when rounded to BF16.", width));
        return lines;
    }

    private static double finite(Change change) {
        return Double.isFinite(change.relativeNorm()) ? change.relativeNorm() : 0;
    }

    private static String row(
            String name,
            int names,
            List<Column> columns,
            Function<Column, String> text,
            Map<String, Change> changes,
            Change total) {
        StringBuilder line = new StringBuilder(pad(shorten(name, names), names));
        for (Column column : columns) {
            String cell = text.apply(column);
            line.append(GAP).append(" ".repeat(width(column, changes, total) - cell.length()));
            line.append(cell);
        }
        return line.toString();
    }

    private static int widths(List<Column> columns, Map<String, Change> changes, Change total) {
        return columns.stream()
                .mapToInt(column -> GAP.length() + width(column, changes, total))
                .sum();
    }

    private static int width(Column column, Map<String, Change> changes, Change total) {
        int longest =
                Math.max(column.title().length(), column.text().apply(total).length());
        for (Change change : changes.values()) {
            longest = Math.max(longest, column.text().apply(change).length());
        }
        return longest;
    }

    /** Shortens a name to {@code layers.4.po…orm.weight}, which keeps the layer number and the kind of weight. */
    private static String shorten(String name, int length) {
        if (name.length() <= length) {
            return name;
        }
        int head = (length - 1) / 2;
        return name.substring(0, head) + "…" + name.substring(name.length() - (length - 1 - head));
    }

    private static String bar(double value, double most, int cells) {
        int filled = most == 0 ? 0 : (int) Math.round(cells * value / most);
        return (value > 0 && filled == 0 ? "▏" : "█".repeat(filled));
    }

    private static String pad(String text, int length) {
        return text + " ".repeat(Math.max(0, length - text.length()));
    }

    /** Formats a number with three significant digits, such as {@code 0.0123}. */
    private static String digits(double value) {
        return value == 0 ? "0" : String.format(Locale.ROOT, "%.3g", value);
    }

    /** Formats a share. Only an exact 0 prints as 0%, and only an exact 1 prints as 100%. */
    private static String percent(double share) {
        double percent = 100 * share;
        if (share == 0) {
            return "0%";
        }
        if (!Double.isFinite(share)) {
            return "–";
        }
        if (share < 1 && percent >= 99.95) {
            return ">99.9%";
        }
        if (percent < 0.001) {
            return "<0.001%";
        }
        return String.format(Locale.ROOT, percent < 0.1 ? "%.3f%%" : percent < 9.995 ? "%.2f%%" : "%.1f%%", percent);
    }
}
