package io.gradus.data.jinja;

import io.gradus.data.jinja.Expression.Call;
import io.gradus.data.jinja.Expression.Filtered;
import io.gradus.data.jinja.Statement.Body;
import io.gradus.data.jinja.Statement.If;
import io.gradus.data.jinja.Statement.MacroBody;
import io.gradus.data.jinja.Token.Kind;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.stream.Collectors;

/** Parses a template into statements. */
final class StatementParser {
    private static final int MAX_DEPTH = 100;

    private final TokenStream tokens;
    private final ExpressionParser expressions;
    /** The names that may end each open statement, innermost first. */
    private final Deque<List<String>> ends = new ArrayDeque<>();
    /** The open statements, innermost first. */
    private final Deque<String> open = new ArrayDeque<>();

    private int loops;

    private StatementParser(String template) {
        tokens = new TokenStream(Lexer.tokens(template));
        expressions = new ExpressionParser(tokens);
    }

    /**
     * The statements of a template.
     *
     * @throws TemplateException if the template is malformed
     */
    static List<Statement> parse(String template) {
        return new StatementParser(template).statements();
    }

    private int line() {
        return tokens.current().line();
    }

    // ---- sequences ----

    /** Statements up to the end of the template, or up to one of the names that end the innermost statement. */
    private List<Statement> statements() {
        List<Statement> statements = new ArrayList<>();
        while (true) {
            Token token = tokens.current();
            switch (token.kind()) {
                case DATA ->
                    statements.add(
                            new Statement.Data(token.line(), tokens.next().text()));
                case VARIABLE_BEGIN -> {
                    tokens.next();
                    statements.add(new Statement.Output(token.line(), expressions.tuple()));
                    tokens.expect(Kind.VARIABLE_END, "end of print statement");
                }
                case BLOCK_BEGIN -> {
                    tokens.next();
                    if (!ends.isEmpty()
                            && tokens.is(Kind.NAME)
                            && ends.peek().contains(tokens.current().text())) {
                        return statements;
                    }
                    statements.addAll(statement());
                    tokens.expect(Kind.BLOCK_END, "end of statement block");
                }
                default -> {
                    if (!ends.isEmpty()) {
                        throw unfinished("Unexpected end of template.", false);
                    }
                    return statements;
                }
            }
        }
    }

    /** The statements after the end of a tag, up to one of some names, which stays the current token. */
    private List<Statement> body(String... endNames) {
        tokens.skipOperator(":");
        tokens.expect(Kind.BLOCK_END, "end of statement block");
        ends.push(List.of(endNames));
        if (ends.size() > MAX_DEPTH) {
            throw TemplateException.limit("statements are nested more than " + MAX_DEPTH + " deep")
                    .at(line());
        }
        List<Statement> statements = statements();
        ends.pop();
        return statements;
    }

    /** A body whose end is passed. */
    private Body scoped(String endName) {
        Body body = new Body(body(endName));
        tokens.next();
        return body;
    }

    private TemplateException unfinished(String problem, boolean nestingMistake) {
        StringBuilder message = new StringBuilder(problem);
        if (!ends.isEmpty()) {
            String wanted = ends.peek().stream().map(name -> "'" + name + "'").collect(Collectors.joining(" or "));
            message.append(
                    nestingMistake
                            ? " You probably made a nesting mistake. Jinja is expecting this tag, but currently looking for "
                            : " Jinja was looking for the following tags: ");
            message.append(wanted).append('.');
        }
        if (!open.isEmpty()) {
            message.append(" The innermost block that needs to be closed is '")
                    .append(open.peek())
                    .append("'.");
        }
        return TemplateException.syntax(line(), message.toString());
    }

    // ---- one statement ----

