package io.gradus.data.jinja;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Jinja's filters. Those that choose from or change a list are in {@link ListFilters}. */
final class Filters {
    private static final Set<String> UNSUPPORTED =
            Set.of("pprint", "random", "striptags", "urlize", "wordwrap", "xmlattr", "filesizeformat");
    private static final Map<String, Filter> FILTERS = new HashMap<>();

    /** A filter whose arguments are bound to parameters. */
    @FunctionalInterface
    interface Body {
        Object apply(Object value, Object[] arguments);
    }

    private record Filter(Signature signature, Body body) {}

    static {
        add("abs", "", (value, _) -> abs(value));
        add("attr", "name", (value, args) -> attr(value, args[0]));
        add("batch", "linecount, fill_with=none", ListFilters::batch);
        add("capitalize", "", (value, _) -> like(value, Cases.capitalize(soft(value))));
        add(
                "center",
                "width=80",
                (value, args) -> like(value, StringMethods.center(soft(value), Numbers.count(args[0]))));
        add("count", "", (value, _) -> BigInteger.valueOf(Values.length(value)));
        add("d", "default_value='', boolean=false", Filters::orDefault);
        add("default", "default_value='', boolean=false", Filters::orDefault);
        add("dictsort", "case_sensitive=false, by='key', reverse=false", ListFilters::dictSort);
        add("e", "", (value, _) -> Markup.escape(value));
        add("escape", "", (value, _) -> Markup.escape(value));
        add("first", "", (value, _) -> ListFilters.first(value));
        add("float", "default=0", (value, args) -> real(value, args[0]));
        add("forceescape", "", (value, _) -> new Markup(Markup.escaped(Text.str(value))));
        add("groupby", "attribute, default=none, case_sensitive=false", ListFilters::groupBy);
        add("indent", "width=4, first=false, blank=false", Filters::indent);
        add("int", "default=0, base=10", (value, args) -> integer(value, args[0], Numbers.count(args[1])));
        add("items", "", (value, _) -> ListFilters.items(value));
        add("join", "d='', attribute=none", ListFilters::join);
        add("last", "", (value, _) -> ListFilters.last(value));
        add("length", "", (value, _) -> BigInteger.valueOf(Values.length(value)));
        add("list", "", (value, _) -> Values.list(value));
        add("lower", "", (value, _) -> like(value, Cases.lower(soft(value))));
        add("max", "case_sensitive=false, attribute=none", (value, args) -> ListFilters.extreme(value, args, true));
        add("min", "case_sensitive=false, attribute=none", (value, args) -> ListFilters.extreme(value, args, false));
        add("replace", "old, new, count=none", Filters::replace);
        add("reverse", "", (value, _) -> ListFilters.reverse(value));
        add("round", "precision=0, method='common'", Filters::round);
        add("safe", "", (value, _) -> value instanceof Markup ? value : new Markup(Text.str(value)));
        add("slice", "slices, fill_with=none", ListFilters::slice);
        add("sort", "reverse=false, case_sensitive=false, attribute=none", ListFilters::sort);
        add("string", "", (value, _) -> value instanceof Markup ? value : Text.str(value));
        add("sum", "attribute=none, start=0", ListFilters::sum);
        add("title", "", (value, _) -> like(value, title(soft(value))));
        add("tojson", "ensure_ascii=false, indent=none, separators=none, sort_keys=false", Json::write);
        add(
                "trim",
                "chars=none",
                (value, args) -> like(value, StringMethods.stripped(soft(value), args[0], "strip", true, true)));
        add("truncate", "length=255, killwords=false, end='...', leeway=none", Filters::truncate);
        add("unique", "case_sensitive=false, attribute=none", ListFilters::unique);
        add("upper", "", (value, _) -> like(value, Cases.upper(soft(value))));
        add("urlencode", "", (value, _) -> UrlEncoding.encode(value));
        add("wordcount", "", (value, _) -> BigInteger.valueOf(words(soft(value))));
    }

    private Filters() {}

    private static void add(String name, String parameters, Body body) {
        FILTERS.put(name, new Filter(Signature.of(name, parameters), body));
    }

    /** Whether Jinja has a filter. */
    static boolean exists(String name) {
        return FILTERS.containsKey(name) || isGeneral(name) || UNSUPPORTED.contains(name);
    }

