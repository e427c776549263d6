package io.gradus.corpora;

import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** The code of a Java file: without comments (so without its licence header), package and imports, and in ASCII. */
final class JavaCode {

    /**
     * What can hide a comment mark, and the comments themselves. Literals come first, so that a quoted {@code //} is never
     * taken for a comment, and quantifiers are possessive, so that the matcher never goes back.
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

    /** The code of {@code source}, empty where nothing but comments and imports stands. */
    static String of(String source) {
        String code = source.replace("\r\n", "\n").replace("\t", "    ");
        code = LITERAL_OR_COMMENT.matcher(code).replaceAll(JavaCode::withoutComment);
        code = PACKAGE_AND_IMPORTS.matcher(code).replaceAll("");
        code = TRAILING_SPACE.matcher(code).replaceAll("");
        code = BLANK_LINES.matcher(code).replaceAll("\n\n").strip();
        // Java spells any character in ASCII: a backslash, u and four digits.
        return NOT_ASCII
                .matcher(code)
                .replaceAll(foreign ->
                        foreign.group().chars().mapToObj("\\\\u%04X"::formatted).collect(Collectors.joining()));
    }

    private static String withoutComment(MatchResult match) {
        return match.group("comment") == null ? Matcher.quoteReplacement(match.group()) : "";
    }
}
