package io.gradus.data.jinja;

/**
 * A token of a template.
 *
 * @param line from 1
 * @param kind what it is
 * @param text the name, the operator, or the data
 * @param value of a literal: a string, an integer, or a float; otherwise the text
 */
record Token(int line, Kind kind, String text, Object value) {

    enum Kind {
        DATA,
        BLOCK_BEGIN,
        BLOCK_END,
        VARIABLE_BEGIN,
        VARIABLE_END,
        NAME,
        STRING,
        INTEGER,
        FLOAT,
        OPERATOR,
        END
    }

    Token(int line, Kind kind, String text) {
        this(line, kind, text, text);
    }

    boolean is(Kind wanted, String name) {
        return kind == wanted && text.equals(name);
    }

    boolean isOperator(String operator) {
        return is(Kind.OPERATOR, operator);
    }

    boolean isName(String name) {
        return is(Kind.NAME, name);
    }

    /** As error messages name it. */
    String description() {
        return switch (kind) {
            case DATA -> "template data / text";
            case BLOCK_BEGIN -> "begin of statement block";
            case BLOCK_END -> "end of statement block";
            case VARIABLE_BEGIN -> "begin of print statement";
            case VARIABLE_END -> "end of print statement";
            case END -> "end of template";
            case STRING -> "string";
            case INTEGER -> "integer";
            case FLOAT -> "float";
            case NAME, OPERATOR -> text;
        };
    }
}
