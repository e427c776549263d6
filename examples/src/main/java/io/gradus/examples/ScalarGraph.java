package io.gradus.examples;

import io.gradus.examples.ScalarAutograd.Value;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** Drawings of a {@link Value}'s graph, each node with its value and gradient: as text, for Graphviz, and as SVG. */
public final class ScalarGraph {
    private ScalarGraph() {}

    /**
     * One line per node in the order of computation, with names {@code v1}, {@code v2}, … for intermediate results.
     *
     * <pre>
     * w1                   value  -3.0000   grad   1.0000
     * v1 = w1 × x1         value  -6.0000   grad   0.5000
     * </pre>
     */
    public static String text(Value root) {
        StringBuilder text = new StringBuilder();
        Map<Value, String> names = new HashMap<>();
        int results = 0;
        for (Value value : root.computationOrder()) {
            String left = value.label;
            if (value.edges.isEmpty()) {
                names.put(value, value.label);
            } else {
                List<String> inputs = value.edges.stream()
                        .map(edge -> names.get(edge.input()))
                        .toList();
                String call = inputs.size() == 2
                        ? inputs.get(0) + " " + value.label + " " + inputs.get(1)
                        : value.label + "(" + inputs.getFirst() + ")";
                names.put(value, "v" + ++results);
                left = "v" + results + " = " + call;
            }
            text.append(String.format(Locale.ROOT, "%-18s value %8.4f   grad %8.4f%n", left, value.data, value.grad));
        }
        return text.toString();
    }

    /** A digraph in Graphviz's DOT language, for {@code dot -Tsvg}. */
    public static String dot(Value root) {
        StringBuilder text = new StringBuilder("digraph scalar {\n  rankdir=LR;\n  node [shape=record];\n");
        Map<Value, Integer> numbers = new HashMap<>();
        for (Value value : root.computationOrder()) {
            numbers.put(value, numbers.size());
            text.append(String.format(
                    Locale.ROOT,
                    "  n%d [label=\"%s | value %.4f | grad %.4f\"];%n",
                    numbers.get(value),
                    value.label,
                    value.data,
                    value.grad));
            value.edges.forEach(
                    edge -> text.append("  n" + numbers.get(edge.input()) + " -> n" + numbers.get(value) + ";\n"));
        }
        return text.append("}\n").toString();
    }

    private static final int WIDTH = 104;
    private static final int HEIGHT = 46;
    private static final int COLUMN = 168;
    private static final int ROW = 62;
    private static final int MARGIN = 8;

    /** A drawing with the leaves on the left and the result on the right; an edge carries its local derivative. */
    public static String svg(Value root) {
        Map<Value, Integer> columns = columns(root);
        Map<Value, Double> rows = rows(root, columns);
        int last = columns.values().stream().mapToInt(Integer::intValue).max().orElse(0);
        double bottom =
                rows.values().stream().mapToDouble(Double::doubleValue).max().orElse(0);
        StringBuilder svg = new StringBuilder(String.format(
                Locale.ROOT,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %.0f\" "
                        + "font-family=\"sans-serif\" font-size=\"12\" text-anchor=\"middle\">%n"
                        + "<rect width=\"100%%\" height=\"100%%\" fill=\"#ffffff\"/>%n",
                last * COLUMN + WIDTH + 2 * MARGIN,
                bottom * ROW + HEIGHT + 2 * MARGIN));
        for (Value value : root.computationOrder()) {
            double x = MARGIN + (last - columns.getOrDefault(value, 0)) * COLUMN;
            double y = MARGIN + rows.getOrDefault(value, 0.0) * ROW;
            for (Value.Edge edge : value.edges) {
                double startX = MARGIN + (last - columns.getOrDefault(edge.input(), 0)) * COLUMN + WIDTH;
                double startY = MARGIN + rows.getOrDefault(edge.input(), 0.0) * ROW + HEIGHT / 2.0;
                svg.append(String.format(
                        Locale.ROOT,
                        "<line x1=\"%.0f\" y1=\"%.0f\" x2=\"%.0f\" y2=\"%.0f\" stroke=\"#8a8f98\"/>%n"
                                + "<text x=\"%.0f\" y=\"%.0f\" fill=\"#5a6270\" "
                                + "stroke=\"#ffffff\" stroke-width=\"4\" paint-order=\"stroke\">%.2f</text>%n",
                        startX,
                        startY,
                        x,
                        y + HEIGHT / 2.0,
                        (startX + x) / 2,
                        (startY + y + HEIGHT / 2.0) / 2 + 4,
                        edge.derivative()));
            }
            svg.append(String.format(
                    Locale.ROOT,
                    "<rect x=\"%.0f\" y=\"%.0f\" width=\"%d\" height=\"%d\" rx=\"6\" fill=\"%s\" stroke=\"#5a6270\"/>%n"
                            + "<text x=\"%.0f\" y=\"%.0f\" font-weight=\"bold\">%s %s %.4f</text>%n"
                            + "<text x=\"%.0f\" y=\"%.0f\" fill=\"#b3261e\">grad %.4f</text>%n",
                    x,
                    y,
                    WIDTH,
                    HEIGHT,
                    value.edges.isEmpty() ? "#e8f0fe" : "#f4f4f5",
                    x + WIDTH / 2.0,
                    y + 19,
                    value.label,
                    value.edges.isEmpty() ? "=" : "→",
                    value.data,
                    x + WIDTH / 2.0,
                    y + 36,
                    value.grad));
        }
        return svg.append("</svg>\n").toString();
    }

    /** For each node its greatest distance from the root. */
    private static Map<Value, Integer> columns(Value root) {
        Map<Value, Integer> columns = new HashMap<>(Map.of(root, 0));
        for (Value value : root.computationOrder().reversed()) {
            value.edges.forEach(edge -> columns.merge(edge.input(), columns.getOrDefault(value, 0) + 1, Math::max));
        }
        return columns;
    }

    /** Leaves from top to bottom, each result halfway between its inputs, and at least one row apart within a column. */
    private static Map<Value, Double> rows(Value root, Map<Value, Integer> columns) {
        Map<Value, Double> rows = new HashMap<>();
        Map<Integer, List<Value>> byColumn = new TreeMap<>(Comparator.reverseOrder());
        int leaves = 0;
        for (Value value : root.computationOrder()) {
            rows.put(
                    value,
                    value.edges.isEmpty()
                            ? leaves++
                            : value.edges.stream()
                                    .mapToDouble(edge -> rows.getOrDefault(edge.input(), 0.0))
                                    .average()
                                    .orElseThrow());
            byColumn.computeIfAbsent(columns.getOrDefault(value, 0), column -> new ArrayList<>())
                    .add(value);
        }
        for (List<Value> column : byColumn.values()) {
            column.sort(Comparator.comparing(rows::get));
            for (int i = 1; i < column.size(); i++) {
                double above = rows.getOrDefault(column.get(i - 1), 0.0);
                rows.merge(column.get(i), above + 1, Math::max);
            }
        }
        return rows;
    }
}
