package io.gradus.data.jinja;

import io.gradus.data.jinja.Expression.CallArguments;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Computes expressions. */
final class Evaluator {
    /**
     * The value of an expression.
     *
     * @throws TemplateException that names the line
     */
    Object evaluate(Expression expression, Frame frame) {
        return evaluate(expression, frame, null);
    }

    /**
     * {@link #evaluate(Expression, Frame)} with the text that a filter block begins with.
     *
     * @param body the text; null outside of filter blocks
     */
    Object evaluate(Expression expression, Frame frame, @Nullable String body) {
        Limits limits = Limits.enter();
        try {
            return limits.produced(compute(expression, frame, body));
        } catch (TemplateException e) {
            throw e.at(expression.line());
        } finally {
            limits.leave();
        }
    }

    private Object compute(Expression expression, Frame frame, @Nullable String body) {
        return switch (expression) {
            case Expression.Constant constant -> constant.value();
            case Expression.Name name -> frame.get(name.name());
            case Expression.TupleOf tuple -> new Tuple(all(tuple.items(), frame));
            case Expression.ListOf list -> all(list.items(), frame);
            case Expression.DictOf dict -> dict(dict, frame);
            case Expression.Attribute attribute ->
                Attributes.attribute(evaluate(attribute.of(), frame), attribute.name());
            case Expression.Item item -> item(item, frame);
            case Expression.Binary binary ->
                Operators.binary(binary.operator(), read(binary.left(), frame), read(binary.right(), frame));
            case Expression.Logical logical -> {
                Object left = evaluate(logical.left(), frame);
                yield Values.truth(left) == logical.and() ? evaluate(logical.right(), frame) : left;
            }
            case Expression.Unary unary -> Operators.unary(unary.operator(), evaluate(unary.of(), frame));
            case Expression.Comparison comparison -> comparison(comparison, frame);
            case Expression.Concatenation concatenation -> concatenation(concatenation, frame);
            case Expression.Conditional conditional -> conditional(conditional, frame);
            case Expression.Call call -> call(call, frame, null);
            case Expression.Filtered filtered -> {
                Expression of = filtered.of();
                Object value = of != null ? evaluate(of, frame, body) : String.valueOf(body);
                Limits.read(value);
                yield Filters.apply(filtered.name(), value, arguments(filtered.arguments(), frame, null));
            }
            case Expression.Tested tested -> {
                Object value = read(tested.of(), frame);
                yield Tests.apply(tested.name(), value, arguments(tested.arguments(), frame, null));
            }
            case Expression.NamespaceTarget _, Expression.Slice _ ->
                throw TemplateException.syntax(expression.line(), "invalid syntax");
        };
    }

    /** {@link #evaluate} for an operation that reads all characters of the value. */
    private Object read(Expression expression, Frame frame) {
        Object value = evaluate(expression, frame);
        Limits.read(value);
        return value;
    }

    private List<Object> all(List<Expression> items, Frame frame) {
        List<Object> values = new ArrayList<>(items.size());
        items.forEach(item -> values.add(evaluate(item, frame)));
        return values;
    }

    private Dict dict(Expression.DictOf literal, Frame frame) {
        Dict dict = new Dict();
        List<Object> values = all(literal.items(), frame);
        for (int i = 0; i < values.size(); i += 2) {
            dict.put(values.get(i), values.get(i + 1));
        }
        return dict;
    }

    private Object item(Expression.Item item, Frame frame) {
        Object value = read(item.of(), frame);
        return item.index() instanceof Expression.Slice slice
                ? Slices.slice(
                        value,
                        evaluate(slice.from(), frame),
                        evaluate(slice.to(), frame),
                        evaluate(slice.step(), frame))
                : Attributes.item(value, evaluate(item.index(), frame));
    }

    private boolean comparison(Expression.Comparison comparison, Frame frame) {
        Object left = read(comparison.first(), frame);
        for (int i = 0; i < comparison.operators().size(); i++) {
            Object right = read(comparison.operands().get(i), frame);
            if (!Operators.compare(comparison.operators().get(i), left, right)) {
                return false;
            }
            left = right;
        }
        return true;
    }

    private String concatenation(Expression.Concatenation concatenation, Frame frame) {
        StringBuilder text = new StringBuilder();
        for (Object value : all(concatenation.items(), frame)) {
            text.append(Text.str(value));
            Limits.requireCharacters(text.length());
        }
        return text.toString();
    }

    private Object conditional(Expression.Conditional conditional, Frame frame) {
        if (Values.truth(evaluate(conditional.test(), frame))) {
            return evaluate(conditional.then(), frame);
        }
        Expression otherwise = conditional.otherwise();
        return otherwise != null
                ? evaluate(otherwise, frame)
                : new Undefined("the inline if-expression on line " + conditional.line()
                        + " evaluated to false and no else section was defined.");
    }

    /**
     * Calls something.
     *
     * @param caller the body of a call block; null for other calls
     */
    Object call(Expression.Call call, Frame frame, @Nullable Object caller) {
        Object function = evaluate(call.of(), frame);
        if (function instanceof Attributes.Method method) {
            Limits.read(method.of());
        }
        Arguments arguments = arguments(call.arguments(), frame, caller);
        if (function instanceof Undefined undefined) {
            throw undefined.exception();
        }
        if (!(function instanceof Callable callable)) {
            throw TemplateException.type("'" + Values.typeName(function) + "' object is not callable");
        }
        return callable.call(arguments);
    }

    private Arguments arguments(CallArguments given, Frame frame, @Nullable Object caller) {
        List<Object> positional = all(given.positional(), frame);
        Map<String, Object> named = new LinkedHashMap<>();
        List<Object> values = all(given.named(), frame);
        for (int i = 0; i < values.size(); i++) {
            named.put(given.names().get(i), values.get(i));
        }
        if (caller != null) {
            named.put("caller", caller);
        }
        Expression star = given.star();
        if (star != null) {
            positional.addAll(Values.list(evaluate(star, frame)));
        }
        Expression doubleStar = given.doubleStar();
        if (doubleStar != null) {
            addNamed(evaluate(doubleStar, frame), named);
        }
        return new Arguments(positional, named);
    }

    private static void addNamed(Object value, Map<String, Object> named) {
        if (!(value instanceof Dict dict)) {
            throw TemplateException.type("argument after ** must be a mapping, not " + Values.typeName(value));
        }
        for (Dict.Entry entry : dict.entries()) {
            if (!(entry.key() instanceof String name)) {
                throw TemplateException.type("keywords must be strings");
            }
            if (named.put(name, entry.value()) != null) {
                throw TemplateException.type("got multiple values for keyword argument '" + name + "'");
            }
        }
    }
}
