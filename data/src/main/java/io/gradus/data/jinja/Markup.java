package io.gradus.data.jinja;

/**
 * Text that is marked as safe HTML, by the filters {@code safe} and {@code escape}. Whatever is added to it is escaped.
 *
 * @param text the HTML
 */
record Markup(String text) {

    /** A value as HTML: escaped, unless it is HTML already. */
    static Markup escape(Object value) {
        return value instanceof Markup markup ? markup : new Markup(escaped(Text.str(value)));
    }

    static String escaped(String text) {
        return text.replace("&", "&amp;")
                .replace(">", "&gt;")
                .replace("<", "&lt;")
                .replace("'", "&#39;")
                .replace("\"", "&#34;");
    }
}
