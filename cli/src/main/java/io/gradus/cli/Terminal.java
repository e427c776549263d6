package io.gradus.cli;

import java.io.PrintWriter;
import picocli.CommandLine.Model.CommandSpec;

/**
 * Where a command prints.
 *
 * @param out for results; a progress bar goes to standard error
 * @param interactive whether somebody looks at a terminal: a progress bar makes sense
 * @param width columns
 */
record Terminal(PrintWriter out, boolean interactive, int width) {
    private static final int USUAL_WIDTH = 80;
    private static final int NARROWEST = 20;

    /** The terminal of a command. {@code gradus.terminal} is set by the launcher, which stands between. */
    static Terminal of(CommandSpec spec) {
        String told = System.getProperty("gradus.terminal");
        boolean interactive = told != null
                ? Boolean.parseBoolean(told)
                : System.console() != null && System.console().isTerminal();
        return new Terminal(spec.commandLine().getOut(), interactive, columns());
    }

    /** {@code gradus.columns} is set by the launcher too; a shell does not pass COLUMNS on. */
    private static int columns() {
        String told = System.getProperty("gradus.columns", String.valueOf(System.getenv("COLUMNS")));
        return told.matches("\\d{1,4}") ? Math.max(NARROWEST, Integer.parseInt(told)) : USUAL_WIDTH;
    }
}
