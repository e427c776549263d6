package io.gradus.data.jinja;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntPredicate;

/** The methods of Python's strings. */
final class StringMethods {
    private static final Set<String> UNSUPPORTED = Set.of("encode", "maketrans", "translate");
    private static final String PART = ", start=none, end=none, /";
    private static final Map<String, String> PARAMETERS = Map.ofEntries(
            Map.entry("capitalize", ""),
            Map.entry("casefold", ""),
            Map.entry("center", "width, fillchar=' ', /"),
            Map.entry("count", "sub" + PART),
            Map.entry("endswith", "suffix" + PART),
            Map.entry("expandtabs", "tabsize=8"),
            Map.entry("find", "sub" + PART),
            Map.entry("index", "sub" + PART),
            Map.entry("isalnum", ""),
            Map.entry("isalpha", ""),
            Map.entry("isascii", ""),
            Map.entry("isdecimal", ""),
            Map.entry("isdigit", ""),
            Map.entry("isidentifier", ""),
            Map.entry("islower", ""),
            Map.entry("isnumeric", ""),
            Map.entry("isprintable", ""),
            Map.entry("isspace", ""),
            Map.entry("istitle", ""),
            Map.entry("isupper", ""),
            Map.entry("join", "iterable, /"),
            Map.entry("ljust", "width, fillchar=' ', /"),
            Map.entry("lower", ""),
            Map.entry("lstrip", "chars=none, /"),
            Map.entry("partition", "sep, /"),
            Map.entry("removeprefix", "prefix, /"),
            Map.entry("removesuffix", "suffix, /"),
            Map.entry("replace", "old, new, count=-1, /"),
            Map.entry("rfind", "sub" + PART),
            Map.entry("rindex", "sub" + PART),
            Map.entry("rjust", "width, fillchar=' ', /"),
            Map.entry("rpartition", "sep, /"),
            Map.entry("rsplit", "sep=none, maxsplit=-1"),
            Map.entry("rstrip", "chars=none, /"),
            Map.entry("split", "sep=none, maxsplit=-1"),
            Map.entry("splitlines", "keepends=false"),
            Map.entry("startswith", "prefix" + PART),
            Map.entry("strip", "chars=none, /"),
            Map.entry("swapcase", ""),
            Map.entry("title", ""),
            Map.entry("upper", ""),
            Map.entry("zfill", "width, /"));

    private StringMethods() {}

    /** Whether Python's strings have a method. */
    static boolean exists(String name) {
        return PARAMETERS.containsKey(name)
                || UNSUPPORTED.contains(name)
                || name.equals("format")
                || name.equals("format_map");
    }

    /** Calls a method of a string. */
    static Object call(Object string, String name, Arguments arguments) {
        if (UNSUPPORTED.contains(name)) {
            throw TemplateException.unsupported("the method " + name + " of strings");
        }
        boolean html = string instanceof Markup;
        String text = Values.text(string);
        if (name.equals("format") || name.equals("format_map")) {
            return Slices.like(string, StringFormat.format(text, name, arguments, html));
        }
        Object[] given = Signature.of(name, PARAMETERS.getOrDefault(name, "")).bind(arguments);
        return wrap(call(text, name, given, html), html);
    }

    /** Methods of HTML return HTML. */
    private static Object wrap(Object result, boolean html) {
        if (!html) {
            return result;
        }
        return switch (result) {
            case String text -> new Markup(text);
            case List<?> list -> list.stream().map(item -> wrap(item, true)).toList();
            case Tuple tuple ->
                new Tuple(tuple.items().stream().map(item -> wrap(item, true)).toList());
            default -> result;
        };
    }

