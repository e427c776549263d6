package io.gradus.examples;

import io.gradus.autograd.Variable;
import io.gradus.core.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * A Markdown document with Java blocks and the numbers that they produce. A block marked {@code values} holds lines
 * {@code expression = numbers}, or {@code expression =} followed by the rows of a matrix. The blocks of a section, from one
 * heading of level 2 to the next, are one program.
 */
public final class NumberedDocument {
    private static final Pattern FENCE = Pattern.compile("```(\\w*)(.*)");
    private static final Pattern NUMBER = Pattern.compile("-?\\d+(?:\\.(\\d+))?|\\?");

    private final List<String> lines;

    NumberedDocument(String markdown) {
        this.lines = markdown.lines().toList();
    }

    /** The result of an expression: its elements row by row, and the length of a row. */
    record Result(double[] elements, int columns) {
        /** Of a {@code Variable}, a {@code Tensor}, or a number. */
        static Result of(Object value) {
            return switch (value) {
                case Variable variable -> of(variable.value());
                case Tensor tensor -> {
                    double[] elements = tensor.dtype().isFloating()
                            ? tensor.toDoubles()
                            : Arrays.stream(tensor.toInts()).asDoubleStream().toArray();
                    int columns = tensor.shape().rank() == 0
                            ? 1
                            : (int) tensor.shape().last();
                    yield new Result(elements, columns);
                }
                case Number number -> new Result(new double[] {number.doubleValue()}, 1);
                default -> throw new IllegalArgumentException("no numbers: " + value);
            };
        }
    }

    /**
     * One expression of a {@code values} block.
     *
     * @param section the heading of level 2 above it
     * @param left the text before the equals sign, with its padding
     * @param line of the document, counted from 0
     * @param end the line after its last
     * @param numbers as they are written
     */
    record Entry(String section, String left, int line, int end, List<String> numbers) {
        String expression() {
            return left.strip();
        }

        int decimals() {
            Matcher number = NUMBER.matcher(numbers.isEmpty() ? "?" : numbers.getFirst());
            return number.matches() && !number.group().equals("?")
                    ? number.group(1) == null ? 0 : number.group(1).length()
                    : 4;
        }

        /** Whether the numbers as written are the result rounded to as many decimals, up to errors of single precision. */
        boolean matches(Result result) {
            if (result.elements.length != numbers.size()) {
                return false;
            }
            for (int i = 0; i < numbers.size(); i++) {
                double written = numbers.get(i).equals("?") ? Double.NaN : Double.parseDouble(numbers.get(i));
                if (!(Math.abs(written - result.elements[i]) <= 0.5 * Math.pow(10, -decimals()) + 1e-6)) {
                    return false;
                }
            }
            return true;
        }

        /** The lines of this entry with the result in the place of the numbers. */
        List<String> lines(Result result) {
            List<String> texts = new ArrayList<>();
            for (double element : result.elements) {
                texts.add(format(element, decimals()));
            }
            if (texts.size() == result.columns) {
                return List.of(left + "= " + String.join("  ", texts));
            }
            int width = texts.stream().mapToInt(String::length).max().orElse(0);
            List<String> lines = new ArrayList<>(List.of(left + "="));
            for (int row = 0; row < texts.size(); row += result.columns) {
                lines.add("  "
                        + texts.subList(row, row + result.columns).stream()
                                .map(text -> " ".repeat(width - text.length()) + text)
                                .collect(Collectors.joining("  ")));
            }
            return lines;
        }

        private static String format(double number, int decimals) {
            String text = String.format(Locale.ROOT, "%." + decimals + "f", number);
            return text.startsWith("-") && text.matches("[-0.]+") ? text.substring(1) : text;
        }
    }

    /** Every expression of the document, in order. */
    List<Entry> entries() {
        List<Entry> entries = new ArrayList<>();
        String section = "";
        boolean values = false;
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i);
            Matcher fence = FENCE.matcher(line);
            if (fence.matches()) {
                values = !values && fence.group(1).equals("values");
            } else if (line.startsWith("## ")) {
                section = line.substring(3);
            } else if (values) {
                int equals = line.lastIndexOf("=");
                int end = i + 1;
                while (!lines.get(end).contains("=") && !lines.get(end).startsWith("```")) {
                    end++;
                }
                List<String> numbers = NUMBER.matcher(
                                line.substring(equals + 1) + " " + String.join(" ", lines.subList(i + 1, end)))
                        .results()
                        .map(found -> found.group())
                        .toList();
                entries.add(new Entry(section, line.substring(0, equals), i, end, numbers));
                i = end - 1;
            }
        }
        return entries;
    }

    /**
     * The source of a class whose method {@code run} puts the result of each expression into a map, by section and expression.
     *
     * @param extra further expressions to evaluate just before a line, by the line
     */
    String program(String className, String imports, Map<String, List<String>> extra) {
        StringBuilder source = new StringBuilder(imports)
                .append("public class ")
                .append(className)
                .append(" {\npublic static void run(java.util.Map<String, Object> results) throws Exception {\n{\n");
        Map<Integer, Entry> byLine = entries().stream().collect(Collectors.toMap(Entry::line, entry -> entry));
        String section = "";
        boolean java = false;
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i);
            Matcher fence = FENCE.matcher(line);
            for (String expression : extra.getOrDefault(line, List.of())) {
                source.append(evaluation(section, expression));
            }
            if (fence.matches()) {
                java = !java && fence.group(1).equals("java") && fence.group(2).isEmpty();
            } else if (line.startsWith("## ")) {
                section = line.substring(3);
                source.append("}\n{\n");
            } else if (java) {
                source.append(line).append('\n');
            } else if (byLine.containsKey(i)) {
                source.append(evaluation(section, byLine.get(i).expression()));
            }
        }
        return source.append("}\n}\n}\n").toString();
    }

    private static String evaluation(String section, String expression) {
        return "results.put(\"%s: %s\", io.gradus.examples.NumberedDocument.result(%s));\n"
                .formatted(section, expression.replace("\"", "\\\""), expression);
    }

    /** Called by the program. */
    public static Object result(Object value) {
        return Result.of(value);
    }

    /** The document with each expression's result in the place of its numbers. */
    String withResults(Map<String, Object> results) {
        List<String> updated = new ArrayList<>(lines);
        for (Entry entry : entries().reversed()) {
            List<String> span = updated.subList(entry.line(), entry.end());
            span.clear();
            span.addAll(entry.lines((Result) results.get(entry.section() + ": " + entry.expression())));
        }
        return String.join("\n", updated) + "\n";
    }

    /** The lines outside fenced blocks, each with the heading of its section. */
    Map<Integer, String> prose() {
        Map<Integer, String> prose = new TreeMap<>();
        boolean fenced = false;
        for (int i = 0; i < lines.size(); i++) {
            if (lines.get(i).startsWith("```")) {
                fenced = !fenced;
            } else if (!fenced) {
                prose.put(i, lines.get(i));
            }
        }
        return prose;
    }
}
