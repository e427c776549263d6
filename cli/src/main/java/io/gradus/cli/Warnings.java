package io.gradus.cli;

import java.io.PrintStream;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogManager;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;

/** Prints the warnings of the libraries as one line each, without the time and the name of the class. */
final class Warnings extends Handler {
    private final SimpleFormatter formatter = new SimpleFormatter();
    private final PrintStream err;

    private Warnings(PrintStream err) {
        this.err = err;
    }

    /** Replaces the handlers of all loggers. */
    static void printTo(PrintStream err) {
        LogManager.getLogManager().reset();
        Logger.getLogger("").addHandler(new Warnings(err));
    }

    @Override
    public void publish(LogRecord logged) {
        if (logged.getLevel().intValue() >= Level.WARNING.intValue()) {
            StatusLine.clearShown();
            err.println("warning: " + formatter.formatMessage(logged));
        }
    }

    @Override
    public void flush() {
        err.flush();
    }

    @Override
    public void close() {
        // standard error stays open
    }
}
