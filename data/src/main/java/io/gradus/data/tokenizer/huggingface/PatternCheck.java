package io.gradus.data.tokenizer.huggingface;

import java.util.ArrayList;
import java.util.List;

/**
 * A regular expression in Oniguruma's syntax, as far as tokenizers use it, read to find out what it can do. Rejected is what can move
 * the start of a match behind its end ({@code \K}), refers to a match or calls itself, and what is not known here.
 */
final class PatternCheck {
    /** The native library ends the process after ten million retries at one position. */
    private static final double MAX_RETRIES = 9e6;

    private static final int MAX_LENGTH = 10_000;
    private static final int MAX_DEPTH = 30;
    private static final int MAX_REPETITIONS = 1_000;

    private final String pattern;
    private final Node root;
    private int at;
    private int depth;

    /**
     * Reads a pattern.
     *
     * @throws IllegalArgumentException if it is malformed or not supported; the message has the reason, without the pattern
     */
    PatternCheck(String pattern) {
        this.pattern = pattern;
        if (pattern.length() > MAX_LENGTH) {
            throw new IllegalArgumentException("is longer than " + MAX_LENGTH + " characters");
        }
        root = alternatives();
        if (at < pattern.length()) {
            throw problem("has a ')' without a '('");
        }
    }

    /** The fewest characters of a match. */
    int minLength() {
        return root.cost(1).minLength();
    }

    /**
     * The length of a text up to which the native library can match the pattern, whatever the text.
     *
     * @param limit the largest length of interest
     * @return the limit or less; 0 if there is no useful length
     */
    int longestText(int limit) {
        int length = limit;
        while (length > 0
                && !(root.cost(length).first() <= MAX_RETRIES
                        && root.cost(length).none() <= MAX_RETRIES)) {
            length = length < 100 ? 0 : length / 4 * 3;
        }
        return length;
    }

    /** A part of a pattern. */
    private interface Node {
        /** The cost for a text of a length. */
        PatternCost cost(int length);
    }

    private Node alternatives() {
        if (++depth > MAX_DEPTH) {
            throw problem("has groups nested more than " + MAX_DEPTH + " deep");
        }
        List<Node> alternatives = new ArrayList<>();
        do {
            alternatives.add(sequence());
        } while (skip('|'));
        depth--;
        return length -> alternatives.stream()
                .map(node -> node.cost(length))
                .reduce(PatternCost::or)
                .orElseThrow();
    }

    private Node sequence() {
        List<Node> terms = new ArrayList<>();
        while (at < pattern.length() && peek() != '|' && peek() != ')') {
            terms.add(quantified(term()));
        }
        return length -> {
            PatternCost cost = PatternCost.EMPTY;
            for (Node term : terms.reversed()) {
                cost = term.cost(length).then(cost);
            }
            return cost;
        };
    }

    private Node quantified(Node term) {
        Node node = term;
        while (at < pattern.length()) {
            int start = at;
            int min;
            int max;
            boolean isInterval = false;
            if (skip('?')) {
                min = 0;
                max = 1;
            } else if (skip('*')) {
                min = 0;
                max = -1;
            } else if (skip('+')) {
                min = 1;
                max = -1;
            } else if (peek() == '{') {
                int[] interval = interval();
                if (interval.length == 0) {
                    at = start;
                    return node;
                }
                min = interval[0];
                max = interval[1];
                isInterval = true;
            } else {
                return node;
            }
            boolean isLazy = skip('?');
            boolean isPossessive = !isLazy && !isInterval && skip('+');
            Node repeated = node;
            node = length -> {
                PatternCost cost = repeated.cost(length).repeated(min, max, length);
                return isPossessive ? cost.atomic() : cost;
            };
        }
        return node;
    }

    /** The bounds of {@code {n}}, {@code {n,}}, {@code {,m}} or {@code {n,m}}; empty if the brace is a character. */
    private int[] interval() {
        int end = pattern.indexOf('}', at);
        String text = end < 0 ? "" : pattern.substring(at + 1, end);
        if (!text.matches("\\d{1,9}|\\d{1,9},|,\\d{1,9}|\\d{1,9},\\d{1,9}")) {
            return new int[0];
        }
        at = end + 1;
        String[] bounds = text.split(",", 2);
        int min = bounds[0].isEmpty() ? 0 : Integer.parseInt(bounds[0]);
        int max = bounds.length == 1 ? min : bounds[1].isEmpty() ? -1 : Integer.parseInt(bounds[1]);
        if (min > MAX_REPETITIONS || max > MAX_REPETITIONS) {
            throw problem("repeats more than " + MAX_REPETITIONS + " times");
        }
        if (max >= 0 && max < min) {
            throw problem("has the repetition {" + text + "}, whose end is before its start");
        }
        return new int[] {min, max};
    }

    private Node term() {
        char c = next();
        return switch (c) {
            case '(' -> group();
            case '[' -> {
                characterClass();
                yield length -> PatternCost.CHARACTER;
            }
            case '\\' -> escape();
            case '^', '$' -> length -> PatternCost.ASSERTION;
            case '*', '+', '?' -> throw problem("repeats nothing with '" + c + "'");
            default -> {
                if (Character.isHighSurrogate(c) && at < pattern.length()) {
                    at++;
                }
                yield length -> PatternCost.CHARACTER;
            }
        };
    }

