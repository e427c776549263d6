package io.gradus.cli.print;

import java.util.ArrayList;
import java.util.List;

/** Fits text into the width of a terminal. */
public final class Paragraph {
    private Paragraph() {}

    /** Appends as many fields to a text as fit, from the first. */
    public static String fitting(String text, List<String> fields, int width) {
        StringBuilder line = new StringBuilder(text);
        for (String field : fields) {
            if (line.length() + 2 + field.length() > width) {
                break;
            }
            line.append("  ").append(field);
        }
        return line.toString();
    }

    /**
     * Wraps text to lines of at most {@code width} characters, all indented as the first. A longer word has a line of its
     * own.
     */
    public static List<String> wrapped(String text, int width) {
        String words = text.stripLeading();
        String indent = text.substring(0, text.length() - words.length());
        List<String> lines = new ArrayList<>();
        StringBuilder line = new StringBuilder();
        for (String word : words.split(" ", -1)) {
            if (!line.isEmpty() && line.length() + 1 + word.length() > width) {
                lines.add(line.toString());
                line.setLength(0);
            }
            line.append(line.isEmpty() ? indent : " ").append(word);
        }
        lines.add(line.toString());
        return lines;
    }

    /**
     * Wraps text after a label. All lines of the text begin in the same column.
     *
     * @param column the number of characters before the text; the label is at least one shorter
     */
    public static List<String> labeled(String label, int column, String text, int width) {
        List<String> lines = new ArrayList<>();
        String start = label;
        for (String part : wrapped(text, width - column)) {
            lines.add(start + " ".repeat(column - start.length()) + part);
            start = "";
        }
        return lines;
    }
}