    private static Object call(String text, String name, Object[] given, boolean html) {
        return switch (name) {
            case "capitalize" -> Cases.capitalize(text);
            case "casefold" -> Cases.lower(Cases.upper(text));
            case "center", "ljust", "rjust" -> justified(text, name, given);
            case "count" -> BigInteger.valueOf(count(text, given));
            case "endswith", "startswith" -> edge(text, name, given);
            case "expandtabs" -> expandTabs(text, Numbers.count(given[0]));
            case "find", "rfind", "index", "rindex" -> find(text, name, given);
            case "isalnum" -> all(text, Characters::isAlphanumeric);
            case "isalpha" -> all(text, Character::isLetter);
            case "isascii" -> text.codePoints().allMatch(c -> c < 128);
            case "isdecimal" -> all(text, Character::isDigit);
            case "isdigit" -> all(text, c -> Character.isDigit(c) || "²³¹⁰⁴⁵⁶⁷⁸⁹".indexOf(c) >= 0);
            case "isidentifier" -> isIdentifier(text);
            case "islower" -> Cases.isLower(text);
            case "isnumeric" -> all(text, Characters::isNumeric);
            case "isprintable" -> text.codePoints().allMatch(Characters::isPrintable);
            case "isspace" -> all(text, Characters::isSpace);
            case "istitle" -> Cases.isTitle(text);
            case "isupper" -> Cases.isUpper(text);
            case "join" -> join(text, given[0], html);
            case "lower" -> Cases.lower(text);
            case "lstrip" -> stripped(text, given[0], name, true, false);
            case "rstrip" -> stripped(text, given[0], name, false, true);
            case "strip" -> stripped(text, given[0], name, true, true);
            case "partition", "rpartition" -> partition(text, string(given[0]), name.equals("rpartition"));
            case "removeprefix" -> {
                String prefix = string(given[0]);
                yield text.startsWith(prefix) ? text.substring(prefix.length()) : text;
            }
            case "removesuffix" -> {
                String suffix = string(given[0]);
                yield text.endsWith(suffix) ? text.substring(0, text.length() - suffix.length()) : text;
            }
            case "replace" -> {
                String replacement = string(given[1]);
                yield replace(
                        text,
                        string(given[0]),
                        html ? Markup.escape(given[1]).text() : replacement,
                        Numbers.count(given[2]));
            }
            case "split" -> split(text, given[0], Numbers.count(given[1]));
            case "rsplit" -> splitFromRight(text, given[0], Numbers.count(given[1]));
            case "splitlines" -> lines(text, Values.truth(given[0]));
            case "swapcase" -> Cases.swap(text);
            case "title" -> Cases.title(text);
            case "upper" -> Cases.upper(text);
            case "zfill" -> zeroFilled(text, Numbers.count(given[0]));
            default -> throw new IllegalStateException("no method " + name);
        };
    }

    /** An argument that must be a string. */
    private static String string(Object value) {
        if (!Values.isString(value)) {
            throw TemplateException.type("must be str, not " + Values.typeName(value));
        }
        return Values.text(value);
    }

    private static boolean all(String text, IntPredicate test) {
        return !text.isEmpty() && text.codePoints().allMatch(test);
    }

    private static boolean isIdentifier(String text) {
        if (text.isEmpty()) {
            return false;
        }
        int first = text.codePointAt(0);
        return (first == '_' || Character.isUnicodeIdentifierStart(first))
                && text.codePoints()
                        .allMatch(c -> Character.isUnicodeIdentifierPart(c) && !Character.isIdentifierIgnorable(c));
    }

    // ---- width ----

    private static String justified(String text, String name, Object[] given) {
        int width = Numbers.count(given[0]);
        String fill = string(given[1]);
        if (Characters.length(fill) != 1) {
            throw TemplateException.type("The fill character must be exactly one character long");
        }
        int padding = Math.max(0, width - Characters.length(text));
        int left = switch (name) {
            case "ljust" -> 0;
            case "rjust" -> padding;
            default -> padding / 2 + (padding & width & 1);
        };
        return Operators.repeat(fill, left) + text + Operators.repeat(fill, padding - left);
    }

    static String center(String text, int width) {
        return justified(text, "center", new Object[] {BigInteger.valueOf(width), " "});
    }

    private static String zeroFilled(String text, int width) {
        String zeros = Operators.repeat("0", Math.max(0, width - Characters.length(text)));
        boolean signed = text.startsWith("+") || text.startsWith("-");
        return signed ? text.charAt(0) + zeros + text.substring(1) : zeros + text;
    }

