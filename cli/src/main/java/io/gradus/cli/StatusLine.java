package io.gradus.cli;

import io.gradus.cli.print.Paragraph;
import io.gradus.train.TrainingListener;
import io.gradus.train.TrainingListener.Progress;
import java.io.PrintWriter;
import java.util.List;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * A line at the bottom of a terminal that each new text replaces. The cursor waits at its start, so the {@code ^C} that a
 * terminal prints for Ctrl-C, and an error message, overwrite the line.
 */
final class StatusLine implements AutoCloseable {
    private static final int SHORTEST_BAR = 11;
    private static final long INTERVAL_NANOS = 100_000_000;

    /** The line that is on the screen; the process has one terminal. */
    private static @Nullable StatusLine shown;

    private static boolean clearsAtExit;

    private final @Nullable PrintWriter out;
    private final int width;
    private final LongSupplier clock;
    private String text = "";
    private long drawn;

    /** Creates a line of at most {@code width} columns. */
    StatusLine(PrintWriter out, int width) {
        this(out, width, System::nanoTime);
    }

    StatusLine(@Nullable PrintWriter out, int width, LongSupplier clock) {
        this.out = out;
        this.width = width - 1; // a text in the last column moves the cursor to the next line
        this.clock = clock;
    }

    /** Returns a line that is never drawn, for an output that is not a terminal. */
    static StatusLine none() {
        return new StatusLine(null, 0, System::nanoTime);
    }

    /** Whether the line is drawn. */
    boolean isVisible() {
        return out != null;
    }

    /** Returns a listener that shows the stages and the steps of a run. */
    TrainingListener listener() {
        return new TrainingListener() {
            private int steps;

            @Override
            public void progressed(Progress progress) {
                show(progress);
            }

            @Override
            public void started(Plan plan) {
                steps = plan.steps();
            }

            @Override
            public void stepped(Step step) {
                show(new Progress("training", step.step(), steps));
            }
        };
    }

    /** Shows the progress of a stage. */
    void show(Progress progress) {
        if (progress.total() > 0) {
            show(progress.done(), progress.total(), List.of(progress.stage()));
        } else {
            show(progress.stage() + " …", true);
        }
    }

    /** Shows a bar. A line that was drawn less than a tenth of a second ago stays. */
    void show(long done, long total, List<String> fields) {
        show(bar(done, total, fields, width), done == 0);
    }

    private void show(String line, boolean atOnce) {
        synchronized (StatusLine.class) {
            long now = clock.getAsLong();
            if (out == null || !atOnce && !text.isEmpty() && now - drawn < INTERVAL_NANOS) {
                return;
            }
            clearAtExit();
            String fitting = line.length() > width ? line.substring(0, width) : line;
            out.print("\r" + fitting + " ".repeat(Math.max(0, text.length() - fitting.length())) + "\r");
            out.flush();
            text = fitting;
            drawn = now;
            shown = this;
        }
    }

    /** Removes the line from the screen. */
    void clear() {
        synchronized (StatusLine.class) {
            if (out != null && !text.isEmpty()) {
                out.print("\r" + " ".repeat(text.length()) + "\r");
                out.flush();
                text = "";
                shown = null;
            }
        }
    }

    /** Removes the line that is on the screen, if there is one. */
    static void clearShown() {
        synchronized (StatusLine.class) {
            if (shown != null) {
                shown.clear();
            }
        }
    }

    private static void clearAtExit() {
        if (clearsAtExit) {
            return;
        }
        clearsAtExit = true;
        try {
            Runtime.getRuntime().addShutdownHook(new Thread(StatusLine::clearShown, "status line"));
        } catch (IllegalStateException e) {
            // the JVM is shutting down
        }
    }

    @Override
    public void close() {
        clear();
    }

    /** Returns a bar followed by as many fields as fit. A longer line would wrap and could not be redrawn. */
    static String bar(long done, long total, List<String> fields, int width) {
        String text = Paragraph.fitting(done + "/" + total, fields, width - SHORTEST_BAR);
        int cells = Math.max(0, width - text.length() - 1);
        int filled = (int) (cells * done / Math.max(1, total));
        return "━".repeat(filled) + "─".repeat(cells - filled) + " " + text;
    }
}
