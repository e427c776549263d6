package io.gradus.cli.report;

import java.util.Locale;

/** Writes SVG. */
final class Svg {
    private Svg() {}

    /** Appends formatted text; numbers have a decimal point in every locale. */
    static void append(StringBuilder svg, String format, Object... arguments) {
        svg.append(String.format(Locale.ROOT, format, arguments));
    }

    /** Text with the characters that XML reserves escaped. */
    static String escaped(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
    }
}
