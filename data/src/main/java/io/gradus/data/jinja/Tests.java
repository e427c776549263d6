package io.gradus.data.jinja;

import java.math.BigInteger;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Jinja's tests, the words after {@code is}. */
final class Tests {
    private static final Map<String, Test> TESTS = new HashMap<>();

    private record Test(Signature signature, Filters.Body body) {}

    static {
        add("odd", "", (value, _) -> remainder(value, BigInteger.TWO, BigInteger.ONE));
        add("even", "", (value, _) -> remainder(value, BigInteger.TWO, BigInteger.ZERO));
        add("divisibleby", "num", (value, args) -> remainder(value, args[0], BigInteger.ZERO));
        add("defined", "", (value, _) -> !(value instanceof Undefined));
        add("undefined", "", (value, _) -> value instanceof Undefined);
        add("filter", "", (value, _) -> value instanceof String name && Filters.exists(name));
        add("test", "", (value, _) -> value instanceof String name && exists(name));
        add("none", "", (value, _) -> value == None.NONE);
        add("boolean", "", (value, _) -> value instanceof Boolean);
        add("false", "", (value, _) -> Boolean.FALSE.equals(value));
        add("true", "", (value, _) -> Boolean.TRUE.equals(value));
        add("integer", "", (value, _) -> value instanceof BigInteger);
        add("float", "", (value, _) -> value instanceof Double);
        add("lower", "", (value, _) -> Cases.isLower(Text.str(value)));
        add("upper", "", (value, _) -> Cases.isUpper(Text.str(value)));
        add("string", "", (value, _) -> Values.isString(value));
        add("mapping", "", (value, _) -> value instanceof Dict);
        add("number", "", (value, _) -> Numbers.isNumber(value));
        add("sequence", "", (value, _) -> isSequence(value));
        add("iterable", "", (value, _) -> Values.isIterable(value));
        add("callable", "", (value, _) -> value instanceof Callable || value instanceof Undefined);
        add("sameas", "other", (value, args) -> Operators.identical(value, args[0]));
        add("escaped", "", (value, _) -> value instanceof Markup);
        add("in", "seq", (value, args) -> Operators.contains(args[0], value));
        compares("==", "eq", "equalto");
        compares("!=", "ne");
        compares(">", "gt", "greaterthan");
        compares(">=", "ge");
        compares("<", "lt", "lessthan");
        compares("<=", "le");
    }

    private Tests() {}

    private static void add(String name, String parameters, Filters.Body body) {
        TESTS.put(name, new Test(Signature.of(name, parameters), body));
    }

    private static void compares(String operator, String... names) {
        Filters.Body body = (value, args) -> Operators.compare(operator, value, args[0]);
        add(operator, "other, /", body);
        for (String name : names) {
            add(name, "other, /", body);
        }
    }

    /** Whether Jinja has a test. */
    static boolean exists(String name) {
        return TESTS.containsKey(name);
    }

    /**
     * Applies a test.
     *
     * @throws TemplateException if it does not exist, or does not accept the value or the arguments
     */
    static Object apply(Object name, Object value, Arguments arguments) {
        Test test = name instanceof String text ? TESTS.get(text) : null;
        if (test == null) {
            throw new TemplateException("TemplateRuntimeError", "No test named " + Text.repr(name) + ".");
        }
        return test.body.apply(value, test.signature.bind(arguments));
    }

    private static boolean remainder(Object value, Object divisor, BigInteger wanted) {
        return Operators.equal(Operators.binary("%", value, divisor), wanted);
    }

    /** Values with a length and items by number or key. */
    private static boolean isSequence(Object value) {
        return Values.isString(value)
                || value instanceof List<?>
                || value instanceof Tuple
                || value instanceof Dict
                || value instanceof Range
                || value instanceof Undefined;
    }
}