    /** Filters with arguments of any number. */
    private static boolean isGeneral(String name) {
        return switch (name) {
            case "format", "map", "select", "selectattr", "reject", "rejectattr" -> true;
            default -> false;
        };
    }

    /**
     * Applies a filter.
     *
     * @throws TemplateException if it does not exist, or does not accept the value or the arguments
     */
    static Object apply(Object name, Object value, Arguments arguments) {
        if (!(name instanceof String text) || !exists(text)) {
            throw new TemplateException("TemplateRuntimeError", "No filter named " + Text.repr(name) + ".");
        }
        Filter filter = FILTERS.get(text);
        if (filter != null) {
            return filter.body.apply(value, filter.signature.bind(arguments));
        }
        return switch (text) {
            case "format" -> format(value, arguments);
            case "map" -> ListFilters.map(value, arguments);
            case "select", "selectattr", "reject", "rejectattr" ->
                ListFilters.select(value, arguments, text.startsWith("select"), text.endsWith("attr"));
            default -> throw TemplateException.unsupported("the filter " + text);
        };
    }

    // ---- text ----

    /** A value as text. */
    private static String soft(Object value) {
        return Text.str(value);
    }

    private static Object like(Object value, String text) {
        return Slices.like(value, text);
    }

    private static Object replace(Object value, Object[] args) {
        int count = args[2] == None.NONE ? -1 : Numbers.count(args[2]);
        return StringMethods.replace(Text.str(value), Text.str(args[0]), Text.str(args[1]), count);
    }

    private static Object format(Object value, Arguments arguments) {
        if (!arguments.positional().isEmpty() && !arguments.named().isEmpty()) {
            throw new TemplateException(
                    "FilterArgumentError", "can't handle positional and keyword arguments at the same time");
        }
        Object format = value instanceof Markup ? value : Text.str(value);
        if (arguments.named().isEmpty()) {
            return PercentFormat.format(format, new Tuple(arguments.positional()));
        }
        Dict named = new Dict();
        arguments.named().forEach(named::put);
        return PercentFormat.format(format, named);
    }

    private static Object indent(Object value, Object[] args) {
        if (value instanceof Undefined undefined) {
            throw undefined.exception();
        }
        if (value instanceof List<?>) {
            throw new TemplateException("AttributeError", "'list' object has no attribute 'splitlines'");
        }
        if (!Values.isString(value)) {
            throw TemplateException.type(
                    "unsupported operand type(s) for +=: '" + Values.typeName(value) + "' and 'str'");
        }
        String width = Values.isString(args[0])
                ? Values.text(args[0])
                : Operators.repeat(" ", Math.max(0, Numbers.count(args[0])));
        boolean blank = Values.truth(args[2]);
        List<Object> lines = StringMethods.lines(Values.text(value) + "\n", false);
        StringBuilder out = new StringBuilder(Values.truth(args[1]) ? width : "");
        for (int i = 0; i < lines.size(); i++) {
            String line = (String) lines.get(i);
            out.append(i == 0 ? "" : "\n")
                    .append(i > 0 && (blank || !line.isEmpty()) ? width : "")
                    .append(line);
            Limits.requireCharacters(out.length());
        }
        return like(value, out.toString());
    }

    /** Words begin after white space, a hyphen, or an opening bracket. */
    private static String title(String text) {
        StringBuilder out = new StringBuilder();
        int from = 0;
        while (from < text.length()) {
            boolean separator = separates(text.charAt(from));
            int to = from;
            while (to < text.length() && separates(text.charAt(to)) == separator) {
                to++;
            }
            int first = from + Character.charCount(text.codePointAt(from));
            out.append(Cases.upper(text.substring(from, first))).append(Cases.lower(text.substring(first, to)));
            from = to;
        }
        return out.toString();
    }

    private static boolean separates(char c) {
        return c == '-' || c == '(' || c == '{' || c == '[' || c == '<' || Characters.isSpace(c);
    }

