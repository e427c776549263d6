package io.gradus.data.jinja;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Python's operators for values of any type. */
final class Operators {
    private Operators() {}

    // ---- arithmetic ----

    static Object binary(String operator, Object left, Object right) {
        if (left instanceof Undefined undefined) {
            throw undefined.exception();
        }
        if (operator.equals("%") && Values.isString(left)) {
            return PercentFormat.format(left, right);
        }
        if (right instanceof Undefined undefined) {
            throw undefined.exception();
        }
        Object result = null;
        if (Numbers.isNumber(left) && Numbers.isNumber(right)) {
            result = Numbers.operate(operator, left, right);
        } else if (operator.equals("+")) {
            result = concatenate(left, right);
        } else if (operator.equals("*")) {
            result = Numbers.isInteger(right)
                    ? repeat(left, right)
                    : Numbers.isInteger(left) ? repeat(right, left) : null;
        }
        if (result == null) {
            String shown = operator.equals("**") ? "** or pow()" : operator;
            throw unsupported(shown, left, right);
        }
        return result;
    }

    private static TemplateException unsupported(String operator, Object left, Object right) {
        return TemplateException.type("unsupported operand type(s) for " + operator + ": '" + Values.typeName(left)
                + "' and '" + Values.typeName(right) + "'");
    }

    private static @Nullable Object concatenate(Object left, Object right) {
        if (left instanceof Markup || right instanceof Markup) {
            if (Values.isString(left) && Values.isString(right)) {
                String both = Markup.escape(left).text() + Markup.escape(right).text();
                Limits.requireCharacters(both.length());
                return new Markup(both);
            }
        }
        if (left instanceof String a) {
            if (!(right instanceof String b)) {
                throw TemplateException.type(
                        "can only concatenate str (not \"" + Values.typeName(right) + "\") to str");
            }
            Limits.requireCharacters((long) a.length() + b.length());
            return a + b;
        }
        if (left instanceof List<?> a) {
            if (!(right instanceof List<?> b)) {
                throw TemplateException.type(
                        "can only concatenate list (not \"" + Values.typeName(right) + "\") to list");
            }
            Limits.requireItems((long) a.size() + b.size());
            return Lists.concat(Values.cast(a), Values.cast(b));
        }
        if (left instanceof Tuple a) {
            if (!(right instanceof Tuple b)) {
                throw TemplateException.type(
                        "can only concatenate tuple (not \"" + Values.typeName(right) + "\") to tuple");
            }
            Limits.requireItems((long) a.items().size() + b.items().size());
            return new Tuple(Lists.concat(a.items(), b.items()));
        }
        return null;
    }

    private static @Nullable Object repeat(Object value, Object times) {
        long count = Math.max(0, Numbers.count(times));
        return switch (value) {
            case String text -> repeat(text, count);
            case Markup markup -> new Markup(repeat(markup.text(), count));
            case List<?> list -> repeat(Values.cast(list), count);
            case Tuple tuple -> new Tuple(repeat(tuple.items(), count));
            default -> null;
        };
    }

    static String repeat(String text, long count) {
        Limits.requireCharacters(text.length() * count);
        return text.isEmpty() ? "" : text.repeat((int) count);
    }

    private static List<Object> repeat(List<Object> list, long count) {
        Limits.requireItems(list.size() * count);
        List<Object> all = new ArrayList<>();
        for (long i = 0; i < count && !list.isEmpty(); i++) {
            all.addAll(list);
        }
        return all;
    }

    static Object unary(String operator, Object value) {
        if (operator.equals("not")) {
            return !Values.truth(value);
        }
        if (value instanceof Undefined undefined) {
            throw undefined.exception();
        }
        if (!Numbers.isNumber(value)) {
            throw TemplateException.type(
                    "bad operand type for unary " + operator + ": '" + Values.typeName(value) + "'");
        }
        boolean negative = operator.equals("-");
        if (value instanceof Double number) {
            return negative ? -number : number;
        }
        BigInteger number = Numbers.integer(value);
        return negative ? number.negate() : number;
    }

    // ---- comparison ----

    static boolean compare(String operator, Object left, Object right) {
        return switch (operator) {
            case "==" -> equal(left, right);
            case "!=" -> !equal(left, right);
            case "in" -> contains(right, left);
            case "not in" -> !contains(right, left);
            default -> ordered(operator, left, right);
        };
    }

    static boolean equal(Object left, Object right) {
        if (Numbers.isNumber(left) && Numbers.isNumber(right)) {
            return Objects.equals(Numbers.compare(left, right), 0);
        }
        if (Values.isString(left) && Values.isString(right)) {
            return Values.text(left).equals(Values.text(right));
        }
        return switch (left) {
            case List<?> a -> right instanceof List<?> b && equal(Values.cast(a), Values.cast(b));
            case Tuple a -> right instanceof Tuple b && equal(a.items(), b.items());
            case Range a -> right instanceof Range b && equal(a.items(), b.items());
            case Dict a -> right instanceof Dict b && equal(a, b);
            case DictView a
            when a.kind() != DictView.Kind.VALUES ->
                right instanceof DictView b
                        && b.kind() != DictView.Kind.VALUES
                        && a.dict().size() == b.dict().size()
                        && a.items().stream().allMatch(item -> contains(b, item));
            case Undefined _ -> right instanceof Undefined;
            default -> left == right;
        };
    }

