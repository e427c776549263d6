package io.gradus.data.jinja;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.stream.Collectors;

/** Values as text: Python's {@code str} and {@code repr}. */
final class Text {
    private Text() {}

    static String str(Object value) {
        return switch (value) {
            case String text -> text;
            case Markup markup -> markup.text();
            case Undefined _ -> "";
            default -> repr(value);
        };
    }

    static String repr(Object value) {
        return switch (value) {
            case None _ -> "None";
            case Boolean truth -> truth ? "True" : "False";
            case BigInteger number -> integer(number);
            case Double number -> number(number);
            case String text -> quoted(text);
            case Markup markup -> "Markup(" + quoted(markup.text()) + ")";
            case Undefined _ -> "Undefined";
            case List<?> list -> joined(Values.cast(list), "[", "]");
            case Tuple tuple -> joined(tuple.items(), "(", tuple.items().size() == 1 ? ",)" : ")");
            case Dict dict -> entries(dict);
            case DictView view -> view.kind().typeName + joined(view.items(), "([", "])");
            case Range range ->
                "range(" + range.start() + ", " + range.stop() + (range.step() == 1 ? "" : ", " + range.step()) + ")";
            case Namespace namespace -> "<Namespace " + entries(namespace.attributes()) + ">";
            case LoopContext loop -> "<LoopContext " + loop.index() + "/" + loop.length() + ">";
            case Macro macro -> "<Macro " + quoted(macro.name()) + ">";
            default -> "<" + Values.typeName(value) + " object>"; // Python prints an address
        };
    }

    private static String joined(List<Object> items, String open, String close) {
        return joined(items, Text::repr, open, close);
    }

    private static String entries(Dict dict) {
        return joined(List.copyOf(dict.entries()), entry -> repr(entry.key()) + ": " + repr(entry.value()), "{", "}");
    }

    private static <T> String joined(List<T> items, Function<T, String> text, String open, String close) {
        Limits.visit(items.size());
        String all = items.stream().map(text).collect(Collectors.joining(", ", open, close));
        Limits.requireCharacters(all.length());
        return all;
    }

    private static String integer(BigInteger number) {
        if (number.bitLength() > 14_000) { // 4,300 digits have 14,285 bits
            String digits = number.abs().toString();
            if (digits.length() > 4300) {
                throw TemplateException.value("Exceeds the limit (4300 digits) for integer string conversion; use"
                        + " sys.set_int_max_str_digits() to increase the limit");
            }
        }
        return number.toString();
    }

    /** The shortest digits that identify the number, as an exponent below 1e-4 and from 1e16. */
    static String number(double number) {
        if (Double.isNaN(number)) {
            return "nan";
        }
        if (Double.isInfinite(number)) {
            return number > 0 ? "inf" : "-inf";
        }
        String sign = 1 / number < 0 || number < 0 ? "-" : "";
        if (number == 0) {
            return sign + "0.0";
        }
        BigDecimal shortest = new BigDecimal(Double.toString(Math.abs(number))).stripTrailingZeros();
        String digits = shortest.unscaledValue().toString();
        int exponent = digits.length() - shortest.scale() - 1;
        if (exponent >= -4 && exponent < 16) {
            String plain = shortest.toPlainString();
            return sign + plain + (plain.contains(".") ? "" : ".0");
        }
        String fraction = digits.length() > 1 ? "." + digits.substring(1) : "";
        return String.format(
                Locale.ROOT,
                "%s%s%se%s%02d",
                sign,
                digits.charAt(0),
                fraction,
                exponent < 0 ? "-" : "+",
                Math.abs(exponent));
    }

    /** A string literal, in the quotes that need fewer escapes. */
    static String quoted(String text) {
        char quote = text.indexOf('\'') >= 0 && text.indexOf('"') < 0 ? '"' : '\'';
        StringBuilder out = new StringBuilder().append(quote);
        text.codePoints().forEach(c -> {
            switch (c) {
                case '\n' -> out.append("\\n");
                case '\r' -> out.append("\\r");
                case '\t' -> out.append("\\t");
                case '\\' -> out.append("\\\\");
                default -> {
                    if (c == quote) {
                        out.append('\\').append(quote);
                    } else if (Characters.isPrintable(c)) {
                        out.appendCodePoint(c);
                    } else {
                        String format = c < 0x100 ? "\\x%02x" : c < 0x10000 ? "\\u%04x" : "\\U%08x";
                        out.append(String.format(Locale.ROOT, format, c));
                    }
                }
            }
        });
        return out.append(quote).toString();
    }
}
