package io.gradus.cli;

import io.gradus.cli.print.Paragraph;
import java.io.PrintWriter;
import java.util.stream.Stream;
import picocli.CommandLine.Help;
import picocli.CommandLine.Model.CommandSpec;

/**
 * The terminal that a command prints to.
 *
 * @param out receives results
 * @param shown whether {@code out} is a terminal
 * @param styled whether {@code out} understands ANSI codes
 * @param status the status line: on {@code out}, whose lines it must not cross, or else on standard error
 * @param width the columns of {@code out}; a file or a pipe has room for everything
 */
record Terminal(PrintWriter out, boolean shown, boolean styled, StatusLine status, int width) {
    private static final int USUAL_WIDTH = 80;
    private static final int NARROWEST = 20;
    private static final int UNLIMITED = 1000;

    /** Returns the terminal of a command. */
    static Terminal of(CommandSpec spec) {
        PrintWriter out = spec.commandLine().getOut();
        boolean shown = isTerminal("out");
        boolean moves = !"dumb".equals(System.getenv("TERM")) && (shown || isTerminal("err"));
        StatusLine status =
                moves ? new StatusLine(shown ? out : spec.commandLine().getErr(), columns()) : StatusLine.none();
        return new Terminal(out, shown, shown && isStyled(), status, shown ? columns() : UNLIMITED);
    }

    /** Prints an error. On a terminal it is wrapped; lines that begin with a space are commands to be copied. */
    static void printError(String message, PrintWriter err) {
        if (!isTerminal("err")) {
            err.println(message);
            err.flush();
            return;
        }
        Help.ColorScheme colors = Help.defaultColorScheme(isStyled() ? Help.Ansi.ON : Help.Ansi.OFF);
        message.lines()
                .flatMap(line -> line.startsWith(" ") ? Stream.of(line) : Paragraph.wrapped(line, columns()).stream())
                .forEach(line -> err.println(colors.errorText(line)));
        err.flush();
    }

    /** Returns a file or a pipe that receives plain lines. */
    static Terminal plain(PrintWriter out) {
        return new Terminal(out, false, false, StatusLine.none(), UNLIMITED);
    }

    /** Prints text, wrapped at the width. */
    void print(String text) {
        Paragraph.wrapped(text, width).forEach(out::println);
    }

    /** Prints text after a label, wrapped at the width; all lines of the text begin in the same column. */
    void print(String label, int column, String text) {
        Paragraph.labeled(label, column, text, width).forEach(out::println);
    }

    /** Whether progress is printed as lines, because there is no status line, or because {@code out} is a file. */
    boolean printsProgress() {
        return !status.isVisible() || !shown;
    }

    /** Whether terminals may get ANSI codes. Those of NO_COLOR (no-color.org) and those without a cursor get none. */
    static boolean isStyled() {
        String noColor = System.getenv("NO_COLOR");
        return (noColor == null || noColor.isEmpty()) && !"dumb".equals(System.getenv("TERM"));
    }

    /**
     * Returns whether a stream is a terminal. The launcher pipes standard error, so it sets {@code gradus.terminal} to the
     * names of those that are.
     *
     * @param stream {@code out} or {@code err}
     */
    static boolean isTerminal(String stream) {
        String property = System.getProperty("gradus.terminal");
        return property != null
                ? property.contains(stream)
                : System.console() != null && System.console().isTerminal();
    }

    /** Returns the width of terminals. The launcher sets {@code gradus.columns}, because shells do not export COLUMNS. */
    static int columns() {
        String columns = System.getProperty("gradus.columns", String.valueOf(System.getenv("COLUMNS")));
        return columns.matches("\\d{1,4}") ? Math.max(NARROWEST, Integer.parseInt(columns)) : USUAL_WIDTH;
    }
}