    private static String expandTabs(String text, int size) {
        StringBuilder out = new StringBuilder();
        int column = 0;
        for (int c : text.codePoints().toArray()) {
            if (c == '\t') {
                int spaces = size > 0 ? size - column % size : 0;
                Limits.requireCharacters(out.length() + (long) spaces);
                out.repeat(" ", spaces);
                column += spaces;
            } else {
                out.appendCodePoint(c);
                column = c == '\n' || c == '\r' ? 0 : column + 1;
            }
        }
        return out.toString();
    }

    // ---- search ----

    /** The part of a text between two indexes that may be left out. */
    private record Part(String text, int begin, boolean exists) {

        static Part of(String text, Object start, Object end) {
            int length = Characters.length(text);
            int from = start == None.NONE ? 0 : Numbers.count(start);
            int to = end == None.NONE ? length : Numbers.count(end);
            from = Math.max(0, from < 0 ? from + length : from);
            to = Math.clamp(to < 0 ? (long) to + length : to, 0, length);
            if (from > to) {
                return new Part("", from, false);
            }
            int begin = text.offsetByCodePoints(0, from);
            return new Part(text.substring(begin, text.offsetByCodePoints(begin, to - from)), from, true);
        }
    }

    private static Object find(String text, String name, Object[] given) {
        String wanted = string(given[0]);
        Part part = Part.of(text, given[1], given[2]);
        int place =
                !part.exists ? -1 : name.startsWith("r") ? part.text.lastIndexOf(wanted) : part.text.indexOf(wanted);
        if (place < 0 && name.endsWith("index")) {
            throw TemplateException.value("substring not found");
        }
        return BigInteger.valueOf(place < 0 ? -1 : part.begin + part.text.codePointCount(0, place));
    }

    private static int count(String text, Object[] given) {
        String wanted = string(given[0]);
        Part part = Part.of(text, given[1], given[2]);
        if (!part.exists) {
            return 0;
        }
        if (wanted.isEmpty()) {
            return Characters.length(part.text) + 1;
        }
        int count = 0;
        for (int at = part.text.indexOf(wanted); at >= 0; at = part.text.indexOf(wanted, at + wanted.length())) {
            count++;
        }
        return count;
    }

    private static boolean edge(String text, String name, Object[] given) {
        Part part = Part.of(text, given[1], given[2]);
        List<Object> wanted = given[0] instanceof Tuple tuple ? tuple.items() : List.of(given[0]);
        for (Object one : wanted) {
            if (!Values.isString(one)) {
                throw TemplateException.type(
                        given[0] instanceof Tuple
                                ? "tuple for " + name + " must only contain str, not " + Values.typeName(one)
                                : name + " first arg must be str or a tuple of str, not " + Values.typeName(one));
            }
            String edge = Values.text(one);
            if (part.exists && (name.equals("startswith") ? part.text.startsWith(edge) : part.text.endsWith(edge))) {
                return true;
            }
        }
        return false;
    }

    // ---- change ----

    static String stripped(String text, Object characters, String name, boolean left, boolean right) {
        if (characters == None.NONE) {
            return Characters.strip(text, left, right);
        }
        if (!Values.isString(characters)) {
            throw TemplateException.type(name + " arg must be None or str");
        }
        return Characters.strip(text, Values.text(characters), left, right);
    }

    static String replace(String text, String old, String replacement, int count) {
        if (count == 0) {
            return text;
        }
        StringBuilder out = new StringBuilder();
        int at = 0;
        int found = old.isEmpty() ? 0 : text.indexOf(old);
        for (int done = 0; found >= 0 && (count < 0 || done < count); done++) {
            out.append(text, at, found).append(replacement);
            Limits.requireCharacters(out.length());
            at = found + old.length();
            if (!old.isEmpty()) {
                found = text.indexOf(old, at);
            } else if (at < text.length()) {
                found = at + Character.charCount(text.codePointAt(at));
            } else {
                found = -1;
            }
        }
        return out.append(text, at, text.length()).toString();
    }

