package io.gradus.bench;

import java.io.PrintWriter;
import picocli.CommandLine.Model.CommandSpec;

/**
 * One line on the terminal that says what is being measured, and is gone when there is a result.
 *
 * @param err standard error
 * @param interactive whether somebody looks; otherwise nothing is shown
 * @param width columns
 */
record Progress(PrintWriter err, boolean interactive, int width) {
    private static final String ERASE = "\r\u001b[K";

    /** For the command's standard error; the launcher, which stands between, tells what is behind it. */
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
