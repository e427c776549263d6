package io.gradus.data.jinja;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Python's numbers: integers of any size, of which booleans are two, and floats. */
final class Numbers {
    private static final Pattern INTEGER = Pattern.compile("[+-]?\\w+");
    private static final Pattern FLOAT = Pattern.compile(
            "[+-]?(?:(?:\\d+(?:_\\d+)*)?\\.\\d+(?:_\\d+)*|\\d+(?:_\\d+)*\\.?)(?:[eE][+-]?\\d+(?:_\\d+)*)?");
    private static final Pattern NOT_FINITE =
            Pattern.compile("([+-]?)(?:(inf|infinity)|nan)", Pattern.CASE_INSENSITIVE);

    private Numbers() {}

    static boolean isInteger(Object value) {
        return value instanceof BigInteger || value instanceof Boolean;
    }

    static boolean isNumber(Object value) {
        return isInteger(value) || value instanceof Double;
    }

    /** An integer or a boolean as an integer. */
    static BigInteger integer(Object value) {
        return value instanceof Boolean truth ? (truth ? BigInteger.ONE : BigInteger.ZERO) : (BigInteger) value;
    }

    /** Any number as a float. */
    static double real(Object value) {
        if (value instanceof Double number) {
            return number;
        }
        double result = integer(value).doubleValue();
        if (Double.isInfinite(result)) {
            throw new TemplateException("OverflowError", "int too large to convert to float");
        }
        return result;
    }

    /** A value that must be an integer, as in {@code range} and for indexes. */
    static BigInteger index(Object value) {
        if (!isInteger(value)) {
            throw TemplateException.type("'" + Values.typeName(value) + "' object cannot be interpreted as an integer");
        }
        return integer(value);
    }

    /** {@link #index} within the range of an int; larger numbers become the largest one. */
    static int count(Object value) {
        BigInteger number = index(value);
        return number.bitLength() < 32
                ? number.intValue()
                : number.signum() < 0 ? Integer.MIN_VALUE : Integer.MAX_VALUE;
    }

    // ---- arithmetic ----

    /** Applies an operator to two numbers. */
    static Object operate(String operator, Object left, Object right) {
        boolean integers = isInteger(left) && isInteger(right);
        return switch (operator) {
            case "+" -> integers ? bounded(integer(left).add(integer(right))) : (Object) (real(left) + real(right));
            case "-" ->
                integers ? bounded(integer(left).subtract(integer(right))) : (Object) (real(left) - real(right));
            case "*" -> integers ? product(integer(left), integer(right)) : (Object) (real(left) * real(right));
            case "/" -> quotient(left, right, integers);
            case "//" ->
                integers ? floorDivide(integer(left), integer(right)) : (Object) floorDivide(real(left), real(right));
            case "%" -> integers ? modulo(integer(left), integer(right)) : (Object) modulo(real(left), real(right));
            case "**" -> power(left, right, integers);
            default -> throw new IllegalStateException("not an operator: " + operator);
        };
    }

    private static BigInteger bounded(BigInteger number) {
        Limits.requireBits(number.bitLength());
        return number;
    }

    private static BigInteger product(BigInteger left, BigInteger right) {
        Limits.requireBits((long) left.bitLength() + right.bitLength());
        return left.multiply(right);
    }

    private static TemplateException divisionByZero(String message) {
        return new TemplateException("ZeroDivisionError", message);
    }

    private static double quotient(Object left, Object right, boolean integers) {
        if (!integers) {
            if (real(right) == 0) {
                throw divisionByZero("float division by zero");
            }
            return real(left) / real(right);
        }
        BigInteger divisor = integer(right);
        if (divisor.signum() == 0) {
            throw divisionByZero("division by zero");
        }
        BigDecimal exact = new BigDecimal(integer(left)).divide(new BigDecimal(divisor), new MathContext(60));
        double result = exact.doubleValue();
        if (Double.isInfinite(result)) {
            throw new TemplateException("OverflowError", "integer division result too large for a float");
        }
        return result;
    }

    private static BigInteger floorDivide(BigInteger left, BigInteger right) {
        if (right.signum() == 0) {
            throw divisionByZero("integer division or modulo by zero");
        }
        BigInteger[] parts = left.divideAndRemainder(right);
        boolean down = parts[1].signum() != 0 && parts[1].signum() != right.signum();
        return down ? parts[0].subtract(BigInteger.ONE) : parts[0];
    }

    private static BigInteger modulo(BigInteger left, BigInteger right) {
        if (right.signum() == 0) {
            throw divisionByZero("integer division or modulo by zero");
        }
        return left.subtract(floorDivide(left, right).multiply(right));
    }

    private static double floorDivide(double left, double right) {
        if (right == 0) {
            throw divisionByZero("float floor division by zero");
        }
        double remainder = left % right;
        double quotient = (left - remainder) / right;
        if (remainder != 0 && (right < 0) != (remainder < 0)) {
            quotient -= 1;
        }
        if (quotient == 0) {
            return Math.copySign(0, left / right);
        }
        double floor = Math.floor(quotient);
        return quotient - floor > 0.5 ? floor + 1 : floor;
    }

