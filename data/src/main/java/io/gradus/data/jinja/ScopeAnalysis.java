package io.gradus.data.jinja;

import io.gradus.data.jinja.Expression.Conditional;
import io.gradus.data.jinja.Expression.Filtered;
import io.gradus.data.jinja.Expression.Name;
import io.gradus.data.jinja.Expression.NamespaceTarget;
import io.gradus.data.jinja.Expression.Tested;
import io.gradus.data.jinja.Expression.TupleOf;
import io.gradus.data.jinja.Statement.Body;
import io.gradus.data.jinja.Statement.MacroBody;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Determines the {@link Scope} of each part of a template, and rejects filters and tests that do not exist. Inside an if
 * statement, as in Jinja, those are rejected only when they are reached.
 */
final class ScopeAnalysis {
    private final Set<String> blocks = new HashSet<>();

    private ScopeAnalysis() {}

    /** Analyzes a template, and returns the scope of its top level. */
    static Scope analyze(List<Statement> template) {
        Scope scope = new Scope(null);
        ScopeAnalysis analysis = new ScopeAnalysis();
        analysis.collect(template, scope);
        analysis.enter(template, scope, false);
        return scope;
    }

    // ---- which variables a part reads and assigns, not counting the parts inside it ----

    private void collect(List<Statement> statements, Scope scope) {
        statements.forEach(statement -> collect(statement, scope));
    }

    private void collect(Statement statement, Scope scope) {
        switch (statement) {
            case Statement.Output output -> reads(output.value(), scope);
            case Statement.If test -> {
                reads(test.test(), scope);
                Scope body = scope.branch();
                collect(test.body(), body);
                Scope elseIfs = scope.branch();
                test.elseIfs().forEach(other -> collect(other, elseIfs));
                Scope otherwise = scope.branch();
                collect(test.otherwise(), otherwise);
                scope.merge(List.of(body, elseIfs, otherwise));
            }
            case Statement.For loop -> reads(loop.items(), scope);
            case Statement.Set set -> {
                reads(set.value(), scope);
                stores(set.target(), scope);
            }
            case Statement.SetBlock set -> stores(set.target(), scope);
            case Statement.FilterBlock filter -> reads(filter.filter(), scope);
            case Statement.With with -> with.values().forEach(value -> reads(value, scope));
            case Statement.MacroDefinition macro -> scope.store(macro.name());
            case Statement.CallBlock call -> reads(call.call(), scope);
            case Statement.OtherTemplate other -> {
                reads(other.name(), scope);
                other.targets().forEach(scope::store);
            }
            case Statement.AutoEscape _,
                    Statement.Generation _,
                    Statement.Block _,
                    Statement.Data _,
                    Statement.Jump _ -> {}
        }
    }

    private void reads(@Nullable Expression expression, Scope scope) {
        if (expression == null) {
            return;
        }
        if (expression instanceof Name name) {
            scope.read(name.name());
        }
        expression.children().forEach(child -> reads(child, scope));
    }

    private static void stores(Expression target, Scope scope) {
        switch (target) {
            case Name name -> scope.store(name.name());
            case NamespaceTarget namespace -> scope.read(namespace.namespace());
            case TupleOf tuple -> tuple.items().forEach(item -> stores(item, scope));
            default -> throw new IllegalStateException("not a target: " + target);
        }
    }

    private static void parameters(Expression target, Scope scope) {
        switch (target) {
            case Name name -> scope.parameter(name.name());
            case TupleOf tuple -> tuple.items().forEach(item -> parameters(item, scope));
            default -> throw new IllegalStateException("not a target: " + target);
        }
    }

    // ---- the parts inside a part ----

    private void enter(List<Statement> statements, Scope scope, boolean soft) {
        statements.forEach(statement -> enter(statement, scope, soft));
    }

