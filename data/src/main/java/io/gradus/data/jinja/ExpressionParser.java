package io.gradus.data.jinja;

import io.gradus.data.jinja.Expression.Attribute;
import io.gradus.data.jinja.Expression.Binary;
import io.gradus.data.jinja.Expression.Call;
import io.gradus.data.jinja.Expression.CallArguments;
import io.gradus.data.jinja.Expression.Comparison;
import io.gradus.data.jinja.Expression.Concatenation;
import io.gradus.data.jinja.Expression.Conditional;
import io.gradus.data.jinja.Expression.Constant;
import io.gradus.data.jinja.Expression.DictOf;
import io.gradus.data.jinja.Expression.Filtered;
import io.gradus.data.jinja.Expression.Item;
import io.gradus.data.jinja.Expression.ListOf;
import io.gradus.data.jinja.Expression.Logical;
import io.gradus.data.jinja.Expression.Name;
import io.gradus.data.jinja.Expression.NamespaceTarget;
import io.gradus.data.jinja.Expression.Slice;
import io.gradus.data.jinja.Expression.Tested;
import io.gradus.data.jinja.Expression.TupleOf;
import io.gradus.data.jinja.Expression.Unary;
import io.gradus.data.jinja.Token.Kind;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Parses expressions, with one method per level of precedence, the lowest first. */
final class ExpressionParser {
    private static final int MAX_DEPTH = 100;
    private static final Set<String> COMPARISONS = Set.of("==", "!=", "<", "<=", ">", ">=");

    private final TokenStream tokens;
    private int depth;

    ExpressionParser(TokenStream tokens) {
        this.tokens = tokens;
    }

    private int line() {
        return tokens.current().line();
    }

    Expression expression() {
        if (++depth > MAX_DEPTH) {
            throw TemplateException.limit("an expression is nested more than " + MAX_DEPTH + " deep")
                    .at(line());
        }
        Expression result = conditional();
        depth--;
        return result;
    }

    private Expression conditional() {
        int line = line();
        Expression then = or();
        while (tokens.skipName("if")) {
            Expression test = or();
            Expression otherwise = tokens.skipName("else") ? expression() : null;
            then = new Conditional(line, test, then, otherwise);
            line = line();
        }
        return then;
    }

    private Expression or() {
        Expression left = and();
        while (tokens.isName("or")) {
            int line = tokens.next().line();
            left = new Logical(line, false, left, and());
        }
        return left;
    }

    private Expression and() {
        Expression left = not();
        while (tokens.isName("and")) {
            int line = tokens.next().line();
            left = new Logical(line, true, left, not());
        }
        return left;
    }

    private Expression not() {
        int negations = 0;
        int line = line();
        while (tokens.skipName("not")) {
            negations++;
        }
        Expression result = comparison();
        for (int i = 0; i < negations; i++) {
            result = new Unary(line, "not", result);
        }
        return result;
    }

    private Expression comparison() {
        int line = line();
        Expression first = sum();
        List<String> operators = new ArrayList<>();
        List<Expression> operands = new ArrayList<>();
        while (true) {
            if (tokens.is(Kind.OPERATOR)
                    && COMPARISONS.contains(tokens.current().text())) {
                operators.add(tokens.next().text());
            } else if (tokens.skipName("in")) {
                operators.add("in");
            } else if (tokens.isName("not") && tokens.following().isName("in")) {
                tokens.next();
                tokens.next();
                operators.add("not in");
            } else {
                return operators.isEmpty() ? first : new Comparison(line, first, operators, operands);
            }
            operands.add(sum());
        }
    }

    private Expression sum() {
        return binary(this::concatenation, "+", "-");
    }

    private Expression concatenation() {
        int line = line();
        List<Expression> items = new ArrayList<>(List.of(product()));
        while (tokens.skipOperator("~")) {
            items.add(product());
        }
        return items.size() == 1 ? items.getFirst() : new Concatenation(line, items);
    }

    private Expression product() {
        return binary(this::power, "*", "/", "//", "%");
    }

    private Expression power() {
        return binary(() -> unary(true), "**");
    }

    private Expression binary(Supplier<Expression> operand, String... operators) {
        Expression left = operand.get();
        while (tokens.is(Kind.OPERATOR)
                && List.of(operators).contains(tokens.current().text())) {
            Token operator = tokens.next();
            left = new Binary(operator.line(), operator.text(), left, operand.get());
        }
        return left;
    }

    private Expression unary(boolean withFilters) {
        Expression result;
        if (tokens.isOperator("-") || tokens.isOperator("+")) {
            if (++depth > MAX_DEPTH) {
                throw TemplateException.limit("an expression has more than " + MAX_DEPTH + " signs")
                        .at(line());
            }
            Token sign = tokens.next();
            result = new Unary(sign.line(), sign.text(), unary(false));
            depth--;
        } else {
            result = primary(false);
        }
        result = postfix(result);
        return withFilters ? filters(result) : result;
    }

