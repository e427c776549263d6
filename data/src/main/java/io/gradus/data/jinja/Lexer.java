package io.gradus.data.jinja;

import io.gradus.data.jinja.Token.Kind;
import java.math.BigInteger;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Splits a template into tokens, with {@code trim_blocks} and {@code lstrip_blocks} as transformers sets them: the line break
 * after a block is dropped, and so is the white space between the beginning of a line and a block.
 */
final class Lexer {
    private static final Pattern FLOAT = Pattern.compile(
            "(?<!\\.)(?:\\d+_)*\\d+(?:(?:\\.(?:\\d+_)*\\d+)?[eE][+-]?(?:\\d+_)*\\d+|\\.(?:\\d+_)*\\d+)");
    private static final Pattern INTEGER = Pattern.compile(
            "0[bB](?:_?[01])++|0[oO](?:_?[0-7])++|0[xX](?:_?[\\da-fA-F])++|[1-9](?:_?\\d)*+|0(?:_?0)*+");
    private static final List<String> OPERATORS = List.of(
            "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<",
            "=", ".", ":", "|", ",", ";");

    private final String source;
    private final List<Token> tokens = new ArrayList<>();
    private int at;
    private int line = 1;
    /** Whether the text at the current place begins a line. */
    private boolean lineStarts = true;

    private Lexer(String template) {
        String unified = template.replace("\r\n", "\n").replace('\r', '\n');
        source = unified.endsWith("\n") ? unified.substring(0, unified.length() - 1) : unified;
    }

    /**
     * All tokens, the last of which is {@link Kind#END}.
     *
     * @throws TemplateException if the template is malformed
     */
    static List<Token> tokens(String template) {
        return new Lexer(template).run();
    }

    private List<Token> run() {
        while (at < source.length()) {
            int tag = nextTag();
            if (tag < 0) {
                data(source.substring(at));
                at = source.length();
            } else {
                tag(tag);
            }
        }
        tokens.add(new Token(line, Kind.END, ""));
        return tokens;
    }

    // ---- outside of tags ----

    private int nextTag() {
        for (int i = source.indexOf('{', at); i >= 0 && i + 1 < source.length(); i = source.indexOf('{', i + 1)) {
            char next = source.charAt(i + 1);
            if (next == '%' || next == '{' || next == '#') {
                return i;
            }
        }
        return -1;
    }

    private void tag(int begin) {
        char kind = source.charAt(begin + 1);
        int after = begin + 2;
        char sign = after < source.length() ? source.charAt(after) : ' ';
        boolean signed = sign == '-' || sign == '+';
        String before = source.substring(at, begin);
        String kept = stripped(before, signed ? sign : ' ', kind != '{');
        data(kept);
        line += count(before) - count(kept);
        at = after + (signed ? 1 : 0);
        lineStarts = false;
        if (kind == '#') {
            comment();
        } else if (kind == '{') {
            tokens.add(new Token(line, Kind.VARIABLE_BEGIN, "{{"));
            expression(Kind.VARIABLE_END, "}}");
        } else if (!raw()) {
            tokens.add(new Token(line, Kind.BLOCK_BEGIN, "{%"));
            expression(Kind.BLOCK_END, "%}");
        }
    }

    /** The text before a tag: {@code -} strips all white space, {@code +} none. */
    private String stripped(String text, char sign, boolean block) {
        if (sign == '-') {
            return Characters.strip(text, false, true);
        }
        if (sign == '+' || !block) {
            return text;
        }
        int lineStart = text.lastIndexOf('\n') + 1;
        boolean blank = text.substring(lineStart).codePoints().allMatch(Characters::isSpace);
        return blank && (lineStart > 0 || lineStarts) ? text.substring(0, lineStart) : text;
    }

    private void data(String text) {
        if (!text.isEmpty()) {
            tokens.add(new Token(line, Kind.DATA, text));
            line += count(text);
        }
    }

    private void comment() {
        int end = source.indexOf("#}", at);
        if (end < 0) {
            throw TemplateException.syntax(line, "Missing end of comment tag");
        }
        int from = end > at && (source.charAt(end - 1) == '-' || source.charAt(end - 1) == '+') ? end - 1 : end;
        advance(from);
        close("#}", true);
    }

    /** Reads a raw block, which begins where the current tag does, if there is one. */
    private boolean raw() {
        int i = skipSpace(at);
        if (!source.startsWith("raw", i)) {
            return false;
        }
        i = skipSpace(i + 3);
        boolean strips = source.startsWith("-%}", i);
        if (!strips && !source.startsWith("%}", i)) {
            return false;
        }
        advance(strips ? skipSpace(i + 3) : i + 2);
        Matcher end = Pattern.compile("\\{%([-+]?)\\s*endraw\\s*[-+]?%\\}").matcher(source);
        if (!end.find(at)) {
            throw TemplateException.syntax(line, "Missing end of raw directive");
        }
        lineStarts = source.charAt(at - 1) == '\n';
        String text = source.substring(at, end.start());
        String sign = String.valueOf(end.group(1));
        String kept = stripped(text, sign.isEmpty() ? ' ' : sign.charAt(0), true);
        data(kept);
        line += count(text) - count(kept);
        at = end.start();
        boolean signed = source.charAt(end.end() - 3) == '-' || source.charAt(end.end() - 3) == '+';
        advance(end.end() - (signed ? 3 : 2));
        close("%}", true);
        return true;
    }