    private void enter(Statement statement, Scope scope, boolean soft) {
        switch (statement) {
            case Statement.Output output -> check(output.value(), soft);
            case Statement.If test -> {
                check(test.test(), true);
                enter(test.body(), scope, true);
                test.elseIfs().forEach(other -> enter(other, scope, true));
                enter(test.otherwise(), scope, true);
            }
            case Statement.For loop -> enterLoop(loop, scope, soft);
            case Statement.Set set -> check(set.value(), soft);
            case Statement.SetBlock set -> {
                set.body().scope = inner(set.body(), scope);
                if (set.filter() != null) {
                    reads(set.filter(), set.body().scope);
                    check(set.filter(), false);
                }
            }
            case Statement.FilterBlock filter -> {
                Scope inner = new Scope(scope);
                collect(filter.body().statements, inner);
                reads(filter.filter(), inner);
                filter.body().scope = inner;
                enter(filter.body().statements, inner, false);
                check(filter.filter(), false);
            }
            case Statement.With with -> {
                with.values().forEach(value -> check(value, soft));
                Scope inner = new Scope(scope);
                with.targets().forEach(target -> parameters(target, inner));
                collect(with.body().statements, inner);
                with.body().scope = inner;
                enter(with.body().statements, inner, false);
            }
            case Statement.MacroDefinition macro -> enterMacro(macro.macro(), scope);
            case Statement.CallBlock call -> {
                check(call.call(), soft);
                enterMacro(call.caller(), scope);
            }
            case Statement.Generation generation -> generation.body().scope = inner(generation.body(), scope);
            case Statement.AutoEscape escape -> {
                Scope inner = new Scope(scope);
                reads(escape.value(), inner);
                collect(escape.body().statements, inner);
                escape.body().scope = inner;
                check(escape.value(), false);
                enter(escape.body().statements, inner, false);
            }
            case Statement.Block block -> {
                if (!blocks.add(block.name())) {
                    throw TemplateException.syntax(block.line(), "block '" + block.name() + "' defined twice");
                }
                block.body().scope = new Scope(null);
                collect(block.body().statements, block.body().scope);
                enter(block.body().statements, block.body().scope, false);
            }
            case Statement.Data _, Statement.Jump _, Statement.OtherTemplate _ -> {}
        }
    }

    private Scope inner(Body body, Scope parent) {
        Scope scope = new Scope(parent);
        collect(body.statements, scope);
        enter(body.statements, scope, false);
        return scope;
    }

    private void enterLoop(Statement.For loop, Scope scope, boolean soft) {
        check(loop.items(), soft);
        Scope body = new Scope(scope);
        if (loop.loopVariable()) {
            body.parameter("loop");
        }
        parameters(loop.target(), body);
        collect(loop.body(), body);
        loop.scopes().body = body;
        enter(loop.body(), body, false);
        Scope otherwise = new Scope(scope);
        collect(loop.otherwise(), otherwise);
        loop.scopes().otherwise = otherwise;
        enter(loop.otherwise(), otherwise, false);
        Scope test = new Scope(scope);
        parameters(loop.target(), test);
        reads(loop.test(), test);
        check(loop.test(), false);
        loop.scopes().test = test;
    }

    private void enterMacro(MacroBody macro, Scope parent) {
        Scope scope = new Scope(parent);
        macro.parameters().forEach(scope::parameter);
        macro.defaults().forEach(value -> reads(value, scope));
        if (macro.usesCaller()) {
            scope.parameter("caller");
        }
        if (macro.usesNamed()) {
            scope.parameter("kwargs");
        }
        if (macro.usesPositional()) {
            scope.parameter("varargs");
        }
        collect(macro.body().statements, scope);
        macro.body().scope = scope;
        macro.defaults().forEach(value -> check(value, false));
        enter(macro.body().statements, scope, false);
    }

    // ---- filters and tests ----

    private static void check(@Nullable Expression expression, boolean soft) {
        if (expression == null) {
            return;
        }
        boolean inner = soft || expression instanceof Conditional;
        if (!soft && expression instanceof Filtered filter && !Filters.exists(filter.name())) {
            throw TemplateException.syntax(filter.line(), "No filter named '" + filter.name() + "'.");
        }
        if (!soft && expression instanceof Tested test && !Tests.exists(test.name())) {
            throw TemplateException.syntax(test.line(), "No test named '" + test.name() + "'.");
        }
        new ArrayList<>(expression.children()).forEach(child -> check(child, inner));
    }
}