    // ---- primary expressions ----

    /**
     * A name, a literal, or an expression in parentheses.
     *
     * @param target whether it is assigned to, so that {@code a.b} is the attribute of a namespace
     */
    private Expression primary(boolean target) {
        Token token = tokens.current();
        return switch (token.kind()) {
            case NAME -> name(tokens.next(), target);
            case STRING -> {
                StringBuilder text = new StringBuilder();
                while (tokens.is(Kind.STRING)) {
                    text.append((String) tokens.next().value());
                }
                yield new Constant(token.line(), text.toString());
            }
            case INTEGER, FLOAT -> new Constant(token.line(), tokens.next().value());
            default ->
                switch (token.text()) {
                    case "(" -> {
                        tokens.next();
                        Expression inner = tuple(this::expression, null, true);
                        tokens.expectOperator(")");
                        yield inner;
                    }
                    case "[" -> new ListOf(token.line(), items("[", "]", false));
                    case "{" -> new DictOf(token.line(), items("{", "}", true));
                    default -> throw TemplateException.syntax(token.line(), "unexpected '" + token.description() + "'");
                };
        };
    }

    private Expression name(Token token, boolean target) {
        int line = token.line();
        return switch (token.text()) {
            case "true", "True" -> new Constant(line, true);
            case "false", "False" -> new Constant(line, false);
            case "none", "None" -> new Constant(line, None.NONE);
            default -> {
                if (target && tokens.skipOperator(".")) {
                    yield new NamespaceTarget(
                            line, token.text(), tokens.expect(Kind.NAME, "name").text());
                }
                yield new Name(line, token.text());
            }
        };
    }

    private List<Expression> items(String begin, String end, boolean pairs) {
        tokens.expectOperator(begin);
        List<Expression> items = new ArrayList<>();
        while (!tokens.isOperator(end)) {
            if (!items.isEmpty()) {
                tokens.expectOperator(",");
                if (tokens.isOperator(end)) {
                    break;
                }
            }
            items.add(expression());
            if (pairs) {
                tokens.expectOperator(":");
                items.add(expression());
            }
        }
        tokens.expectOperator(end);
        return items;
    }

    /** An expression, or several with commas. */
    Expression tuple() {
        return tuple(this::expression, null, false);
    }

    /** The items of a loop, or the test of an if statement: an inline if needs parentheses there. */
    Expression tupleWithoutCondition(@Nullable String endName) {
        return tuple(this::or, endName, false);
    }

    private Expression tuple(Supplier<Expression> item, @Nullable String endName, boolean parentheses) {
        int line = line();
        List<Expression> items = new ArrayList<>();
        boolean several = false;
        while (true) {
            if (!items.isEmpty()) {
                tokens.expectOperator(",");
            }
            if (tokens.is(Kind.VARIABLE_END)
                    || tokens.is(Kind.BLOCK_END)
                    || tokens.isOperator(")")
                    || (endName != null && tokens.isName(endName))) {
                break;
            }
            items.add(item.get());
            if (!tokens.isOperator(",")) {
                break;
            }
            several = true;
        }
        if (several) {
            return new TupleOf(line, items);
        }
        if (items.isEmpty() && !parentheses) {
            throw TemplateException.syntax(
                    line, "Expected an expression, got '" + tokens.current().description() + "'");
        }
        return items.isEmpty() ? new TupleOf(line, items) : items.getFirst();
    }

    // ---- targets ----

    /** A name, the attribute of a namespace, or several with commas. */
    Expression target(@Nullable String endName, boolean namespaces) {
        return requireTarget(tuple(() -> primary(namespaces), endName, false));
    }

    private static Expression requireTarget(Expression target) {
        switch (target) {
            case TupleOf tuple -> tuple.items().forEach(ExpressionParser::requireTarget);
            case Name _, NamespaceTarget _ -> {}
            default -> {
                String kind = switch (target) {
                    case Constant _ -> "const";
                    case ListOf _ -> "list";
                    case DictOf _ -> "dict";
                    default -> "expression";
                };
                throw TemplateException.syntax(target.line(), "can't assign to '" + kind + "'");
            }
        }
        return target;
    }

    // ---- what follows an expression ----

    private Expression postfix(Expression expression) {
        Expression result = expression;
        while (true) {
            if (tokens.isOperator(".")) {
                result = attribute(result);
            } else if (tokens.isOperator("[")) {
                result = item(result);
            } else if (tokens.isOperator("(")) {
                result = new Call(line(), result, arguments());
            } else {
                return result;
            }
        }
    }