    private List<Statement> statement() {
        Token tag = tokens.expect(Kind.NAME, "tag name");
        open.push(tag.text());
        int line = tag.line();
        List<Statement> statements = switch (tag.text()) {
            case "for" -> List.of(forLoop(line));
            case "if" -> List.of(ifStatement(line));
            case "set" -> List.of(set(line));
            case "print" -> print(line);
            case "with" -> List.of(with(line));
            case "macro" -> List.of(macro(line));
            case "call" -> List.of(call(line));
            case "filter" -> List.of(filterBlock(line));
            case "generation" -> List.of(new Statement.Generation(line, outsideLoops("endgeneration")));
            case "break", "continue" -> List.of(jump(tag));
            case "block" -> List.of(block(line));
            case "autoescape" ->
                List.of(new Statement.AutoEscape(line, expressions.expression(), scoped("endautoescape")));
            case "extends", "include", "import", "from" -> List.of(otherTemplate(tag));
            default -> {
                open.pop();
                boolean known = ends.stream().anyMatch(names -> names.contains(tag.text()));
                throw unfinished("Encountered unknown tag '" + tag.text() + "'.", known);
            }
        };
        open.pop();
        return statements;
    }

    private Statement forLoop(int line) {
        Expression target = expressions.target("in", false);
        tokens.expectName("in");
        Expression items = expressions.tupleWithoutCondition("recursive");
        Expression test = tokens.skipName("if") ? expressions.expression() : null;
        boolean recursive = tokens.skipName("recursive");
        loops++;
        List<Statement> body = body("endfor", "else");
        loops--;
        List<Statement> otherwise = List.of();
        if (tokens.next().isName("else")) {
            otherwise = body("endfor");
            tokens.next();
        }
        boolean loopVariable = recursive || Reads.anyOf(body, "loop");
        Statement loop = new Statement.For(
                line, target, items, test, recursive, body, otherwise, loopVariable, new Statement.For.Scopes());
        if (Reads.assigns(loop, "loop")) {
            throw TemplateException.syntax(line, "Can't assign to special loop variable in for-loop target");
        }
        return loop;
    }

    private If ifStatement(int line) {
        Expression test = expressions.tupleWithoutCondition(null);
        List<Statement> body = body("elif", "else", "endif");
        List<If> elseIfs = new ArrayList<>();
        List<Statement> otherwise = List.of();
        while (true) {
            Token end = tokens.next();
            if (end.isName("elif")) {
                int where = line();
                Expression next = expressions.tupleWithoutCondition(null);
                elseIfs.add(new If(where, next, body("elif", "else", "endif"), List.of(), List.of()));
            } else if (end.isName("else")) {
                otherwise = body("endif");
            } else {
                return new If(line, test, body, elseIfs, otherwise);
            }
        }
    }

    private Statement set(int line) {
        Expression target = expressions.target(null, true);
        if (tokens.skipOperator("=")) {
            return new Statement.Set(line, target, expressions.tuple());
        }
        Filtered filter = tokens.isOperator("|") ? filters(false) : null;
        return new Statement.SetBlock(line, target, filter, scoped("endset"));
    }

    /** Filters without a value, such as {@code upper | trim}. */
    private Filtered filters(boolean first) {
        Filtered filter = null;
        boolean more = first;
        while (more || tokens.skipOperator("|")) {
            filter = expressions.filter(filter);
            more = false;
        }
        if (filter == null) {
            throw new IllegalStateException("no filter");
        }
        return filter;
    }

    private List<Statement> print(int line) {
        List<Statement> outputs = new ArrayList<>();
        while (!tokens.is(Kind.BLOCK_END)) {
            if (!outputs.isEmpty()) {
                tokens.expectOperator(",");
            }
            outputs.add(new Statement.Output(line, expressions.expression()));
        }
        return outputs;
    }

    private Statement with(int line) {
        List<Expression> targets = new ArrayList<>();
        List<Expression> values = new ArrayList<>();
        while (!tokens.is(Kind.BLOCK_END)) {
            if (!targets.isEmpty()) {
                tokens.expectOperator(",");
            }
            targets.add(expressions.target(null, false));
            tokens.expectOperator("=");
            values.add(expressions.expression());
        }
        return new Statement.With(line, targets, values, scoped("endwith"));
    }

    private Statement macro(int line) {
        String name = tokens.expect(Kind.NAME, "name").text();
        return new Statement.MacroDefinition(line, name, macroBody(line, parameters(), "endmacro"));
    }

