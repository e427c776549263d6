package io.gradus.data.jinja;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/** The filter {@code tojson} as transformers defines it: Python's {@code json.dumps}, without escapes for HTML. */
final class Json {
    private final StringBuilder out = new StringBuilder();
    private final boolean ascii;
    private final boolean sorted;
    /** The indentation of one level; empty for one line. */
    private final String indent;

    private final boolean multiline;
    private final String itemSeparator;
    private final String keySeparator;

    private Json(Object[] options) {
        ascii = Values.truth(options[0]);
        Object width = options[1];
        multiline = width != None.NONE;
        indent = !multiline
                ? ""
                : Values.isString(width)
                        ? Values.text(width)
                        : Operators.repeat(" ", Math.max(0, Numbers.count(width)));
        if (options[2] == None.NONE) {
            itemSeparator = multiline ? "," : ", ";
            keySeparator = ": ";
        } else {
            List<Object> separators = Attributes.unpack(options[2], 2);
            itemSeparator = separator(separators.get(0));
            keySeparator = separator(separators.get(1));
        }
        sorted = Values.truth(options[3]);
    }

    private static String separator(Object value) {
        if (!Values.isString(value)) {
            throw TemplateException.type("a separator must be str, not " + Values.typeName(value));
        }
        return Values.text(value);
    }

    /** A value as JSON, with the arguments {@code ensure_ascii, indent, separators, sort_keys}. */
    static String write(Object value, Object[] options) {
        Json json = new Json(options);
        json.value(value, 0);
        return json.out.toString();
    }

    private void value(Object value, int level) {
        switch (value) {
            case None _ -> out.append("null");
            case Boolean truth -> out.append(truth);
            case Double number -> out.append(number(number));
            case String text -> string(text);
            case Markup markup -> string(markup.text());
            case List<?> list -> list(Values.cast(list), level);
            case Tuple tuple -> list(tuple.items(), level);
            case Dict dict -> dict(dict, level);
            default -> {
                if (!Numbers.isInteger(value)) {
                    throw TemplateException.type(
                            "Object of type " + Values.typeName(value) + " is not JSON serializable");
                }
                out.append(Text.repr(value));
            }
        }
        Limits.visit(1);
        Limits.requireCharacters(out.length());
    }

    private static String number(double number) {
        return Double.isNaN(number)
                ? "NaN"
                : Double.isInfinite(number) ? (number > 0 ? "Infinity" : "-Infinity") : Text.number(number);
    }

    private void list(List<Object> items, int level) {
        if (items.isEmpty()) {
            out.append("[]");
            return;
        }
        out.append('[');
        for (int i = 0; i < items.size(); i++) {
            out.append(i == 0 ? "" : itemSeparator);
            line(level + 1);
            value(items.get(i), level + 1);
        }
        line(level);
        out.append(']');
    }

    private void dict(Dict dict, int level) {
        if (dict.size() == 0) {
            out.append("{}");
            return;
        }
        List<Dict.Entry> entries = new ArrayList<>(dict.entries());
        if (sorted) {
            entries.sort(Comparator.comparing(Dict.Entry::key, Operators.ORDER));
        }
        out.append('{');
        for (int i = 0; i < entries.size(); i++) {
            out.append(i == 0 ? "" : itemSeparator);
            line(level + 1);
            string(key(entries.get(i).key()));
            out.append(keySeparator);
            value(entries.get(i).value(), level + 1);
        }
        line(level);
        out.append('}');
    }

    private void line(int level) {
        if (multiline) {
            out.append('\n').repeat(indent, level);
        }
    }

    private static String key(Object key) {
        return switch (key) {
            case String text -> text;
            case Markup markup -> markup.text();
            case Boolean truth -> truth.toString();
            case None _ -> "null";
            case Double number -> number(number);
            default -> {
                if (!Numbers.isInteger(key)) {
                    throw TemplateException.type(
                            "keys must be str, int, float, bool or None, not " + Values.typeName(key));
                }
                yield Text.repr(key);
            }
        };
    }

    private void string(String text) {
        out.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '"' -> out.append("\\\"");
                case '\\' -> out.append("\\\\");
                case '\n' -> out.append("\\n");
                case '\r' -> out.append("\\r");
                case '\t' -> out.append("\\t");
                case '\f' -> out.append("\\f");
                case '\b' -> out.append("\\b");
                default -> {
                    if (c < ' ' || (ascii && c > '~')) {
                        out.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
                    } else {
                        out.append(c);
                    }
                }
            }
        }
        out.append('"');
    }
}
