package io.gradus.data.jinja;

import java.time.LocalDateTime;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A chat template in Jinja, as transformers renders it.
 *
 * {@snippet :
 * Template template = Template.parse("{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}");
 * List<Map<String, String>> messages = List.of(Map.of("role", "user", "content", "Hello"));
 * String text = template.render(Map.of("messages", messages), java.time.LocalDateTime.now()).text();
 * }
 */
public final class Template {
    private final List<Statement> statements;
    private final Scope scope;

    private Template(List<Statement> statements, Scope scope) {
        this.statements = statements;
        this.scope = scope;
    }

    /**
     * A part of a text.
     *
     * @param from the index of its first character
     * @param to the index after its last character
     */
    public record Span(int from, int to) {}

    /**
     * One round of a loop over maps that were passed to the template, such as messages.
     *
     * @param item the map itself
     * @param from where the text of the round begins
     * @param to where it ends
     */
    public record Visit(Map<?, ?> item, int from, int to) {}

    /**
     * A rendered template.
     *
     * @param generated the text of each {@code generation} block
     * @param visits the rounds of loops over maps that wrote something, in the order in which they ended
     * @param generatedElsewhere whether a {@code generation} block is in a macro or another block, so that its place is unknown
     */
    public record Rendering(String text, List<Span> generated, List<Visit> visits, boolean generatedElsewhere) {
        public Rendering {
            generated = List.copyOf(generated);
            visits = List.copyOf(visits);
        }
    }

    /**
     * Parses a template.
     *
     * @throws TemplateException if it is malformed
     */
    public static Template parse(String source) {
        try {
            List<Statement> statements = StatementParser.parse(source);
            return new Template(statements, ScopeAnalysis.analyze(statements));
        } catch (StackOverflowError _) {
            throw TemplateException.limit("an expression has too many parts");
        }
    }

    /**
     * Renders the template.
     *
     * @param variables by name: null, booleans, numbers, strings, lists, and maps
     * @param time the local time that templates can ask for
     * @throws TemplateException if rendering fails; it names the line
     */
    public Rendering render(Map<String, ?> variables, LocalDateTime time) {
        Map<String, Object> values = new HashMap<>(Globals.functions(time));
        variables.forEach((name, value) -> values.put(name, Values.from(value)));
        try {
            return Limits.within(() -> new Renderer(values).render(statements, scope));
        } catch (StackOverflowError _) {
            throw TemplateException.limit("values are nested too deeply");
        }
    }
}