    private Statement call(int line) {
        Parameters parameters = tokens.isOperator("(") ? parameters() : new Parameters(List.of(), List.of());
        if (!(expressions.expression() instanceof Call call)) {
            throw TemplateException.syntax(line, "expected call");
        }
        return new Statement.CallBlock(line, call, macroBody(line, parameters, "endcall"));
    }

    /** The parameters of a macro; the last ones have defaults. */
    private record Parameters(List<String> names, List<Expression> defaults) {}

    private Parameters parameters() {
        List<String> names = new ArrayList<>();
        List<Expression> defaults = new ArrayList<>();
        tokens.expectOperator("(");
        while (!tokens.isOperator(")")) {
            if (!names.isEmpty()) {
                tokens.expectOperator(",");
            }
            Token name = tokens.expect(Kind.NAME, "name");
            if (names.contains(name.text())) {
                throw TemplateException.syntax(
                        name.line(), "duplicate argument '" + name.text() + "' in function definition");
            }
            names.add(name.text());
            if (tokens.skipOperator("=")) {
                defaults.add(expressions.expression());
            } else if (!defaults.isEmpty()) {
                throw TemplateException.syntax(name.line(), "non-default argument follows default argument");
            }
        }
        tokens.expectOperator(")");
        return new Parameters(names, defaults);
    }

    private MacroBody macroBody(int line, Parameters parameters, String endName) {
        List<String> names = parameters.names;
        Body body = outsideLoops(endName);
        boolean usesCaller = Reads.anyOf(body.statements, "caller");
        int explicit = names.indexOf("caller");
        if (usesCaller && explicit >= 0 && explicit < names.size() - parameters.defaults.size()) {
            throw TemplateException.syntax(
                    line,
                    "When defining macros or call blocks the special \"caller\" argument must be omitted or be given a"
                            + " default.");
        }
        return new MacroBody(
                names,
                parameters.defaults,
                body,
                usesCaller && explicit < 0,
                Reads.anyOf(body.statements, "kwargs") && !names.contains("kwargs"),
                Reads.anyOf(body.statements, "varargs") && !names.contains("varargs"));
    }

    /** A body that becomes a function of its own, so {@code break} cannot leave it. */
    private Body outsideLoops(String endName) {
        int outer = loops;
        loops = 0;
        Body body = scoped(endName);
        loops = outer;
        return body;
    }

    private Statement filterBlock(int line) {
        Filtered filter = filters(true);
        return new Statement.FilterBlock(line, filter, scoped("endfilter"));
    }

    private Statement jump(Token tag) {
        if (loops == 0) {
            throw TemplateException.syntax(tag.line(), "'" + tag.text() + "' outside loop");
        }
        return new Statement.Jump(tag.line(), tag.isName("break"));
    }

    private Statement block(int line) {
        String name = tokens.expect(Kind.NAME, "name").text();
        boolean scoped = tokens.skipName("scoped");
        if (tokens.isName("required")) {
            throw TemplateException.unsupported("a required block").at(line);
        }
        if (tokens.isOperator("-")) {
            throw TemplateException.syntax(
                    line(),
                    "Block names in Jinja have to be valid Python identifiers and may not contain hyphens, use an"
                            + " underscore instead.");
        }
        Body body = outsideLoops("endblock");
        tokens.skipName(name);
        return new Statement.Block(line, name, scoped, body);
    }

    private Statement otherTemplate(Token tag) {
        Expression name = expressions.expression();
        List<String> targets = new ArrayList<>();
        while (!tokens.is(Kind.BLOCK_END)) {
            Token token = tokens.next();
            if (token.kind() == Kind.END) {
                throw TemplateException.syntax(token.line(), "unexpected end of template");
            }
            if (token.kind() == Kind.NAME
                    && !Arrays.asList("as", "import", "with", "without", "context", "ignore", "missing")
                            .contains(token.text())) {
                targets.add(token.text());
            }
        }
        return new Statement.OtherTemplate(tag.line(), name, targets);
    }
}
