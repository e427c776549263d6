package io.gradus.cli.report;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.DoubleStream;

/**
 * One axis of a chart: its range and its tick marks.
 *
 * @param min the value at the start of the axis
 * @param max the value at the end of the axis, greater than {@code min}
 * @param step the distance between marks: 1, 2 or 5 times a power of ten; every mark is a multiple of it
 */
record Axis(double min, double max, double step) {

    /** Returns an axis that covers the finite values, rounded outward to tick marks. */
    static Axis covering(DoubleStream values, int marks) {
        double[] finite = values.filter(Double::isFinite).toArray();
        double least = DoubleStream.of(finite).min().orElse(0);
        double most = DoubleStream.of(finite).max().orElse(1);
        if (least == most) {
            double room = least == 0 ? 1 : Math.abs(least) / 10;
            most += room;
            least -= least == 0 ? 0 : room;
        }
        double step = roundStep((most - least) / marks);
        return new Axis(Math.floor(least / step + 1e-9) * step, Math.ceil(most / step - 1e-9) * step, step);
    }

    /** Returns an axis that starts at 0, for values that are not negative. */
    static Axis fromZero(DoubleStream values, int marks) {
        return covering(DoubleStream.concat(DoubleStream.of(0), values), marks);
    }

    /** Returns an axis from 0 to exactly {@code last}, with marks at whole numbers. */
    static Axis counting(int last, int marks) {
        int end = Math.max(1, last);
        return new Axis(0, end, Math.max(1, roundStep((double) end / marks)));
    }

    /** Returns the smallest number of the form 1, 2 or 5 times a power of ten that is at least {@code atLeast}. */
    static double roundStep(double atLeast) {
        double power = Math.pow(10, Math.floor(Math.log10(atLeast)));
        for (int factor : new int[] {1, 2, 5}) {
            if (factor * power >= atLeast * (1 - 1e-9)) {
                return factor * power;
            }
        }
        return 10 * power;
    }

    /** Returns the values of the marks in ascending order. */
    List<Double> marks() {
        List<Double> marks = new ArrayList<>();
        for (long i = (long) Math.ceil(min / step - 1e-9); i * step <= max + step * 1e-9; i++) {
            marks.add(i * step);
        }
        return marks;
    }

    /** Formats a mark with enough digits to tell it from its neighbors: {@code 2.5}, {@code 25k}, {@code 5e-4}. */
    String label(double mark) {
        if (Math.abs(mark) < step / 2) {
            return "0";
        }
        // Use the shortest decimal, because 3 * 0.1 is 0.30000000000000004 in binary.
        BigDecimal decimal = new BigDecimal(String.format(Locale.ROOT, "%.9e", mark)).stripTrailingZeros();
        int exponent = decimal.precision() - decimal.scale() - 1;
        if (max < 1e-2) {
            return decimal.movePointLeft(exponent).toPlainString() + "e" + exponent;
        }
        if (max >= 1e7) {
            return decimal.movePointLeft(6).stripTrailingZeros().toPlainString() + "M";
        }
        if (max >= 1e4) {
            return decimal.movePointLeft(3).stripTrailingZeros().toPlainString() + "k";
        }
        int digits = Math.max(0, -(int) Math.floor(Math.log10(step) + 1e-9));
        return String.format(Locale.ROOT, "%." + digits + "f", mark);
    }

    /** Returns the position of a value: 0 at the start of the axis, 1 at its end. */
    double position(double value) {
        return (value - min) / (max - min);
    }
}