    static String join(String separator, Object items, boolean html) {
        StringBuilder out = new StringBuilder();
        Iterator<Object> rest = joined(items);
        for (int i = 0; rest.hasNext(); i++) {
            Object item = rest.next();
            if (!html && !Values.isString(item)) {
                throw TemplateException.type(
                        "sequence item " + i + ": expected str instance, " + Values.typeName(item) + " found");
            }
            out.append(i == 0 ? "" : separator)
                    .append(html ? Markup.escape(item).text() : Values.text(item));
            Limits.requireCharacters(out.length());
        }
        return out.toString();
    }

    private static Iterator<Object> joined(Object items) {
        if (!Values.isIterable(items)) {
            throw TemplateException.type("can only join an iterable");
        }
        return Values.iterate(items);
    }

    // ---- parts ----

    private static Tuple partition(String text, String separator, boolean last) {
        requireSeparator(separator);
        int at = last ? text.lastIndexOf(separator) : text.indexOf(separator);
        if (at < 0) {
            return last ? Tuple.of("", "", text) : Tuple.of(text, "", "");
        }
        return Tuple.of(text.substring(0, at), separator, text.substring(at + separator.length()));
    }

    private static void requireSeparator(String separator) {
        if (separator.isEmpty()) {
            throw TemplateException.value("empty separator");
        }
    }

    private static List<Object> split(String text, Object separator, int limit) {
        int most = limit < 0 ? Integer.MAX_VALUE : limit;
        return separator == None.NONE ? splitAtSpace(text, most) : splitAt(text, string(separator), most);
    }

    private static List<Object> splitAt(String text, String separator, int most) {
        requireSeparator(separator);
        List<Object> parts = new ArrayList<>();
        int from = 0;
        int at = text.indexOf(separator);
        while (at >= 0 && parts.size() < most) {
            parts.add(text.substring(from, at));
            Limits.requireItems(parts.size());
            from = at + separator.length();
            at = text.indexOf(separator, from);
        }
        parts.add(text.substring(from));
        return parts;
    }

    private static List<Object> splitAtSpace(String text, int most) {
        List<Object> parts = new ArrayList<>();
        String rest = Characters.strip(text, true, false);
        int from = 0;
        while (from < rest.length()) {
            int to = from;
            while (to < rest.length() && !Characters.isSpace(rest.charAt(to))) {
                to++;
            }
            if (parts.size() == most) {
                parts.add(rest.substring(from));
                return parts;
            }
            parts.add(rest.substring(from, to));
            Limits.requireItems(parts.size());
            while (to < rest.length() && Characters.isSpace(rest.charAt(to))) {
                to++;
            }
            from = to;
        }
        return parts;
    }

    private static List<Object> splitFromRight(String text, Object separator, int limit) {
        int most = limit < 0 ? Integer.MAX_VALUE : limit;
        List<Object> parts = new ArrayList<>();
        if (separator == None.NONE) {
            String rest = Characters.strip(text, false, true);
            while (!rest.isEmpty() && parts.size() < most) {
                int from = rest.length();
                while (from > 0 && !Characters.isSpace(rest.charAt(from - 1))) {
                    from--;
                }
                parts.add(rest.substring(from));
                rest = Characters.strip(rest.substring(0, from), false, true);
            }
            if (!rest.isEmpty()) {
                parts.add(rest);
            }
            return new ArrayList<>(parts.reversed());
        }
        String between = string(separator);
        requireSeparator(between);
        int to = text.length();
        int at = text.lastIndexOf(between);
        while (at >= 0 && parts.size() < most) {
            parts.add(text.substring(at + between.length(), to));
            to = at;
            at = text.lastIndexOf(between, to - between.length());
        }
        parts.add(text.substring(0, to));
        return new ArrayList<>(parts.reversed());
    }

    static List<Object> lines(String text, boolean keepEnds) {
        List<Object> lines = new ArrayList<>();
        int from = 0;
        int at = 0;
        while (at < text.length()) {
            char c = text.charAt(at);
            if (!Characters.isLineBreak(c)) {
                at++;
                continue;
            }
            int end = at;
            at += c == '\r' && text.startsWith("\n", at + 1) ? 2 : 1;
            lines.add(text.substring(from, keepEnds ? at : end));
            Limits.requireItems(lines.size());
            from = at;
        }
        if (from < text.length()) {
            lines.add(text.substring(from));
        }
        return lines;
    }
}
