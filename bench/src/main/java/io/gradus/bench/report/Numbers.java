package io.gradus.bench.report;

import java.util.Locale;

/** Formats numbers for tables, independent of the locale. */
public final class Numbers {
    private Numbers() {}

    /** A time in milliseconds with about three digits. */
    public static String millis(double seconds) {
        double millis = seconds * 1e3;
        return fixed(millis, millis < 1 ? 3 : millis < 100 ? 2 : millis < 1000 ? 1 : 0);
    }

    /** Such as {@code 1.18×}. */
    public static String ratio(double ratio) {
        return fixed(ratio, 2) + "×";
    }

    /** Such as {@code 83%}; a dash for NaN. */
    public static String percent(double share) {
        return Double.isNaN(share) ? "–" : fixed(share * 100, 0) + "%";
    }

    /** Such as {@code 283.5}; a dash for NaN. */
    public static String rate(double rate) {
        return Double.isNaN(rate) ? "–" : fixed(rate, rate < 100 ? 1 : 0);
    }

    /** A number with a fixed number of decimals. */
    public static String fixed(double number, int decimals) {
        return String.format(Locale.ROOT, "%." + decimals + "f", number);
    }

    /** Such as {@code 2.31 GB}. */
    public static String gigabytes(double bytes) {
        return fixed(bytes * 1e-9, 2) + " GB";
    }
}
