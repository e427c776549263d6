package io.gradus.data.jinja;

import io.gradus.data.jinja.Expression.Name;
import io.gradus.data.jinja.Expression.NamespaceTarget;
import io.gradus.data.jinja.Expression.TupleOf;
import io.gradus.data.jinja.Statement.MacroBody;
import io.gradus.data.jinja.Template.Span;
import io.gradus.data.jinja.Template.Visit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.function.BiFunction;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Executes the statements of a template, once. */
final class Renderer {
    private final Evaluator evaluator = new Evaluator();
    /** The variables passed to the template, and those that its top level has set. */
    private Map<String, Object> context;

    private final StringBuilder text = new StringBuilder();
    private final List<Span> generated = new ArrayList<>();
    private final List<Visit> visits = new ArrayList<>();
    /** Where output goes: the text, or the buffer of a macro or a block. */
    private StringBuilder out = text;

    private boolean generatedElsewhere;
    private @Nullable Frame topLevel;

    /** What happens after a statement. */
    private enum Flow {
        NEXT,
        BREAK,
        CONTINUE
    }

    Renderer(Map<String, Object> variables) {
        this.context = new HashMap<>(variables);
    }

    Template.Rendering render(List<Statement> template, Scope scope) {
        topLevel = new Frame(scope, null, context);
        run(template, topLevel);
        return new Template.Rendering(text.toString(), generated, visits, generatedElsewhere);
    }

    private Flow run(List<Statement> statements, Frame frame) {
        for (Statement statement : statements) {
            Limits limits = Limits.enter();
            try {
                Flow flow = run(statement, frame);
                if (flow != Flow.NEXT) {
                    return flow;
                }
            } catch (TemplateException e) {
                throw e.at(statement.line());
            } finally {
                limits.leave();
            }
        }
        return Flow.NEXT;
    }

    private Flow run(Statement statement, Frame frame) {
        switch (statement) {
            case Statement.Data data -> write(data.text());
            case Statement.Output output -> write(Text.str(evaluator.evaluate(output.value(), frame)));
            case Statement.If test -> {
                return choose(test, frame);
            }
            case Statement.For loop -> {
                return loop(loop, frame);
            }
            case Statement.Jump jump -> {
                return jump.exits() ? Flow.BREAK : Flow.CONTINUE;
            }
            case Statement.Set set -> {
                requireNamespaces(set.target(), frame);
                assign(set.target(), evaluator.evaluate(set.value(), frame), frame);
            }
            case Statement.SetBlock set -> {
                return setBlock(set, frame);
            }
            case Statement.FilterBlock filter -> {
                Frame inner = new Frame(filter.body().scope, frame, context);
                Buffered body = buffered(() -> run(filter.body().statements, inner));
                if (body.flow != Flow.NEXT) {
                    return body.flow;
                }
                writeString(evaluator.evaluate(filter.filter(), inner, body.text));
            }
            case Statement.With with -> {
                return with(with, frame);
            }
            case Statement.Block block -> {
                Map<String, Object> outside = context;
                if (block.scoped()) {
                    context = new HashMap<>(context);
                    context.putAll(frame.all());
                }
                run(block.body().statements, new Frame(block.body().scope, null, context));
                context = outside;
            }
            case Statement.AutoEscape escape -> {
                Frame inner = new Frame(escape.body().scope, frame, context);
                if (Values.truth(evaluator.evaluate(escape.value(), inner))) {
                    throw TemplateException.unsupported("autoescape");
                }
                return run(escape.body().statements, inner);
            }
            case Statement.MacroDefinition definition ->
                set(definition.name(), macro(definition.name(), definition.macro(), frame), frame);
            case Statement.CallBlock call -> {
                Macro caller = macro("caller", call.caller(), frame);
                writeString(evaluator.call(call.call(), frame, caller));
            }
            case Statement.Generation generation -> {
                int from = out.length();
                run(generation.body().statements, new Frame(generation.body().scope, frame, context));
                if (out == text) {
                    generated.add(new Span(from, out.length()));
                } else {
                    generatedElsewhere = true;
                }
            }
            case Statement.OtherTemplate _ -> throw TemplateException.type("no loader for this environment specified");
        }
        return Flow.NEXT;
    }

    // ---- output ----

    private void write(String part) {
        out.append(part);
        Limits.requireCharacters(out.length());
    }

    /** Writes the result of a block, which must be a string, unlike that of an expression. */
    private void writeString(Object value) {
        if (!Values.isString(value)) {
            throw TemplateException.type(
                    "sequence item 0: expected str instance, " + Values.typeName(value) + " found");
        }
        write(Values.text(value));
    }

    private record Buffered(String text, Flow flow) {}

    /** What statements write. */
    private Buffered buffered(Supplier<Flow> statements) {
        StringBuilder outside = out;
        StringBuilder buffer = new StringBuilder();
        out = buffer;
        try {
            Flow flow = statements.get();
            return new Buffered(buffer.toString(), flow);
        } finally {
            out = outside;
        }
    }

    // ---- assignments ----

    private void set(String name, Object value, Frame frame) {
        frame.set(name, value);
        if (frame == topLevel) {
            context.put(name, value);
        }
    }

    private void requireNamespaces(Expression target, Frame frame) {
        if (target instanceof NamespaceTarget attribute && !(frame.get(attribute.namespace()) instanceof Namespace)) {
            throw new TemplateException("TemplateRuntimeError", "cannot assign attribute on non-namespace object");
        }
        if (target instanceof TupleOf tuple) {
            tuple.items().forEach(item -> requireNamespaces(item, frame));
        }
    }

