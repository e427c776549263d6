package io.gradus.data.jinja;

import java.util.Locale;

/** Upper, lower and title case, as Python's string methods compute them. */
final class Cases {
    private Cases() {}

    static String upper(String text) {
        return text.toUpperCase(Locale.ROOT);
    }

    static String lower(String text) {
        return text.toLowerCase(Locale.ROOT);
    }

    static String capitalize(String text) {
        if (text.isEmpty()) {
            return text;
        }
        int first = text.codePointAt(0);
        int length = Character.charCount(first);
        String lower = lower(text);
        return title(first)
                + lower.substring(Math.min(
                        lower.length(), lower(text.substring(0, length)).length()));
    }

    static String title(String text) {
        StringBuilder out = new StringBuilder();
        String lower = lower(text);
        boolean sameLength = lower.length() == text.length();
        boolean inWord = false;
        int at = 0;
        while (at < text.length()) {
            int c = text.codePointAt(at);
            int next = at + Character.charCount(c);
            if (inWord) {
                out.append(sameLength ? lower.substring(at, next) : lower(Character.toString(c)));
            } else {
                out.append(title(c));
            }
            inWord = isCased(c);
            at = next;
        }
        return out.toString();
    }

    /** One character at the beginning of a word; a ligature becomes several characters. */
    private static String title(int c) {
        String upper = upper(Character.toString(c));
        int title = Character.toTitleCase(c);
        if (title == c && upper.codePointCount(0, upper.length()) > 1) {
            int first = upper.codePointAt(0);
            return Character.toString(first) + lower(upper.substring(Character.charCount(first)));
        }
        return Character.toString(title);
    }

    static String swap(String text) {
        StringBuilder out = new StringBuilder();
        text.codePoints().forEach(c -> {
            String character = Character.toString(c);
            out.append(
                    Character.isUpperCase(c)
                            ? lower(character)
                            : Character.isLowerCase(c) ? upper(character) : character);
        });
        return out.toString();
    }

    private static boolean isCased(int c) {
        return Character.isUpperCase(c) || Character.isLowerCase(c) || Character.isTitleCase(c);
    }

    static boolean isUpper(String text) {
        return text.codePoints().anyMatch(Character::isUpperCase)
                && text.codePoints().noneMatch(c -> Character.isLowerCase(c) || Character.isTitleCase(c));
    }

    static boolean isLower(String text) {
        return text.codePoints().anyMatch(Character::isLowerCase)
                && text.codePoints().noneMatch(c -> Character.isUpperCase(c) || Character.isTitleCase(c));
    }

    static boolean isTitle(String text) {
        boolean inWord = false;
        boolean cased = false;
        for (int c : text.codePoints().toArray()) {
            boolean begins = Character.isUpperCase(c) || Character.isTitleCase(c);
            if (begins == inWord && (begins || Character.isLowerCase(c))) {
                return false;
            }
            inWord = isCased(c);
            cased |= inWord;
        }
        return cased;
    }
}
