package io.gradus.data.jinja;

import java.io.Serial;

/** A template that cannot be parsed, or that fails while it is rendered. */
public final class TemplateException extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    private final String error;
    private final int line;

    private TemplateException(String error, String message, int line) {
        super(message);
        this.error = error;
        this.line = line;
    }

    /** An error whose line is not known yet. */
    TemplateException(String error, String message) {
        this(error, message, 0);
    }

    static TemplateException syntax(int line, String message) {
        return new TemplateException("TemplateSyntaxError", message, line);
    }

    static TemplateException type(String message) {
        return new TemplateException("TypeError", message);
    }

    static TemplateException value(String message) {
        return new TemplateException("ValueError", message);
    }

    /** Valid Jinja that this package does not have. */
    static TemplateException unsupported(String what) {
        return new TemplateException("NotSupported", what + " is not supported; write the template without it");
    }

    /** A limit that keeps a template from using all memory or time. */
    static TemplateException limit(String message) {
        return new TemplateException("LimitError", message);
    }

    /** This error on a line, if it has none. */
    TemplateException at(int where) {
        if (line > 0) {
            return this;
        }
        TemplateException located = new TemplateException(error, String.valueOf(getMessage()), where);
        located.setStackTrace(getStackTrace());
        return located;
    }

    /** The name of the exception in Jinja or Python, such as {@code UndefinedError}. */
    public String error() {
        return error;
    }

    /** The line of the template, from 1. */
    public int line() {
        return line;
    }
}