    private static Object truncate(Object value, Object[] args) {
        int length = Numbers.count(args[0]);
        String end = Text.str(args[2]);
        int leeway = args[3] == None.NONE ? 5 : Numbers.count(args[3]);
        if (length < Characters.length(end) || leeway < 0) {
            throw new TemplateException(
                    "AssertionError", "expected length >= " + Characters.length(end) + ", got " + length);
        }
        if (Values.length(value) <= (long) length + leeway) {
            return value;
        }
        if (!Values.isString(value)) {
            throw TemplateException.type("'" + Values.typeName(value) + "' object cannot be truncated");
        }
        String text = Values.text(value);
        String kept = text.substring(0, text.offsetByCodePoints(0, length - Characters.length(end)));
        if (!Values.truth(args[1]) && kept.lastIndexOf(' ') >= 0) {
            kept = kept.substring(0, kept.lastIndexOf(' '));
        }
        return like(value, kept + end);
    }

    private static int words(String text) {
        int words = 0;
        boolean inWord = false;
        for (int c : text.codePoints().toArray()) {
            boolean word = Characters.isWord(c);
            words += word && !inWord ? 1 : 0;
            inWord = word;
        }
        return words;
    }

    // ---- numbers ----

    private static Object abs(Object value) {
        if (value instanceof Undefined || !Numbers.isNumber(value)) {
            throw TemplateException.type("bad operand type for abs(): '" + Values.typeName(value) + "'");
        }
        return value instanceof Double number
                ? (Object) Math.abs(number)
                : Numbers.integer(value).abs();
    }

    private static Object integer(Object value, Object usual, int base) {
        if (value instanceof Undefined undefined) {
            throw undefined.exception();
        }
        if (Numbers.isInteger(value)) {
            return Numbers.integer(value);
        }
        if (value instanceof Double number) {
            return number.isNaN() ? usual : Numbers.truncate(number);
        }
        if (!Values.isString(value)) {
            return usual;
        }
        BigInteger number = Numbers.parseInteger(Values.text(value), base);
        if (number != null) {
            return number;
        }
        Double real = Numbers.parseReal(Values.text(value));
        return real == null || !Double.isFinite(real) ? usual : Numbers.truncate(real);
    }

    private static Object real(Object value, Object usual) {
        if (value instanceof Undefined undefined) {
            throw undefined.exception();
        }
        Double number = Numbers.isNumber(value)
                ? Double.valueOf(Numbers.real(value))
                : Values.isString(value) ? Numbers.parseReal(Values.text(value)) : null;
        if (number != null) {
            return number;
        }
        return usual.equals(BigInteger.ZERO) ? (Object) 0.0 : usual;
    }

    private static Object round(Object value, Object[] args) {
        String method = Text.str(args[1]);
        if (!Set.of("common", "ceil", "floor").contains(method)) {
            throw new TemplateException("FilterArgumentError", "method must be common, ceil or floor");
        }
        if (value instanceof Undefined undefined && !method.equals("common")) {
            throw undefined.exception();
        }
        if (value instanceof Undefined || !Numbers.isNumber(value)) {
            throw TemplateException.type("type " + Values.typeName(value) + " doesn't define __round__ method");
        }
        int digits = Numbers.count(args[0]);
        if (method.equals("common")) {
            return value instanceof Double number
                    ? (Object) Numbers.round(number, digits)
                    : roundInteger(value, digits);
        }
        Object scale = Numbers.operate("**", BigInteger.TEN, BigInteger.valueOf(digits));
        double scaled = Numbers.real(Numbers.operate("*", value, scale));
        double whole = method.equals("ceil") ? Math.ceil(scaled) : Math.floor(scaled);
        return Numbers.operate("/", Numbers.truncate(whole), scale);
    }

    private static BigInteger roundInteger(Object value, int digits) {
        BigInteger number = Numbers.integer(value);
        if (digits >= 0) {
            return number;
        }
        Limits.requireBits(-4L * digits);
        return new BigDecimal(number).setScale(digits, RoundingMode.HALF_EVEN).toBigInteger();
    }

    // ---- any value ----

    private static Object orDefault(Object value, Object[] args) {
        boolean missing = value instanceof Undefined || (Values.truth(args[1]) && !Values.truth(value));
        return missing ? args[0] : value;
    }

    private static Object attr(Object value, Object name) {
        if (!Values.isString(name)) {
            throw TemplateException.type("attribute name must be string, not '" + Values.typeName(name) + "'");
        }
        if (value instanceof Undefined undefined) {
            throw undefined.exception();
        }
        Object found = Attributes.own(value, Values.text(name));
        return found == null ? Undefined.of(value, name) : found;
    }
}
