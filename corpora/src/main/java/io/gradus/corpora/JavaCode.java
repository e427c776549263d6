package io.gradus.corpora;

import java.util.Locale;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Extracts the code of a Java file in ASCII, without comments (including the license header), package and imports. */
final class JavaCode {

    /**
     * Matches literals and comments. Literals come first, so that a quoted {@code //} is not mistaken for a comment.
     * Quantifiers are possessive, so that the matcher does not backtrack.
     */
    private static final Pattern LITERAL_OR_COMMENT = Pattern.compile("""
        (?xs)
          \"""(?:[^\\\\"]|\\\\.|"(?!""))*+\"""      # a text block
        | "(?:[^"\\\\\\n]|\\\\.)*+"                 # a string
        | '(?:[^'\\\\\\n]|\\\\.)*+'                 # a character
        | (?<comment>//[^\\n]*+ | /\\*.*?\\*/)
        """);

    private static final Pattern PACKAGE_AND_IMPORTS = Pattern.compile("(?m)^(?:package|import)\\s[^;]*;[ \\t]*$");
    private static final Pattern TRAILING_SPACE = Pattern.compile("(?m)[ \\t]+$");
    private static final Pattern BLANK_LINES = Pattern.compile("\\n{3,}");
    private static final Pattern NOT_ASCII = Pattern.compile("[^\\x00-\\x7F]+");

    private JavaCode() {}

    /** Returns the code of {@code source}; empty if it contains only comments and imports. */
    static String of(String source) {
        String code = source.replace("\r\n", "\n").replace("\t", "    ");
        code = LITERAL_OR_COMMENT.matcher(code).replaceAll(JavaCode::withoutComment);
        code = PACKAGE_AND_IMPORTS.matcher(code).replaceAll("");
        code = TRAILING_SPACE.matcher(code).replaceAll("");
        code = BLANK_LINES.matcher(code).replaceAll("\n\n").strip();
        // Java source can escape any character in ASCII: a backslash, u and four hex digits.
        return NOT_ASCII
                .matcher(code)
                .replaceAll(foreign -> foreign.group()
                        .chars()
                        .mapToObj(c -> String.format(Locale.ROOT, "\\\\u%04X", c))
                        .collect(Collectors.joining()));
    }

    private static String withoutComment(MatchResult match) {
        return match.group("comment") == null ? Matcher.quoteReplacement(match.group()) : "";
    }
}