    private static boolean equal(List<Object> left, List<Object> right) {
        if (left.size() != right.size()) {
            return false;
        }
        Iterator<Object> others = right.iterator();
        return left.stream().allMatch(item -> same(item, others.next()));
    }

    /** Equality as collections use it, for which a value is always equal to itself. */
    private static boolean same(Object left, Object right) {
        Limits.visit(1);
        Limits.read(left);
        return left == right || equal(left, right);
    }

    private static boolean equal(Dict left, Dict right) {
        if (left.size() != right.size()) {
            return false;
        }
        for (Dict.Entry entry : left.entries()) {
            Object other = right.get(entry.key());
            if (other == null || !same(entry.value(), other)) {
                return false;
            }
        }
        return true;
    }

    private static boolean ordered(String operator, Object left, Object right) {
        Limits.visit(1);
        Limits.read(left);
        if (left instanceof Undefined undefined) {
            throw undefined.exception();
        }
        if (right instanceof Undefined undefined) {
            throw undefined.exception();
        }
        if (Numbers.isNumber(left) && Numbers.isNumber(right)) {
            Integer order = Numbers.compare(left, right);
            return order != null && holds(operator, order);
        }
        if (Values.isString(left) && Values.isString(right)) {
            return holds(operator, compareText(Values.text(left), Values.text(right)));
        }
        if (left instanceof List<?> a && right instanceof List<?> b) {
            return ordered(operator, Values.cast(a), Values.cast(b));
        }
        if (left instanceof Tuple a && right instanceof Tuple b) {
            return ordered(operator, a.items(), b.items());
        }
        throw TemplateException.type("'" + operator + "' not supported between instances of '" + Values.typeName(left)
                + "' and '" + Values.typeName(right) + "'");
    }

    private static boolean ordered(String operator, List<Object> left, List<Object> right) {
        for (int i = 0; i < Math.min(left.size(), right.size()); i++) {
            if (!same(left.get(i), right.get(i))) {
                return ordered(operator, left.get(i), right.get(i));
            }
        }
        return holds(operator, Integer.compare(left.size(), right.size()));
    }

    private static boolean holds(String operator, int order) {
        return switch (operator) {
            case "<" -> order < 0;
            case "<=" -> order <= 0;
            case ">" -> order > 0;
            default -> order >= 0;
        };
    }

    /** By code points, unlike Java. */
    private static int compareText(String left, String right) {
        int at = 0;
        while (at < left.length() && at < right.length() && left.charAt(at) == right.charAt(at)) {
            at++;
        }
        if (at == left.length() || at == right.length()) {
            return Integer.compare(left.length(), right.length());
        }
        char a = left.charAt(at);
        char b = right.charAt(at);
        boolean surrogates = Character.isSurrogate(a) != Character.isSurrogate(b);
        return surrogates
                ? Boolean.compare(Character.isSurrogate(a), Character.isSurrogate(b))
                : Character.compare(a, b);
    }

    /** The order of Python's {@code sorted}. */
    static final Comparator<Object> ORDER =
            (left, right) -> ordered("<", left, right) ? -1 : ordered("<", right, left) ? 1 : 0;

    static boolean contains(Object container, Object item) {
        if (Values.isString(container)) {
            if (!Values.isString(item)) {
                throw TemplateException.type(
                        "'in <string>' requires string as left operand, not " + Values.typeName(item));
            }
            return Values.text(container).contains(Values.text(item));
        }
        if (container instanceof Dict dict) {
            return dict.contains(item);
        }
        if (container instanceof DictView view && view.kind() == DictView.Kind.KEYS) {
            return view.dict().contains(item);
        }
        if (!Values.isIterable(container)) {
            throw TemplateException.type("argument of type '" + Values.typeName(container) + "' is not iterable");
        }
        Collection<Object> items = Values.itemsIfSized(container);
        if (items != null) {
            return items.stream().anyMatch(other -> same(other, item));
        }
        Iterator<Object> rest = Values.iterate(container);
        while (rest.hasNext()) {
            if (same(rest.next(), item)) {
                return true;
            }
        }
        return false;
    }

    /** Whether two values are the same object. Python keeps one object for each small integer and short literal. */
    static boolean identical(Object left, Object right) {
        if (left instanceof BigInteger a && right instanceof BigInteger b) {
            return a.equals(b) && a.bitLength() <= 8;
        }
        return left == right
                || left instanceof String && left.equals(right)
                || left instanceof Boolean && left.equals(right)
                || left instanceof Tuple a && a.items().isEmpty() && a.equals(right);
    }
}
