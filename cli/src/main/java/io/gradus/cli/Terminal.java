package io.gradus.cli;

import java.io.PrintWriter;
import picocli.CommandLine.Model.CommandSpec;

/**
 * The terminal that a command prints to.
 *
 * @param out receives results; the progress bar goes to standard error
 * @param interactive whether the output is a terminal, so that a progress bar is useful
 * @param width columns
 */
record Terminal(PrintWriter out, boolean interactive, int width) {
    private static final int USUAL_WIDTH = 80;
    private static final int NARROWEST = 20;

    /** Returns the terminal of a command. The launcher pipes standard error, so it sets {@code gradus.terminal}. */
    static Terminal of(CommandSpec spec) {
        String property = System.getProperty("gradus.terminal");
        boolean interactive = property != null
                ? Boolean.parseBoolean(property)
                : System.console() != null && System.console().isTerminal();
        return new Terminal(spec.commandLine().getOut(), interactive, columns());
    }

    /** Returns the width. The launcher sets {@code gradus.columns}, because shells do not export COLUMNS. */
    private static int columns() {
        String columns = System.getProperty("gradus.columns", String.valueOf(System.getenv("COLUMNS")));
        return columns.matches("\\d{1,4}") ? Math.max(NARROWEST, Integer.parseInt(columns)) : USUAL_WIDTH;
    }
}