    private void assign(Expression target, Object value, Frame frame) {
        switch (target) {
            case Name name -> set(name.name(), value, frame);
            case NamespaceTarget attribute -> {
                if (frame.get(attribute.namespace()) instanceof Namespace namespace) {
                    namespace.set(attribute.name(), value);
                }
            }
            case TupleOf tuple -> {
                List<Object> values = Attributes.unpack(value, tuple.items().size());
                for (int i = 0; i < values.size(); i++) {
                    assign(tuple.items().get(i), values.get(i), frame);
                }
            }
            default -> throw new IllegalStateException("not a target: " + target);
        }
    }

    private Flow setBlock(Statement.SetBlock set, Frame frame) {
        Frame inner = new Frame(set.body().scope, frame, context);
        Buffered body = buffered(() -> run(set.body().statements, inner));
        if (body.flow != Flow.NEXT) {
            return body.flow;
        }
        Expression filter = set.filter();
        requireNamespaces(set.target(), frame);
        assign(set.target(), filter == null ? body.text : evaluator.evaluate(filter, inner, body.text), frame);
        return Flow.NEXT;
    }

    private Flow with(Statement.With with, Frame frame) {
        Frame inner = new Frame(with.body().scope, frame, context);
        for (int i = 0; i < with.targets().size(); i++) {
            assign(with.targets().get(i), evaluator.evaluate(with.values().get(i), frame), inner);
        }
        return run(with.body().statements, inner);
    }

    // ---- choices and loops ----

    private Flow choose(Statement.If test, Frame frame) {
        if (Values.truth(evaluator.evaluate(test.test(), frame))) {
            return run(test.body(), frame);
        }
        for (Statement.If other : test.elseIfs()) {
            if (Values.truth(evaluator.evaluate(other.test(), frame))) {
                return run(other.body(), frame);
            }
        }
        return run(test.otherwise(), frame);
    }

    private Flow loop(Statement.For loop, Frame frame) {
        Object items = evaluator.evaluate(loop.items(), frame);
        if (!loop.recursive()) {
            return iterate(loop, items, 0, null, frame);
        }
        write((String) recursion(loop, frame).apply(items, 0));
        return Flow.NEXT;
    }

    /** Renders a recursive loop with some items at a depth. */
    private BiFunction<Object, Integer, Object> recursion(Statement.For loop, Frame frame) {
        return (items, depth) -> {
            Limits limits = Limits.enter();
            String part = buffered(() -> iterate(loop, items, depth, recursion(loop, frame), frame)).text;
            limits.leave();
            return part;
        };
    }

    private Flow iterate(
            Statement.For loop,
            Object items,
            int depth,
            @Nullable BiFunction<Object, Integer, Object> recursion,
            Frame frame) {
        Object chosen = loop.test() == null ? items : new Generator(chosen(loop, loop.test(), items, frame));
        LoopContext variable = loop.loopVariable() ? new LoopContext(chosen, depth, recursion) : null;
        Iterator<Object> rest = variable == null ? Values.iterate(chosen) : variable;
        boolean completed = false;
        while (rest.hasNext()) {
            Object item = rest.next();
            int from = out.length();
            Frame inner = new Frame(loop.scopes().body, frame, context);
            if (variable != null) {
                inner.set("loop", variable);
            }
            assign(loop.target(), item, inner);
            Flow flow = run(loop.body(), inner);
            visited(item, from);
            if (flow == Flow.BREAK) {
                break;
            }
            // Jinja renders the else part unless a round came to its end.
            completed |= flow == Flow.NEXT;
        }
        if (completed || loop.otherwise().isEmpty()) {
            return Flow.NEXT;
        }
        return run(loop.otherwise(), new Frame(loop.scopes().otherwise, frame, context));
    }

    private void visited(Object item, int from) {
        if (out == text && out.length() > from && item instanceof Dict dict) {
            Map<?, ?> source = dict.source();
            if (source != null) {
                visits.add(new Visit(source, from, out.length()));
            }
        }
    }

    /** The items for which the test of a loop holds. */
    private Iterator<Object> chosen(Statement.For loop, Expression test, Object items, Frame frame) {
        Iterator<Object> all = Values.iterate(items);
        return new Iterator<>() {
            private @Nullable Object next;

            @Override
            public boolean hasNext() {
                while (next == null && all.hasNext()) {
                    Object item = all.next();
                    Frame inner = new Frame(loop.scopes().test, frame, context);
                    assign(loop.target(), item, inner);
                    next = Values.truth(evaluator.evaluate(test, inner)) ? item : null;
                }
                return next != null;
            }

            @Override
            public Object next() {
                if (!hasNext() || next == null) {
                    throw new NoSuchElementException();
                }
                Object item = next;
                next = null;
                return item;
            }
        };
    }

    // ---- macros ----

    private Macro macro(String name, MacroBody definition, Frame outside) {
        return new Macro(name, definition, values -> {
            Limits limits = Limits.enter();
            Frame frame = new Frame(definition.body().scope, outside, context);
            values.forEach(frame::set);
            int required =
                    definition.parameters().size() - definition.defaults().size();
            for (int i = 0; i < definition.parameters().size(); i++) {
                String parameter = definition.parameters().get(i);
                if (!frame.has(parameter)) {
                    frame.set(
                            parameter,
                            i < required
                                    ? new Undefined("parameter " + Text.quoted(parameter) + " was not provided")
                                    : evaluator.evaluate(definition.defaults().get(i - required), frame));
                }
            }
            String result = buffered(() -> run(definition.body().statements, frame)).text;
            limits.leave();
            return result;
        });
    }
}