    private Node group() {
        if (!skip('?')) {
            if (at < pattern.length() && peek() == '*') {
                throw problem("has a callout '(*'");
            }
            return closed(alternatives());
        }
        if (skip(':')) {
            return closed(alternatives());
        }
        if (skip('>')) {
            Node atomic = closed(alternatives());
            return length -> atomic.cost(length).atomic();
        }
        if (skip("=") || skip("!") || skip("<=") || skip("<!")) {
            Node inner = closed(alternatives());
            return length -> inner.cost(length).asserted();
        }
        int options = at;
        while (at < pattern.length() && "im-".indexOf(peek()) >= 0) {
            at++;
        }
        if (at > options && skip(':')) {
            return closed(alternatives());
        }
        if (at > options && skip(')')) {
            return alternatives(); // the options hold for the rest of the group, alternatives included
        }
        throw problem("has a group of a kind that is not supported");
    }

    private Node closed(Node node) {
        if (!skip(')')) {
            throw problem("has a '(' without a ')'");
        }
        return node;
    }

    private Node escape() {
        char c = next();
        return switch (c) {
            case 'b', 'B', 'A', 'z', 'Z' -> length -> PatternCost.ASSERTION;
            default -> {
                escapedCharacter(c);
                yield length -> PatternCost.CHARACTER;
            }
        };
    }

    /** An escape that stands for a character or a set of characters, inside of a class or outside. */
    private void escapedCharacter(char c) {
        switch (c) {
            case 's', 'S', 'd', 'D', 'w', 'W', 'h', 'H', 't', 'n', 'r', 'f', 'v', 'a', 'e' -> {}
            case 'p', 'P' -> {
                int end = pattern.indexOf('}', at);
                if (!skip('{') || end < 0 || !pattern.substring(at, end).matches("\\^?[A-Za-z0-9_ -]{1,60}")) {
                    throw problem("has a malformed property '\\" + c + "'");
                }
                at = end + 1;
            }
            case 'x' -> {
                if (skip('{')) {
                    int end = pattern.indexOf('}', at);
                    codePoint(end < 0 ? "" : pattern.substring(at, end));
                    at = end + 1;
                } else {
                    int start = at;
                    at = Math.min(pattern.length(), at + 2);
                    if (codePoint(pattern.substring(start, at)) > 0x7F) {
                        throw problem("has '\\x' with a byte, not a character");
                    }
                }
            }
            case 'u' -> {
                int start = at;
                at = Math.min(pattern.length(), at + 4);
                if (at - start < 4) {
                    throw problem("has a malformed '\\u'");
                }
                codePoint(pattern.substring(start, at));
            }
            default -> {
                if (c < 0x80 && Character.isLetterOrDigit(c)) {
                    throw problem("has '\\" + c + "', which is not supported");
                }
            }
        }
    }

    private int codePoint(String hexadecimal) {
        if (!hexadecimal.matches("[0-9A-Fa-f]{1,6}")) {
            throw problem("has a malformed code '\\x'");
        }
        int value = Integer.parseInt(hexadecimal, 16);
        if (value > Character.MAX_CODE_POINT
                || (value >= Character.MIN_SURROGATE && value <= Character.MAX_SURROGATE)) {
            throw problem("has the code " + hexadecimal + ", which is no character");
        }
        return value;
    }

    /** Skips a class; its opening bracket is read. */
    private void characterClass() {
        if (++depth > MAX_DEPTH) {
            throw problem("has classes nested more than " + MAX_DEPTH + " deep");
        }
        skip('^');
        boolean isFirst = true;
        while (true) {
            char c = next();
            if (c == ']' && !isFirst) {
                break;
            }
            isFirst = false;
            if (c == '[') {
                if (at < pattern.length() && peek() == ':' && pattern.indexOf(":]", at) > 0) {
                    posixClass();
                } else {
                    characterClass();
                }
            } else if (c == '\\') {
                char escaped = next();
                if (escaped != 'b') { // a backspace
                    escapedCharacter(escaped);
                }
            }
        }
        depth--;
    }

    private void posixClass() {
        int end = pattern.indexOf(":]", at);
        if (pattern.substring(at + 1, end).matches("\\^?[a-z]{4,6}")) {
            at = end + 2;
        }
    }

    private char peek() {
        return pattern.charAt(at);
    }

    private char next() {
        if (at == pattern.length()) {
            throw problem("ends too early");
        }
        return pattern.charAt(at++);
    }

    private boolean skip(char c) {
        boolean is = at < pattern.length() && peek() == c;
        at += is ? 1 : 0;
        return is;
    }

    private boolean skip(String text) {
        boolean is = pattern.startsWith(text, at);
        at += is ? text.length() : 0;
        return is;
    }

    private IllegalArgumentException problem(String text) {
        return new IllegalArgumentException(text + ", at character " + at);
    }
}