    private static double modulo(double left, double right) {
        if (right == 0) {
            throw divisionByZero("float modulo");
        }
        double remainder = left % right;
        if (remainder == 0) {
            return Math.copySign(0, right);
        }
        return (right < 0) != (remainder < 0) ? remainder + right : remainder;
    }

    private static Object power(Object left, Object right, boolean integers) {
        if (integers && integer(right).signum() >= 0) {
            BigInteger base = integer(left);
            BigInteger exponent = integer(right);
            if (base.abs().bitLength() <= 1) { // 0, 1 or -1
                boolean odd = exponent.testBit(0);
                return exponent.signum() == 0 ? BigInteger.ONE : odd ? base : base.multiply(base);
            }
            Limits.requireBits(exponent.bitLength() > 31 ? Long.MAX_VALUE : exponent.longValue() * base.bitLength());
            return base.pow(exponent.intValueExact());
        }
        double base = real(left);
        double exponent = real(right);
        if (base == 0 && exponent < 0) {
            throw divisionByZero("0.0 cannot be raised to a negative power");
        }
        if (base < 0 && Double.isFinite(base) && Double.isFinite(exponent) && exponent != Math.rint(exponent)) {
            throw TemplateException.unsupported("a complex number");
        }
        double result = base == 1 ? 1 : Math.pow(base, exponent);
        if (Double.isInfinite(result) && Double.isFinite(base) && Double.isFinite(exponent)) {
            throw new TemplateException("OverflowError", "(34, 'Numerical result out of range')");
        }
        return result;
    }

    /** Compares two numbers exactly; null if one is not a number. */
    static @Nullable Integer compare(Object left, Object right) {
        if (left instanceof Double a && right instanceof Double b) {
            return a.isNaN() || b.isNaN() ? null : Integer.valueOf(a < b ? -1 : a > b ? 1 : 0);
        }
        if (left instanceof Double a) {
            return compareReal(a, integer(right));
        }
        if (right instanceof Double b) {
            Integer reversed = compareReal(b, integer(left));
            return reversed == null ? null : Integer.valueOf(-reversed);
        }
        return integer(left).compareTo(integer(right));
    }

    private static @Nullable Integer compareReal(double left, BigInteger right) {
        if (Double.isNaN(left)) {
            return null;
        }
        return Double.isInfinite(left)
                ? Integer.valueOf(left > 0 ? 1 : -1)
                : Integer.valueOf(new BigDecimal(left).compareTo(new BigDecimal(right)));
    }

    // ---- conversions ----

    /** Python's {@code round}: to even, computed with the exact value. */
    static double round(double number, int digits) {
        if (!Double.isFinite(number) || digits > 330) {
            return number;
        }
        double rounded = new BigDecimal(number)
                .setScale(Math.max(digits, -330), RoundingMode.HALF_EVEN)
                .doubleValue();
        return Math.copySign(rounded, number);
    }

    /** Python's {@code int} of a string; null if it is not an integer. */
    static @Nullable BigInteger parseInteger(String text, int base) {
        String digits = Characters.strip(text, true, true);
        if (!INTEGER.matcher(digits).matches() || digits.contains("__") || digits.endsWith("_")) {
            return null;
        }
        boolean negative = digits.startsWith("-");
        digits = negative || digits.startsWith("+") ? digits.substring(1) : digits;
        int radix = base;
        if (digits.length() > 1 && digits.charAt(0) == '0') {
            int prefixed = switch (Character.toLowerCase(digits.charAt(1))) {
                case 'b' -> 2;
                case 'o' -> 8;
                case 'x' -> 16;
                default -> 0;
            };
            if (prefixed > 0 && (base == prefixed || base == 0)) {
                radix = prefixed;
                digits = digits.substring(2);
            }
        }
        if (radix == 0) {
            radix = 10;
            if (digits.startsWith("0") && !digits.chars().allMatch(c -> c == '0' || c == '_')) {
                return null;
            }
        }
        digits = digits.replace("_", "");
        int last = radix;
        if (digits.isEmpty() || !digits.chars().allMatch(c -> Character.digit(c, last) >= 0)) {
            return null;
        }
        Limits.requireBits(digits.length() * 5L);
        BigInteger number = new BigInteger(digits, radix);
        return negative ? number.negate() : number;
    }

    /** Python's {@code float} of a string; null if it is not a number. */
    static @Nullable Double parseReal(String text) {
        String digits = Characters.strip(text, true, true);
        var special = NOT_FINITE.matcher(digits);
        if (special.matches()) {
            double infinity = "-".equals(special.group(1)) ? Double.NEGATIVE_INFINITY : Double.POSITIVE_INFINITY;
            return special.group(2) == null ? Double.NaN : infinity;
        }
        return FLOAT.matcher(digits).matches() ? Double.valueOf(digits.replace("_", "")) : null;
    }

    /** A float without its fraction. */
    static BigInteger truncate(double number) {
        if (Double.isNaN(number)) {
            throw TemplateException.value("cannot convert float NaN to integer");
        }
        if (Double.isInfinite(number)) {
            throw new TemplateException("OverflowError", "cannot convert float infinity to integer");
        }
        return new BigDecimal(number).toBigInteger();
    }
}