    // ---- the end of a tag ----

    /** Whether the tag ends here. */
    private boolean closes(String end, boolean block) {
        return source.startsWith(end, at)
                || source.startsWith("-" + end, at)
                || (block && source.startsWith("+" + end, at));
    }

    /** Passes the end of a tag and the white space that goes with it. */
    private void close(String end, boolean block) {
        int to;
        if (source.startsWith("-" + end, at)) {
            to = skipSpace(at + 3);
        } else if (source.startsWith(end, at)) {
            to = at + 2;
            to += block && to < source.length() && source.charAt(to) == '\n' ? 1 : 0;
        } else {
            to = at + 3;
        }
        advance(to);
        lineStarts = source.charAt(at - 1) == '\n';
    }

    // ---- inside a tag ----

    private void expression(Kind endKind, String end) {
        boolean block = endKind == Kind.BLOCK_END;
        Deque<Character> open = new ArrayDeque<>();
        while (at < source.length()) {
            if (open.isEmpty() && closes(end, block)) {
                tokens.add(new Token(line, endKind, end));
                close(end, block);
                return;
            }
            int next = skipSpace(at);
            if (next > at) {
                advance(next);
            } else {
                token(open);
            }
        }
    }

    private void token(Deque<Character> open) {
        char c = source.charAt(at);
        if (c >= '0' && c <= '9') {
            number();
        } else if (isNamePart(source.codePointAt(at))) {
            name();
        } else if ((c == '\'' || c == '"') && stringEnd(c) > 0) {
            string(stringEnd(c));
        } else {
            operator(open);
        }
    }

    private void number() {
        Matcher number = FLOAT.matcher(source).region(at, source.length()).useTransparentBounds(true);
        if (number.lookingAt()) {
            String digits = number.group().replace("_", "");
            tokens.add(new Token(line, Kind.FLOAT, digits, Double.valueOf(digits)));
        } else {
            number = INTEGER.matcher(source).region(at, source.length());
            if (!number.lookingAt()) {
                throw unexpected();
            }
            tokens.add(new Token(line, Kind.INTEGER, number.group(), integer(number.group())));
        }
        at = number.end();
    }

    private static BigInteger integer(String text) {
        String digits = text.replace("_", "");
        if (digits.length() > 4300) {
            throw TemplateException.limit("an integer has more than 4300 digits");
        }
        int radix = digits.length() < 2
                ? 10
                : switch (digits.charAt(1)) {
                    case 'b', 'B' -> 2;
                    case 'o', 'O' -> 8;
                    case 'x', 'X' -> 16;
                    default -> 10;
                };
        return new BigInteger(radix == 10 ? digits : digits.substring(2), radix);
    }

    private static boolean isNamePart(int c) {
        return Characters.isWord(c) || Character.isUnicodeIdentifierPart(c) && !Character.isIdentifierIgnorable(c);
    }

    private void name() {
        int to = at;
        while (to < source.length() && isNamePart(source.codePointAt(to))) {
            to += Character.charCount(source.codePointAt(to));
        }
        String name = source.substring(at, to);
        int first = name.codePointAt(0);
        if (first != '_' && !Character.isUnicodeIdentifierStart(first)) {
            throw TemplateException.syntax(line, "Invalid character in identifier");
        }
        tokens.add(new Token(line, Kind.NAME, name));
        at = to;
    }

    /** The place after the string that begins here; 0 if it does not end. */
    private int stringEnd(char quote) {
        for (int i = at + 1; i < source.length(); i++) {
            if (source.charAt(i) == '\\') {
                i++;
            } else if (source.charAt(i) == quote) {
                return i + 1;
            }
        }
        return 0;
    }

    private void string(int end) {
        String text = source.substring(at, end);
        tokens.add(new Token(line, Kind.STRING, text, Escapes.unescape(text.substring(1, text.length() - 1), line)));
        advance(end);
    }

    private void operator(Deque<Character> open) {
        for (String operator : OPERATORS) {
            if (source.startsWith(operator, at)) {
                balance(operator.charAt(0), open);
                tokens.add(new Token(line, Kind.OPERATOR, operator));
                at += operator.length();
                return;
            }
        }
        throw unexpected();
    }

    private void balance(char operator, Deque<Character> open) {
        switch (operator) {
            case '{' -> open.push('}');
            case '(' -> open.push(')');
            case '[' -> open.push(']');
            case '}', ')', ']' -> {
                if (open.isEmpty()) {
                    throw TemplateException.syntax(line, "unexpected '" + operator + "'");
                }
                char expected = open.pop();
                if (expected != operator) {
                    throw TemplateException.syntax(line, "unexpected '" + operator + "', expected '" + expected + "'");
                }
            }
            default -> {}
        }
    }

    private TemplateException unexpected() {
        String character = Character.toString(source.codePointAt(at));
        int place = source.codePointCount(0, at);
        return TemplateException.syntax(line, "unexpected char " + Text.quoted(character) + " at " + place);
    }

    // ---- places ----

    private int skipSpace(int from) {
        int to = from;
        while (to < source.length() && Characters.isSpace(source.charAt(to))) {
            to++;
        }
        return to;
    }

    private void advance(int to) {
        line += count(source.substring(at, to));
        at = to;
    }

    private static int count(String text) {
        return (int) text.chars().filter(c -> c == '\n').count();
    }
}
