package io.gradus.data.jinja;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** A node of an expression. */
sealed interface Expression {

    /** The line of the template, from 1. */
    int line();

    /** The nodes directly below this one, in the order of their evaluation. */
    default List<Expression> children() {
        return List.of();
    }

    /** A literal. */
    record Constant(int line, Object value) implements Expression {}

    /** A variable. */
    record Name(int line, String name) implements Expression {}

    /** {@code (a, b)}; also the targets of an assignment. */
    record TupleOf(int line, List<Expression> items) implements Expression {
        @Override
        public List<Expression> children() {
            return items;
        }
    }

    /** {@code [a, b]}. */
    record ListOf(int line, List<Expression> items) implements Expression {
        @Override
        public List<Expression> children() {
            return items;
        }
    }

    /** <code>{key: value}</code>; keys and values alternate. */
    record DictOf(int line, List<Expression> items) implements Expression {
        @Override
        public List<Expression> children() {
            return items;
        }
    }

    /** {@code a.name}. */
    record Attribute(int line, Expression of, String name) implements Expression {
        @Override
        public List<Expression> children() {
            return List.of(of);
        }
    }

    /** The target {@code namespace.name} of an assignment. */
    record NamespaceTarget(int line, String namespace, String name) implements Expression {}

    /** {@code a[index]}. */
    record Item(int line, Expression of, Expression index) implements Expression {
        @Override
        public List<Expression> children() {
            return List.of(of, index);
        }
    }

    /** {@code from:to:step}, each {@code none} if it is left out. */
    record Slice(int line, Expression from, Expression to, Expression step) implements Expression {
        @Override
        public List<Expression> children() {
            return List.of(from, to, step);
        }
    }

    /** {@code a + b} and the other operators that evaluate both sides. */
    record Binary(int line, String operator, Expression left, Expression right) implements Expression {
        @Override
        public List<Expression> children() {
            return List.of(left, right);
        }
    }

    /** {@code a and b} or {@code a or b}. */
    record Logical(int line, boolean and, Expression left, Expression right) implements Expression {
        @Override
        public List<Expression> children() {
            return List.of(left, right);
        }
    }

    /** {@code -a}, {@code +a} or {@code not a}. */
    record Unary(int line, String operator, Expression of) implements Expression {
        @Override
        public List<Expression> children() {
            return List.of(of);
        }
    }

    /** {@code a < b < c}: each operand but the first has an operator. */
    record Comparison(int line, Expression first, List<String> operators, List<Expression> operands)
            implements Expression {
        @Override
        public List<Expression> children() {
            return Lists.concat(List.of(first), operands);
        }
    }

    /** {@code a ~ b}. */
    record Concatenation(int line, List<Expression> items) implements Expression {
        @Override
        public List<Expression> children() {
            return items;
        }
    }

    /** {@code a if test else b}. */
    record Conditional(
            int line,
            Expression test,
            Expression then,
            @Nullable Expression otherwise) implements Expression {
        @Override
        public List<Expression> children() {
            return otherwise == null ? List.of(test, then) : List.of(test, then, otherwise);
        }
    }

    /** {@code a(…)}. */
    record Call(int line, Expression of, CallArguments arguments) implements Expression {
        @Override
        public List<Expression> children() {
            return Lists.concat(List.of(of), arguments.children());
        }
    }

    /** {@code a | name(…)}; without {@code a}, the body of a filter or set block. */
    record Filtered(int line, @Nullable Expression of, String name, CallArguments arguments) implements Expression {
        @Override
        public List<Expression> children() {
            return of == null ? arguments.children() : Lists.concat(List.of(of), arguments.children());
        }
    }

    /** {@code a is name(…)}. */
    record Tested(int line, Expression of, String name, CallArguments arguments) implements Expression {
        @Override
        public List<Expression> children() {
            return Lists.concat(List.of(of), arguments.children());
        }
    }

    /**
     * The arguments of a call.
     *
     * @param names of {@code named}
     * @param star the value after {@code *}
     * @param doubleStar the value after {@code **}
     */
    record CallArguments(
            List<Expression> positional,
            List<String> names,
            List<Expression> named,
            @Nullable Expression star,
            @Nullable Expression doubleStar) {
        static final CallArguments NONE = new CallArguments(List.of(), List.of(), List.of(), null, null);

        List<Expression> children() {
            List<Expression> all = Lists.concat(positional, named);
            all = star == null ? all : Lists.concat(all, List.of(star));
            return doubleStar == null ? all : Lists.concat(all, List.of(doubleStar));
        }
    }
}
