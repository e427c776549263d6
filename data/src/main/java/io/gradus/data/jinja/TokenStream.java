package io.gradus.data.jinja;

import io.gradus.data.jinja.Token.Kind;
import java.util.List;

/** The tokens of a template, with a current one. */
final class TokenStream {
    private final List<Token> tokens;
    private int at;

    TokenStream(List<Token> tokens) {
        this.tokens = tokens;
    }

    Token current() {
        return tokens.get(at);
    }

    /** The token after the current one. */
    Token following() {
        return tokens.get(Math.min(at + 1, tokens.size() - 1));
    }

    /** Returns the current token and passes it. */
    Token next() {
        Token token = current();
        at = Math.min(at + 1, tokens.size() - 1);
        return token;
    }

    boolean isOperator(String operator) {
        return current().isOperator(operator);
    }

    boolean isName(String name) {
        return current().isName(name);
    }

    boolean is(Kind kind) {
        return current().kind() == kind;
    }

    /** Passes an operator if it is the current token. */
    boolean skipOperator(String operator) {
        return skip(isOperator(operator));
    }

    /** Passes a name if it is the current token. */
    boolean skipName(String name) {
        return skip(isName(name));
    }

    private boolean skip(boolean found) {
        if (found) {
            next();
        }
        return found;
    }

    /** Passes a token of a kind. */
    Token expect(Kind kind, String description) {
        if (!is(kind)) {
            throw unexpected(description);
        }
        return next();
    }

    void expectOperator(String operator) {
        if (!skipOperator(operator)) {
            throw unexpected(operator);
        }
    }

    void expectName(String name) {
        if (!skipName(name)) {
            throw unexpected(name);
        }
    }

    private TemplateException unexpected(String expected) {
        return TemplateException.syntax(
                current().line(),
                is(Kind.END)
                        ? "unexpected end of template, expected '" + expected + "'."
                        : "expected token '" + expected + "', got '" + current().description() + "'");
    }
}
