package io.gradus.data.jinja;

import io.gradus.data.jinja.Expression.Name;
import io.gradus.data.jinja.Expression.TupleOf;
import io.gradus.data.jinja.Statement.MacroBody;
import java.util.List;

/**
 * Whether statements, including those in macros and loops, read a special variable such as {@code loop}. As in Jinja, a variable
 * that is assigned first is not the special one.
 */
final class Reads {
    private final String name;
    /** What happened to the variable first. */
    private boolean read;

    private boolean assigned;

    private Reads(String name) {
        this.name = name;
    }

    static boolean anyOf(List<Statement> statements, String name) {
        Reads reads = new Reads(name);
        reads.statements(statements);
        return reads.read;
    }

    /** Whether a statement or one in it assigns to a variable with {@code set} or {@code for}. */
    static boolean assigns(Statement statement, String name) {
        return switch (statement) {
            case Statement.For loop ->
                names(loop.target(), name) || assigns(loop.body(), name) || assigns(loop.otherwise(), name);
            case Statement.Set set -> names(set.target(), name);
            case Statement.SetBlock set -> names(set.target(), name) || assigns(set.body().statements, name);
            case Statement.If test ->
                assigns(test.body(), name)
                        || test.elseIfs().stream().anyMatch(other -> assigns(other, name))
                        || assigns(test.otherwise(), name);
            case Statement.With with -> assigns(with.body().statements, name);
            case Statement.FilterBlock filter -> assigns(filter.body().statements, name);
            case Statement.Generation generation -> assigns(generation.body().statements, name);
            case Statement.CallBlock call -> assigns(call.caller().body().statements, name);
            case Statement.MacroDefinition macro -> assigns(macro.macro().body().statements, name);
            case Statement.Block block -> assigns(block.body().statements, name);
            case Statement.AutoEscape escape -> assigns(escape.body().statements, name);
            case Statement.Data _, Statement.Output _, Statement.Jump _, Statement.OtherTemplate _ -> false;
        };
    }

    private static boolean assigns(List<Statement> statements, String name) {
        return statements.stream().anyMatch(statement -> assigns(statement, name));
    }

    private static boolean names(Expression target, String name) {
        return switch (target) {
            case Name single -> single.name().equals(name);
            case TupleOf several -> several.items().stream().anyMatch(item -> names(item, name));
            default -> false;
        };
    }

    private void statements(List<Statement> statements) {
        statements.forEach(this::statement);
    }

    private void statement(Statement statement) {
        if (read || assigned) {
            return;
        }
        switch (statement) {
            case Statement.Output output -> expression(output.value());
            case Statement.If test -> {
                expression(test.test());
                statements(test.body());
                test.elseIfs().forEach(this::statement);
                statements(test.otherwise());
            }
            case Statement.For loop -> {
                target(loop.target());
                expression(loop.items());
                statements(loop.body());
                statements(loop.otherwise());
                if (loop.test() != null) {
                    expression(loop.test());
                }
            }
            case Statement.Set set -> {
                target(set.target());
                expression(set.value());
            }
            case Statement.SetBlock set -> {
                target(set.target());
                if (set.filter() != null) {
                    expression(set.filter());
                }
                statements(set.body().statements);
            }
            case Statement.FilterBlock filter -> {
                statements(filter.body().statements);
                expression(filter.filter());
            }
            case Statement.With with -> {
                with.targets().forEach(this::target);
                with.values().forEach(this::expression);
                statements(with.body().statements);
            }
            case Statement.AutoEscape escape -> {
                expression(escape.value());
                statements(escape.body().statements);
            }
            case Statement.MacroDefinition macro -> macro(macro.macro());
            case Statement.CallBlock call -> {
                expression(call.call());
                macro(call.caller());
            }
            case Statement.Generation generation -> statements(generation.body().statements);
            case Statement.OtherTemplate other -> expression(other.name());
            case Statement.Data _, Statement.Jump _, Statement.Block _ -> {} // a block has its own variables
        }
    }

    private void macro(MacroBody macro) {
        if (macro.parameters().contains(name)) {
            assigned |= !read;
            return;
        }
        macro.defaults().forEach(this::expression);
        statements(macro.body().statements);
    }

    private void target(Expression target) {
        if (!read && names(target, name)) {
            assigned = true;
        }
    }

    private void expression(Expression expression) {
        if (read || assigned) {
            return;
        }
        if (expression instanceof Name variable && variable.name().equals(name)) {
            read = true;
        }
        expression.children().forEach(this::expression);
    }
}
