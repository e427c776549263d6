package io.gradus.bench;

import java.io.PrintWriter;
import picocli.CommandLine.Model.CommandSpec;

/**
 * A line on the terminal with the current measurement, erased before results are printed.
 *
 * @param err standard error
 * @param interactive whether standard error is a terminal; if not, nothing is shown
 * @param width the terminal's width in columns
 */
record Progress(PrintWriter err, boolean interactive, int width) {
    private static final String ERASE = "\r\u001b[K";

    /** For the command's standard error. The launcher sets the properties that describe the terminal. */
    static Progress of(CommandSpec spec) {
        return new Progress(
                spec.commandLine().getErr(),
                Boolean.getBoolean("gradus.terminal"),
                Integer.getInteger("gradus.columns", 80));
    }

    void show(String text) {
        if (interactive) {
            err.print(ERASE + text.substring(0, Math.min(text.length(), width - 1)));
            err.flush();
        }
    }

    void clear() {
        show("");
    }
}
