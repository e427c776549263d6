package io.gradus.data.jinja;

import java.math.BigInteger;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** {@code 'text' % values}, as C's printf. */
final class PercentFormat {
    private static final Pattern DIRECTIVE = Pattern.compile(
            "%(?:\\(([^)]*)\\))?([-+ #0]*)(\\*|\\d{1,9})?(?:\\.(\\*|\\d{1,9})?)?[hlL]?(.)?", Pattern.DOTALL);

    private final Object arguments;
    private final @Nullable List<Object> tuple;
    private final boolean html;
    private int used;

    private PercentFormat(Object arguments, boolean html) {
        this.arguments = arguments;
        this.tuple = arguments instanceof Tuple several ? several.items() : null;
        this.html = html;
    }

    /** Formats a string with one value, a tuple of values, or a dict. */
    static Object format(Object format, Object arguments) {
        boolean html = format instanceof Markup;
        return Slices.like(format, new PercentFormat(arguments, html).run(Values.text(format)));
    }

    private String run(String format) {
        StringBuilder out = new StringBuilder();
        Matcher directive = DIRECTIVE.matcher(format);
        int at = 0;
        while (directive.find(at)) {
            out.append(format, at, directive.start());
            out.append(one(directive));
            Limits.requireCharacters(out.length());
            at = directive.end();
        }
        out.append(format, at, format.length());
        int given = tuple == null ? 1 : tuple.size();
        if (used < given && !isMapping()) {
            throw TemplateException.type("not all arguments converted during string formatting");
        }
        return out.toString();
    }

    /** What Python calls a mapping here: anything with items, except tuples and strings. */
    private boolean isMapping() {
        return arguments instanceof Dict
                || arguments instanceof List<?>
                || arguments instanceof Range
                || arguments instanceof Undefined;
    }

    private Object next() {
        if (tuple == null ? used > 0 : used >= tuple.size()) {
            throw TemplateException.type("not enough arguments for format string");
        }
        return tuple == null ? only() : tuple.get(used++);
    }

    private Object only() {
        used++;
        return arguments;
    }

    private String one(Matcher directive) {
        String key = directive.group(1);
        Object keyed = key == null ? null : keyed(key);
        String flags = directive.group(2);
        boolean left = flags.contains("-");
        int width = number(directive.group(3), 0);
        left |= width < 0;
        boolean precise = directive.group().contains(".");
        int precision = precise ? Math.max(0, number(directive.group(4), 0)) : -1;
        String type = directive.group(5);
        if (type == null) {
            throw TemplateException.value("incomplete format");
        }
        if (type.equals("%")) {
            return "%";
        }
        boolean number = "diuoxXeEfFgG".contains(type);
        boolean zeros = flags.contains("0") && !left && number;
        FormatSpec spec = new FormatSpec(
                zeros ? "0" : " ",
                left ? "<" : zeros ? "=" : ">",
                flags.contains("+") ? "+" : flags.contains(" ") ? " " : "",
                flags.contains("#"),
                Math.abs(width),
                "",
                precision,
                type);
        if (!number && !"srac".contains(type)) {
            throw TemplateException.value("unsupported format character " + Text.quoted(type) + " (0x"
                    + Integer.toHexString(type.charAt(0)) + ")");
        }
        Object value = keyed == null ? next() : keyed;
        return number ? numeric(spec, value) : text(spec, value);
    }

    private Object keyed(String key) {
        if (!(arguments instanceof Dict dict)) {
            throw TemplateException.type("format requires a mapping");
        }
        Object value = dict.get(key);
        if (value == null) {
            throw new TemplateException("KeyError", Text.quoted(key));
        }
        used++;
        return value;
    }

    private int number(@Nullable String text, int usual) {
        if (text == null) {
            return usual;
        }
        if (!text.equals("*")) {
            return Integer.parseInt(text);
        }
        Object value = next();
        if (!Numbers.isInteger(value)) {
            throw TemplateException.type("* wants int");
        }
        return Numbers.count(value);
    }

    private String text(FormatSpec spec, Object value) {
        String text = switch (spec.type()) {
            case "s" -> html ? Markup.escape(value).text() : Text.str(value);
            case "c" -> character(value);
            default -> html ? Markup.escaped(Text.repr(value)) : Text.repr(value);
        };
        return new FormatSpec(" ", spec.align(), "", false, spec.width(), "", spec.precision(), "s").string(text);
    }

    private static String character(Object value) {
        if (Values.isString(value) && Characters.length(Values.text(value)) == 1) {
            return Values.text(value);
        }
        if (!Numbers.isInteger(value)) {
            throw TemplateException.type("%c requires int or char");
        }
        int character = Numbers.count(value);
        if (!Character.isValidCodePoint(character)) {
            throw new TemplateException("OverflowError", "a character is not in range(0x110000)");
        }
        return Character.toString(character);
    }

    private static String numeric(FormatSpec spec, Object value) {
        String type = spec.type();
        if (value instanceof Undefined undefined) {
            throw undefined.exception();
        }
        if ("eEfFgG".contains(type)) {
            if (!Numbers.isNumber(value)) {
                throw TemplateException.type("must be real number, not " + Values.typeName(value));
            }
            return spec.real(Numbers.real(value));
        }
        boolean decimal = "diu".contains(type);
        if (!(decimal ? Numbers.isNumber(value) : Numbers.isInteger(value))) {
            throw TemplateException.type("%" + type + " format: " + (decimal ? "a real number" : "an integer")
                    + " is required, not " + Values.typeName(value));
        }
        BigInteger number = value instanceof Double real ? Numbers.truncate(real) : Numbers.integer(value);
        if (spec.precision() < 0) {
            return spec.integer(number);
        }
        FormatSpec digits = new FormatSpec("0", "=", "", false, spec.precision(), "", -1, type);
        String text = digits.integer(number.abs());
        String sign = number.signum() < 0 ? "-" : spec.sign();
        return new FormatSpec(
                        spec.fill().equals("0") ? "" : " ",
                        spec.align().equals("=") ? ">" : spec.align(),
                        "",
                        false,
                        spec.width(),
                        "",
                        -1,
                        "s")
                .string(sign + text);
    }
}
