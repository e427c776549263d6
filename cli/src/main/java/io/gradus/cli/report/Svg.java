package io.gradus.cli.report;

import java.util.Locale;

/** Writes SVG. */
final class Svg {
    /** The style sheet of a file that stands alone, with the colors of the report for light and dark mode. */
    static final String STYLE = """
        <style>
        svg { --paper: #ffffff; --ink: #1b222c; --soft: #5a6473; --rule: #dfe3e9; --point: #2f6db5; --other: #b5562f; }
        @media (prefers-color-scheme: dark) {
          svg { --paper: #11151b; --ink: #e4e8ee; --soft: #9aa5b3; --rule: #2b333e; --point: #5b97dd; --other: #e08a5f; }
        }
        text { font: 13px system-ui, -apple-system, "Segoe UI", "Helvetica Neue", "Noto Sans", Arial, sans-serif; fill: var(--soft); }
        text.title { font-size: 17px; font-weight: 600; fill: var(--ink); }
        text.name { fill: var(--ink); }
        text.x { text-anchor: middle; } text.y { text-anchor: end; }
        path { stroke: var(--rule); }
        circle { fill: var(--point); stroke: var(--paper); stroke-width: 1.5; }
        path.curve { fill: none; stroke: var(--point); stroke-width: 2; }
        path.curve.other { stroke: var(--other); }
        circle.other { fill: var(--other); }
        rect { fill: var(--paper); }
        </style>
        """;

    private Svg() {}

    /** Appends formatted text; numbers have a decimal point in every locale. */
    static void append(StringBuilder svg, String format, Object... arguments) {
        svg.append(String.format(Locale.ROOT, format, arguments));
    }

    /** Text with the characters that XML reserves escaped. */
    static String escaped(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
    }

    /**
     * Estimates the width of text. The fonts of systems differ; this is the width in DejaVu Sans, the widest of them.
     *
     * @param size the font size
     */
    static double width(String text, double size) {
        return size * text.codePoints().mapToDouble(Svg::width).sum();
    }

    private static double width(int character) {
        if (character >= 0x2E80) { // Chinese, Japanese, Korean, and pictures
            return 1.3;
        }
        return switch (character) {
            case 'i', 'j', 'l', 'I', '\'' -> 0.3;
            case ' ', '.', ',', ':', ';', '|', '!', '/', '-', '(', ')', '[', ']', 'f', 't', 'r' -> 0.42;
            case 'm', 'w', 'M', 'W', '%', '@', '…', '+', '×', '=' -> 1;
            default -> Character.isUpperCase(character) ? 0.79 : 0.65;
        };
    }

    /** Shortens text at its end to a width. */
    static String fitting(String text, double size, double width) {
        if (width(text, size) <= width) {
            return text;
        }
        int end = text.length();
        while (end > 0 && width(text.substring(0, end) + "…", size) > width) {
            end = text.offsetByCodePoints(end, -1);
        }
        return text.substring(0, end).stripTrailing() + "…";
    }
}
