package io.gradus.data.jinja;

/** Escape sequences of string literals. */
final class Escapes {
    private Escapes() {}

    /**
     * The characters of a string literal. Jinja first writes each character beyond ASCII as an escape sequence, and then reads
     * all of them, so a backslash before such a character stays and takes its place.
     *
     * @throws TemplateException if a sequence is incomplete
     */
    static String unescape(String literal, int line) {
        if (literal.indexOf('\\') < 0) {
            return literal;
        }
        StringBuilder out = new StringBuilder();
        int i = 0;
        while (i < literal.length()) {
            char c = literal.charAt(i++);
            if (c != '\\') {
                out.append(c);
                continue;
            }
            int escape = literal.codePointAt(i);
            i += Character.charCount(escape);
            switch (escape) {
                case '\n' -> {} // a line break is dropped
                case '\\', '\'', '"' -> out.append((char) escape);
                case 'a' -> out.append('\u0007');
                case 'b' -> out.append('\b');
                case 'f' -> out.append('\f');
                case 'n' -> out.append('\n');
                case 'r' -> out.append('\r');
                case 't' -> out.append('\t');
                case 'v' -> out.append('\u000B');
                case 'x' -> i = hex(literal, i, 2, "truncated \\xXX escape", line, out);
                case 'u' -> i = hex(literal, i, 4, "truncated \\uXXXX escape", line, out);
                case 'U' -> i = hex(literal, i, 8, "truncated \\UXXXXXXXX escape", line, out);
                case 'N' -> i = named(literal, i, line, out);
                case '0', '1', '2', '3', '4', '5', '6', '7' -> {
                    int from = i - 1;
                    while (i < literal.length() && i < from + 3 && Character.digit(literal.charAt(i), 8) >= 0) {
                        i++;
                    }
                    out.append((char) Integer.parseInt(literal.substring(from, i), 8));
                }
                default -> out.append('\\').append(escape < 128 ? Character.toString(escape) : sequence(escape));
            }
        }
        return out.toString();
    }

    private static String sequence(int character) {
        String digits = Integer.toHexString(character);
        int width = character < 0x100 ? 2 : character < 0x10000 ? 4 : 8;
        return (width == 2 ? "x" : width == 4 ? "u" : "U") + "0".repeat(width - digits.length()) + digits;
    }

    private static int hex(String literal, int from, int digits, String error, int line, StringBuilder out) {
        int to = from;
        while (to < literal.length() && to < from + digits && isHexDigit(literal.charAt(to))) {
            to++;
        }
        if (to < from + digits) {
            throw TemplateException.syntax(line, error);
        }
        long character = Long.parseLong(literal.substring(from, to), 16);
        if (character > Character.MAX_CODE_POINT) {
            throw TemplateException.syntax(line, "illegal Unicode character");
        }
        out.appendCodePoint((int) character);
        return to;
    }

    private static boolean isHexDigit(char c) {
        return c < 128 && Character.digit(c, 16) >= 0;
    }

    private static int named(String literal, int from, int line, StringBuilder out) {
        int end = literal.indexOf('}', from);
        if (!literal.startsWith("{", from) || end < 0) {
            throw TemplateException.syntax(line, "malformed \\N character escape");
        }
        try {
            out.appendCodePoint(Character.codePointOf(literal.substring(from + 1, end)));
        } catch (IllegalArgumentException e) {
            throw TemplateException.syntax(line, "unknown Unicode character name");
        }
        return end + 1;
    }
}
