package io.gradus.data.jinja;

import io.gradus.data.jinja.Expression.Call;
import io.gradus.data.jinja.Expression.Filtered;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A node of a template outside of expressions. */
sealed interface Statement {

    /** The line of the template, from 1. */
    int line();

    /** Text outside of tags. */
    record Data(int line, String text) implements Statement {}

    /** An expression that is written. */
    record Output(int line, Expression value) implements Statement {}

    /** An if statement. */
    record If(int line, Expression test, List<Statement> body, List<If> elseIfs, List<Statement> otherwise)
            implements Statement {}

    /**
     * A loop.
     *
     * @param test which items to visit
     * @param loopVariable whether the body reads {@code loop}
     */
    record For(
            int line,
            Expression target,
            Expression items,
            @Nullable Expression test,
            boolean recursive,
            List<Statement> body,
            List<Statement> otherwise,
            boolean loopVariable,
            Scopes scopes)
            implements Statement {

        /** The variables of the parts of a loop, determined when the whole template is known. */
        static final class Scopes {
            Scope body = Scope.UNKNOWN;
            Scope test = Scope.UNKNOWN;
            Scope otherwise = Scope.UNKNOWN;
        }
    }

    /** {@code break} or {@code continue}. */
    record Jump(int line, boolean exits) implements Statement {}

    /** {@code set target = value}. */
    record Set(int line, Expression target, Expression value) implements Statement {}

    /** A set block: the target is the text of the body. */
    record SetBlock(int line, Expression target, @Nullable Filtered filter, Body body) implements Statement {}

    /** A filter block. */
    record FilterBlock(int line, Filtered filter, Body body) implements Statement {}

    /** {@code with a = 1, b = 2}. */
    record With(int line, List<Expression> targets, List<Expression> values, Body body) implements Statement {}

    /** A block, which is written where it stands. */
    record Block(int line, String name, boolean scoped, Body body) implements Statement {}

    /** An autoescape block. */
    record AutoEscape(int line, Expression value, Body body) implements Statement {}

    /** A macro. */
    record MacroDefinition(int line, String name, MacroBody macro) implements Statement {}

    /** A call block. */
    record CallBlock(int line, Call call, MacroBody caller) implements Statement {}

    /** What the assistant says. */
    record Generation(int line, Body body) implements Statement {}

    /** {@code include}, {@code import}, {@code from} or {@code extends}, which need other templates. */
    record OtherTemplate(int line, Expression name, List<String> targets) implements Statement {}

    /** Statements with variables of their own. */
    final class Body {
        final List<Statement> statements;
        Scope scope = Scope.UNKNOWN;

        Body(List<Statement> statements) {
            this.statements = statements;
        }
    }

    /**
     * The parameters and the body of a macro.
     *
     * @param defaults of the last parameters
     * @param usesCaller whether the body reads {@code caller}
     * @param usesNamed whether the body reads {@code kwargs}
     * @param usesPositional whether the body reads {@code varargs}
     */
    record MacroBody(
            List<String> parameters,
            List<Expression> defaults,
            Body body,
            boolean usesCaller,
            boolean usesNamed,
            boolean usesPositional) {}
}
