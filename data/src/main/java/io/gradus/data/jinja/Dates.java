package io.gradus.data.jinja;

import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoField;
import java.time.temporal.IsoFields;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** The function {@code strftime_now}: the local time as C's {@code strftime} writes it in English. */
final class Dates {
    private Dates() {}

    static String format(String format, LocalDateTime now) {
        StringBuilder out = new StringBuilder();
        int i = 0;
        while (i < format.length()) {
            char c = format.charAt(i++);
            if (c != '%' || i == format.length()) {
                out.append(c);
                continue;
            }
            char flag = format.charAt(i);
            boolean flagged = (flag == '-' || flag == '_' || flag == '0' || flag == '^') && i + 1 < format.length();
            char directive = format.charAt(flagged ? i + 1 : i);
            String text = directive(directive, now);
            int from = i - 1;
            i += flagged ? 2 : 1;
            out.append(text == null ? format.substring(from, i) : flagged ? flagged(flag, text) : text);
        }
        return out.toString();
    }

    private static String flagged(char flag, String text) {
        String digits = text.replaceFirst("^[0 ]+(?=.)", "");
        return switch (flag) {
            case '-' -> digits;
            case '_' -> " ".repeat(text.length() - digits.length()) + digits;
            case '0' -> "0".repeat(text.length() - digits.length()) + digits;
            default -> text.toUpperCase(Locale.ROOT);
        };
    }

    private static @Nullable String directive(char directive, LocalDateTime now) {
        return switch (directive) {
            case 'a' -> pattern("EEE", now);
            case 'A' -> pattern("EEEE", now);
            case 'b', 'h' -> pattern("MMM", now);
            case 'B' -> pattern("MMMM", now);
            case 'c' -> pattern("EEE MMM ", now) + number("%2d", now.getDayOfMonth()) + pattern(" HH:mm:ss yyyy", now);
            case 'C' -> number("%02d", now.getYear() / 100);
            case 'd' -> pattern("dd", now);
            case 'D', 'x' -> pattern("MM/dd/yy", now);
            case 'e' -> number("%2d", now.getDayOfMonth());
            case 'f' -> number("%06d", now.get(ChronoField.MICRO_OF_SECOND));
            case 'F' -> pattern("yyyy-MM-dd", now);
            case 'G' -> number("%d", now.get(IsoFields.WEEK_BASED_YEAR));
            case 'H' -> pattern("HH", now);
            case 'I' -> pattern("hh", now);
            case 'j' -> number("%03d", now.getDayOfYear());
            case 'k' -> number("%2d", now.getHour());
            case 'l' -> number("%2d", now.get(ChronoField.CLOCK_HOUR_OF_AMPM));
            case 'm' -> pattern("MM", now);
            case 'M' -> pattern("mm", now);
            case 'n' -> "\n";
            case 'p' -> pattern("a", now);
            case 'r' -> pattern("hh:mm:ss a", now);
            case 'R' -> pattern("HH:mm", now);
            case 'S' -> pattern("ss", now);
            case 't' -> "\t";
            case 'T', 'X' -> pattern("HH:mm:ss", now);
            case 'u' -> number("%d", now.getDayOfWeek().getValue());
            case 'U' ->
                number("%02d", (now.getDayOfYear() + 6 - now.getDayOfWeek().getValue() % 7) / 7);
            case 'V' -> number("%02d", now.get(IsoFields.WEEK_OF_WEEK_BASED_YEAR));
            case 'w' -> number("%d", now.getDayOfWeek().getValue() % 7);
            case 'W' ->
                number("%02d", (now.getDayOfYear() + 6 - (now.getDayOfWeek().getValue() + 6) % 7) / 7);
            case 'y' -> pattern("yy", now);
            case 'Y' -> number("%d", now.getYear());
            case 'z', 'Z' -> ""; // the time has no zone
            case '%' -> "%";
            default -> null;
        };
    }

    private static String pattern(String pattern, LocalDateTime time) {
        return DateTimeFormatter.ofPattern(pattern, Locale.ENGLISH).format(time);
    }

    private static String number(String format, int number) {
        return String.format(Locale.ROOT, format, number);
    }
}