    private Expression filters(Expression expression) {
        Expression result = expression;
        while (true) {
            if (tokens.isOperator("|")) {
                tokens.next();
                result = filter(result);
            } else if (tokens.isName("is")) {
                result = test(result);
            } else if (tokens.isOperator("(")) {
                result = new Call(line(), result, arguments());
            } else {
                return result;
            }
        }
    }

    private Expression attribute(Expression of) {
        int line = tokens.next().line();
        Token name = tokens.next();
        if (name.kind() == Kind.NAME) {
            return new Attribute(line, of, name.text());
        }
        if (name.kind() != Kind.INTEGER) {
            throw TemplateException.syntax(name.line(), "expected name or number");
        }
        return new Item(line, of, new Constant(name.line(), name.value()));
    }

    private Expression item(Expression of) {
        int line = tokens.next().line();
        List<Expression> indexes = new ArrayList<>();
        while (!tokens.isOperator("]")) {
            if (!indexes.isEmpty()) {
                tokens.expectOperator(",");
            }
            indexes.add(index());
        }
        tokens.expectOperator("]");
        return new Item(line, of, indexes.size() == 1 ? indexes.getFirst() : new TupleOf(line, indexes));
    }

    private Expression index() {
        int line = line();
        Expression none = new Constant(line, None.NONE);
        Expression from = none;
        if (!tokens.isOperator(":")) {
            from = expression();
            if (!tokens.isOperator(":")) {
                return from;
            }
        }
        tokens.next();
        Expression to = endsIndex(":") ? none : expression();
        Expression step = none;
        if (tokens.skipOperator(":") && !endsIndex("]")) {
            step = expression();
        }
        return new Slice(line, from, to, step);
    }

    private boolean endsIndex(String operator) {
        return tokens.isOperator(operator) || tokens.isOperator("]") || tokens.isOperator(",");
    }

    /** A filter whose {@code |} is passed; without a value in a filter block. */
    Filtered filter(@Nullable Expression of) {
        Token name = tokens.current();
        String full = dottedName();
        CallArguments arguments = tokens.isOperator("(") ? arguments() : CallArguments.NONE;
        return new Filtered(name.line(), of, full, arguments);
    }

    private Expression test(Expression of) {
        int line = tokens.next().line();
        boolean negated = tokens.skipName("not");
        String name = dottedName();
        CallArguments arguments = CallArguments.NONE;
        if (tokens.isOperator("(")) {
            arguments = arguments();
        } else if (beginsTestArgument()) {
            if (tokens.isName("is")) {
                throw TemplateException.syntax(line(), "You cannot chain multiple tests with is");
            }
            arguments = new CallArguments(List.of(postfix(primary(false))), List.of(), List.of(), null, null);
        }
        Expression test = new Tested(line, of, name, arguments);
        return negated ? new Unary(line, "not", test) : test;
    }

    private boolean beginsTestArgument() {
        return switch (tokens.current().kind()) {
            case NAME -> !(tokens.isName("else") || tokens.isName("or") || tokens.isName("and"));
            case STRING, INTEGER, FLOAT -> true;
            case OPERATOR -> tokens.isOperator("[") || tokens.isOperator("{");
            default -> false;
        };
    }

    private String dottedName() {
        StringBuilder name = new StringBuilder(tokens.expect(Kind.NAME, "name").text());
        while (tokens.skipOperator(".")) {
            name.append('.').append(tokens.expect(Kind.NAME, "name").text());
        }
        return name.toString();
    }

    private CallArguments arguments() {
        int line = line();
        tokens.expectOperator("(");
        List<Expression> positional = new ArrayList<>();
        List<String> names = new ArrayList<>();
        List<Expression> named = new ArrayList<>();
        Expression star = null;
        Expression doubleStar = null;
        boolean first = true;
        while (!tokens.isOperator(")")) {
            if (!first) {
                tokens.expectOperator(",");
                if (tokens.isOperator(")")) {
                    break;
                }
            }
            first = false;
            boolean ordered;
            if (tokens.skipOperator("*")) {
                ordered = star == null && doubleStar == null;
                star = expression();
            } else if (tokens.skipOperator("**")) {
                ordered = doubleStar == null;
                doubleStar = expression();
            } else if (tokens.is(Kind.NAME) && tokens.following().isOperator("=")) {
                ordered = doubleStar == null;
                names.add(tokens.next().text());
                tokens.next();
                named.add(expression());
            } else {
                ordered = star == null && doubleStar == null && named.isEmpty();
                positional.add(expression());
            }
            if (!ordered) {
                throw TemplateException.syntax(line, "invalid syntax for function call expression");
            }
        }
        tokens.expectOperator(")");
        Set<String> distinct = new HashSet<>();
        for (String name : names) {
            if (!distinct.add(name)) {
                throw TemplateException.syntax(line, "keyword argument repeated: " + name);
            }
        }
        return new CallArguments(positional, names, named, star, doubleStar);
    }
}
