package io.gradus.cli.print;

import java.util.Locale;

/** Formats numbers for people, independent of the locale. A number that is not finite prints as a dash. */
public final class Quantities {
    private static final String NONE = "–";

    private Quantities() {}

    /** Formats a duration such as {@code 12 s}, {@code 3:07 min} or {@code 2:15 h}. */
    public static String duration(double seconds) {
        if (!Double.isFinite(seconds)) {
            return NONE;
        }
        long whole = Math.round(seconds);
        if (whole < 60) {
            return whole + " s";
        }
        return whole < 3600
                ? String.format(Locale.ROOT, "%d:%02d min", whole / 60, whole % 60)
                : String.format(Locale.ROOT, "%d:%02d h", whole / 3600, whole / 60 % 60);
    }

    /** Formats a whole number with commas as thousands separators. */
    public static String grouped(long number) {
        return String.format(Locale.ROOT, "%,d", number);
    }

    /** Formats a count with its noun, such as {@code 1 step} or {@code 1,200 steps}. */
    public static String counted(long number, String thing) {
        return grouped(number) + " " + thing + (number == 1 ? "" : "s");
    }

    /** Formats a loss, with three decimals. */
    public static String loss(double value) {
        return Double.isFinite(value) ? String.format(Locale.ROOT, "%.3f", value) : NONE;
    }

    /** Formats a number with three significant digits: {@code 8.21}, {@code 40.9}, {@code 1,234}. */
    public static String threeDigits(double value) {
        if (!Double.isFinite(value)) {
            return NONE;
        }
        double size = Math.abs(value);
        return String.format(Locale.ROOT, size < 9.995 ? "%.2f" : size < 99.95 ? "%.1f" : "%,.0f", value);
    }

    /** Formats a relative change such as {@code −12.5%}. Returns an empty string if the change is undefined. */
    public static String change(double before, double after) {
        double percent = 100 * (after - before) / Math.abs(before);
        if (!Double.isFinite(percent)) {
            return "";
        }
        String digits = String.format(Locale.ROOT, "%.1f%%", Math.abs(percent));
        return digits.equals("0.0%") ? "±0.0%" : (percent < 0 ? "−" : "+") + digits;
    }
}
