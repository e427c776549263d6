package io.gradus.data.jinja;

import java.math.BigInteger;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The methods {@code format} and {@code format_map} of strings. */
final class StringFormat {
    private static final Pattern STEP = Pattern.compile("\\.([^.\\[]+)|\\[([^]]*)]");

    private final List<Object> positional;
    private final Object named;
    private final boolean html;
    private int automatic;
    private boolean manual;

    private StringFormat(List<Object> positional, Object named, boolean html) {
        this.positional = positional;
        this.named = named;
        this.html = html;
    }

    /**
     * Formats a string.
     *
     * @param method {@code format}, or {@code format_map} with one dict
     * @param html whether values are escaped
     */
    static String format(String format, String method, Arguments arguments, boolean html) {
        Dict named = new Dict();
        if (method.equals("format")) {
            arguments.named().forEach(named::put);
            return new StringFormat(arguments.positional(), named, html).run(format, 2);
        }
        if (!arguments.named().isEmpty()) {
            throw TemplateException.type("format_map() takes no keyword arguments");
        }
        if (arguments.positional().size() != 1) {
            throw TemplateException.type("format_map() takes exactly one argument ("
                    + arguments.positional().size() + " given)");
        }
        return new StringFormat(List.of(), arguments.positional().getFirst(), html).run(format, 2);
    }

    private String run(String format, int depth) {
        if (depth < 0) {
            throw TemplateException.value("Max string recursion exceeded");
        }
        StringBuilder out = new StringBuilder();
        int at = 0;
        while (at < format.length()) {
            char c = format.charAt(at);
            if ((c == '{' || c == '}') && format.startsWith(String.valueOf(c), at + 1)) {
                out.append(c);
                at += 2;
            } else if (c == '}') {
                throw TemplateException.value("Single '}' encountered in format string");
            } else if (c == '{') {
                int end = fieldEnd(format, at + 1);
                out.append(field(format.substring(at + 1, end), depth));
                Limits.requireCharacters(out.length());
                at = end + 1;
            } else {
                out.append(c);
                at++;
            }
        }
        return out.toString();
    }

    private static int fieldEnd(String format, int from) {
        if (from == format.length()) {
            throw TemplateException.value("Single '{' encountered in format string");
        }
        int open = 1;
        boolean inIndex = false;
        for (int i = from; i < format.length(); i++) {
            char c = format.charAt(i);
            inIndex = c == '[' || (inIndex && c != ']');
            if (!inIndex) {
                open += c == '{' ? 1 : c == '}' ? -1 : 0;
            }
            if (open == 0) {
                return i;
            }
        }
        throw TemplateException.value("expected '}' before end of string");
    }

    private String field(String field, int depth) {
        int end = 0;
        boolean inIndex = false;
        while (end < field.length() && (inIndex || (field.charAt(end) != '!' && field.charAt(end) != ':'))) {
            inIndex = field.charAt(end) == '[' || (inIndex && field.charAt(end) != ']');
            end++;
        }
        Object value = value(field.substring(0, end));
        if (field.startsWith("!", end)) {
            if (end + 1 >= field.length()) {
                throw TemplateException.value("end of string while looking for conversion specifier");
            }
            value = switch (field.charAt(end + 1)) {
                case 's' -> Text.str(value);
                case 'r' -> Text.repr(value);
                default ->
                    throw TemplateException.value("Unknown conversion specifier '" + field.charAt(end + 1) + "'");
            };
            end += 2;
            if (end < field.length() && field.charAt(end) != ':') {
                throw TemplateException.value("expected ':' after conversion specifier");
            }
        }
        String spec = end < field.length() ? run(field.substring(end + 1), depth - 1) : "";
        String text = FormatSpec.format(value, spec);
        return html && !(value instanceof Markup) ? Markup.escaped(text) : text;
    }

    private Object value(String path) {
        int end = 0;
        while (end < path.length() && path.charAt(end) != '.' && path.charAt(end) != '[') {
            end++;
        }
        Object value = first(path.substring(0, end));
        Matcher step = STEP.matcher(path).region(end, path.length());
        while (step.lookingAt()) {
            String name = step.group(1);
            if (name != null) {
                value = Attributes.attribute(value, name);
            } else {
                String index = step.group(2);
                boolean number = index.matches("\\d+");
                value = Attributes.item(value, number ? new BigInteger(index) : index);
            }
            step.region(step.end(), path.length());
        }
        return value;
    }

    private Object first(String name) {
        if (!name.isEmpty() && !name.matches("\\d+")) {
            Object value = named instanceof Dict dict ? dict.get(name) : null;
            if (value == null) {
                throw new TemplateException("KeyError", Text.quoted(name));
            }
            return value;
        }
        if (name.isEmpty() ? manual : automatic > 0) {
            throw TemplateException.value(
                    name.isEmpty()
                            ? "cannot switch from manual field specification to automatic field numbering"
                            : "cannot switch from automatic field numbering to manual field specification");
        }
        manual |= !name.isEmpty();
        int index = name.isEmpty() ? automatic++ : name.length() > 9 ? Integer.MAX_VALUE : Integer.parseInt(name);
        if (index >= positional.size()) {
            throw new TemplateException(
                    "IndexError", "Replacement index " + index + " out of range for positional args tuple");
        }
        return positional.get(index);
    }
}
