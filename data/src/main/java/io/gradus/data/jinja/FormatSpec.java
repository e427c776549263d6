package io.gradus.data.jinja;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Python's format specification, such as {@code >8.2f}.
 *
 * @param fill the character that fills the width, or empty
 * @param align one of {@code <>^=}, or empty
 * @param sign one of {@code +-}, a space, or empty
 * @param alternate whether {@code #} is given
 * @param width the smallest number of characters
 * @param grouping a comma, an underscore, or empty
 * @param precision −1 if it is not given
 * @param type one letter, or empty
 */
record FormatSpec(
        String fill,
        String align,
        String sign,
        boolean alternate,
        int width,
        String grouping,
        int precision,
        String type) {
    private static final Pattern SPEC = Pattern.compile(
            "(?:(.)?([<>=^]))?([-+ ]?)z?(#?)(0?)(\\d{0,9})([,_]?)(?:\\.(\\d{1,9}))?(.?)", Pattern.DOTALL);

    static FormatSpec parse(String spec) {
        Matcher matcher = SPEC.matcher(spec);
        if (!matcher.matches()) {
            throw TemplateException.value("Invalid format specifier");
        }
        boolean zeros = !matcher.group(5).isEmpty();
        String fill = orEmpty(matcher.group(1));
        String align = orEmpty(matcher.group(2));
        return new FormatSpec(
                fill.isEmpty() && zeros ? "0" : fill,
                align.isEmpty() && zeros ? "=" : align,
                matcher.group(3),
                !matcher.group(4).isEmpty(),
                matcher.group(6).isEmpty() ? 0 : Integer.parseInt(matcher.group(6)),
                matcher.group(7),
                matcher.group(8) == null ? -1 : Integer.parseInt(matcher.group(8)),
                matcher.group(9));
    }

    private static String orEmpty(@Nullable String group) {
        return group == null ? "" : group;
    }

    /** A value as Python's {@code format} writes it. */
    static String format(Object value, String spec) {
        if (spec.isEmpty()) {
            return Text.str(value);
        }
        FormatSpec parsed = parse(spec);
        return switch (value) {
            case String text -> parsed.string(text);
            case Markup markup -> parsed.string(markup.text());
            case Boolean _, BigInteger _ ->
                "eEfFgG%".contains(parsed.type) && !parsed.type.isEmpty()
                        ? parsed.real(Numbers.real(value))
                        : parsed.integer(Numbers.integer(value));
            case Double number -> parsed.real(number);
            default ->
                throw TemplateException.type(
                        "unsupported format string passed to " + Values.typeName(value) + ".__format__");
        };
    }

    private TemplateException unknown(String typeName) {
        return TemplateException.value("Unknown format code '" + type + "' for object of type '" + typeName + "'");
    }

    String string(String text) {
        if (!type.isEmpty() && !type.equals("s")) {
            throw unknown("str");
        }
        if (!sign.isEmpty()) {
            throw TemplateException.value("Sign not allowed in string format specifier");
        }
        if (align.equals("=") && !fill.equals("0")) {
            throw TemplateException.value("'=' alignment not allowed in string format specifier");
        }
        boolean cut = precision >= 0 && precision < Characters.length(text);
        String part = cut ? text.substring(0, text.offsetByCodePoints(0, precision)) : text;
        return padded("", part, "<");
    }

    String integer(BigInteger number) {
        String digits = switch (type) {
            case "", "d", "i", "u", "n" -> number.abs().toString();
            case "x" -> number.abs().toString(16);
            case "X" -> number.abs().toString(16).toUpperCase(Locale.ROOT);
            case "o" -> number.abs().toString(8);
            case "b" -> number.abs().toString(2);
            case "c" -> Character.toString(Numbers.count(number));
            default -> throw unknown("int");
        };
        String prefix = alternate && "xXob".contains(type) && !type.isEmpty() ? "0" + type : "";
        return padded(signOf(number.signum() < 0) + prefix, grouped(digits, type), ">");
    }

    /** A float with any of the types for floats. */
    String real(double number) {
        boolean negative = number < 0 || (number == 0 && 1 / number < 0);
        double size = Math.abs(number);
        String digits;
        if (!Double.isFinite(size)) {
            digits = Double.isNaN(size) ? "nan" : "inf";
            digits += type.equals("%") ? "%" : "";
        } else {
            int places = precision < 0 ? 6 : precision;
            digits = switch (type) {
                case "f", "F" -> fixed(size, places);
                case "%" -> fixed(size * 100, places) + "%";
                case "e", "E" -> exponent(size, places);
                case "g", "G", "n" -> general(size, places, false);
                case "" -> precision < 0 ? Text.number(size) : general(size, places, true);
                default -> throw unknown("float");
            };
        }
        digits = type.equals("E") || type.equals("G") || type.equals("F") ? digits.toUpperCase(Locale.ROOT) : digits;
        return padded(signOf(negative && !Double.isNaN(number)), grouped(digits, "d"), ">");
    }

    private String signOf(boolean negative) {
        return negative ? "-" : sign.equals("-") ? "" : sign;
    }

    private String fixed(double number, int places) {
        Limits.requireCharacters(places);
        String digits =
                new BigDecimal(number).setScale(places, RoundingMode.HALF_EVEN).toPlainString();
        return places == 0 && alternate ? digits + "." : digits;
    }

    private String exponent(double number, int places) {
        Limits.requireCharacters(places);
        BigDecimal rounded = rounded(number, places + 1);
        String digits = rounded.unscaledValue().toString();
        int exponent = number == 0 ? 0 : digits.length() - 1 - rounded.scale();
        digits = digits + "0".repeat(Math.max(0, places + 1 - digits.length()));
        String fraction = places > 0 ? "." + digits.substring(1, places + 1) : alternate ? "." : "";
        return digits.charAt(0)
                + fraction
                + String.format(Locale.ROOT, "e%s%02d", exponent < 0 ? "-" : "+", Math.abs(exponent));
    }

    private static BigDecimal rounded(double number, int digits) {
        return new BigDecimal(number).round(new MathContext(digits, RoundingMode.HALF_EVEN));
    }

    private String general(double number, int places, boolean keepsPoint) {
        int digits = Math.max(1, places);
        BigDecimal rounded = rounded(number, digits);
        int exponent = number == 0 ? 0 : rounded.precision() - rounded.scale() - 1;
        boolean plain = exponent >= -4 && exponent < digits - (keepsPoint ? 1 : 0);
        String text = plain ? fixed(number, digits - 1 - exponent) : exponent(number, digits - 1);
        if (!alternate) {
            int end = plain ? text.length() : text.indexOf('e');
            String mantissa = text.substring(0, end);
            if (mantissa.contains(".")) {
                mantissa = mantissa.replaceAll("0+$", "").replaceAll("\\.$", "");
            }
            text = mantissa + text.substring(end);
        }
        return keepsPoint && plain && !text.contains(".") ? text + ".0" : text;
    }

    /** Separates thousands, or groups of four digits of other bases. */
    private String grouped(String digits, String base) {
        if (grouping.isEmpty()) {
            return digits;
        }
        int group = base.isEmpty() || base.equals("d") ? 3 : 4;
        int end = 0;
        while (end < digits.length() && Character.digit(digits.charAt(end), 16) >= 0) {
            end++;
        }
        StringBuilder out = new StringBuilder(digits);
        for (int at = end - group; at > 0; at -= group) {
            out.insert(at, grouping);
        }
        return out.toString();
    }

    private String padded(String prefix, String digits, String usual) {
        int padding = Math.max(0, width - prefix.length() - Characters.length(digits));
        String with = fill.isEmpty() ? " " : fill;
        String side = align.isEmpty() ? usual : align;
        if (side.equals("=") && usual.equals("<")) {
            side = "<"; // zeros before the width of a string
        }
        int before = switch (side) {
            case "<" -> 0;
            case "^" -> padding / 2;
            default -> padding;
        };
        String left = Operators.repeat(with, before);
        String right = Operators.repeat(with, padding - before);
        return side.equals("=") ? prefix + left + digits : left + prefix + digits + right;
    }
}
