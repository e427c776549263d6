package io.gradus.data.jinja;

import java.math.BigInteger;
import java.util.AbstractList;
import java.util.List;

/** A Python range. */
record Range(long start, long stop, long step) {
    /** The longest range, as in Jinja's sandbox. */
    private static final int MAX_SIZE = 100_000;

    Range {
        if (step == 0) {
            throw TemplateException.value("range() arg 3 must not be zero");
        }
    }

    static Range of(Arguments arguments) {
        List<Object> values = arguments.positional();
        if (!arguments.named().isEmpty()) {
            throw TemplateException.type("range() takes no keyword arguments");
        }
        if (values.isEmpty() || values.size() > 3) {
            throw TemplateException.type("range expected 1 to 3 arguments, got " + values.size());
        }
        long[] numbers = values.stream().mapToLong(Range::number).toArray();
        Range range = switch (numbers.length) {
            case 1 -> new Range(0, numbers[0], 1);
            case 2 -> new Range(numbers[0], numbers[1], 1);
            default -> new Range(numbers[0], numbers[1], numbers[2]);
        };
        if (range.length().compareTo(BigInteger.valueOf(MAX_SIZE)) > 0) {
            throw new TemplateException(
                    "OverflowError",
                    "Range too big. The sandbox blocks ranges larger than MAX_RANGE (" + MAX_SIZE + ").");
        }
        return range;
    }

    private static long number(Object value) {
        BigInteger number = Numbers.index(value);
        if (number.bitLength() > 62) {
            throw new TemplateException("OverflowError", "a range has a bound of more than 62 bits");
        }
        return number.longValue();
    }

    private BigInteger length() {
        BigInteger distance = BigInteger.valueOf(stop).subtract(BigInteger.valueOf(start));
        BigInteger stride = BigInteger.valueOf(step);
        BigInteger[] parts = distance.divideAndRemainder(stride);
        BigInteger count = parts[1].signum() == 0 ? parts[0] : parts[0].add(BigInteger.ONE);
        return distance.signum() * stride.signum() <= 0 ? BigInteger.ZERO : count;
    }

    int size() {
        return length().intValueExact();
    }

    /** The numbers. */
    List<Object> items() {
        int size = size();
        return new AbstractList<>() {
            @Override
            public Object get(int index) {
                return BigInteger.valueOf(start + index * step);
            }

            @Override
            public int size() {
                return size;
            }
        };
    }
}
