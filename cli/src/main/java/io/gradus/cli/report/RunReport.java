package io.gradus.cli.report;

import io.gradus.cli.print.Quantities;
import io.gradus.core.safetensors.AtomicFile;
import io.gradus.train.RunResult;
import io.gradus.train.TrainingListener;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import org.jspecify.annotations.Nullable;

/**
 * Writes {@code report.html} to the output folder: at each evaluation and checkpoint, and when the run ends, also if it is
 * stopped or fails. The report shows the losses before, during and after training, samples from before and after, the memory
 * and time that the run needed, and how to use the model.
 *
 * <p>A resumed run continues the curves in {@code metrics.jsonl}, so its report covers all steps. The file is self-contained:
 * it has no scripts and loads no other files.
 */
public final class RunReport implements TrainingListener {
    /** The name of the report in the output folder. */
    public static final String FILE = "report.html";

    private final Clock clock;
    private @Nullable Plan plan;
    private @Nullable Metrics metrics;
    private int skipped;
    private boolean warned;

    public RunReport() {
        this(Clock.system(ZoneId.systemDefault()));
    }

    RunReport(Clock clock) {
        this.clock = clock;
    }

    @Override
    public void started(Plan plan) {
        this.plan = plan;
        metrics = null;
        skipped = 0;
    }

    @Override
    public void stepped(Step step) {
        metrics().add(step);
    }

    @Override
    public void skipped(Skipped step) {
        skipped++;
    }

    @Override
    public void evaluated(Evaluation evaluation) {
        metrics().add(evaluation);
        update();
    }

    @Override
    public void sampled(Sample sample) {
        metrics().samples().put(sample.step(), sample);
    }

    @Override
    public void checkpointed(Path folder) {
        update();
    }

    /**
     * @throws UncheckedIOException if the report cannot be written
     */
    @Override
    public void finished(RunResult result) {
        try {
            write(Standing.finished(result));
        } catch (IOException e) {
            throw new UncheckedIOException("the model was saved, but the report was not: cannot write " + file(), e);
        }
    }

    @Override
    public void failed(Exception reason) {
        if (metrics != null) { // before, the run has written nothing
            unfinished("This run has not finished: " + reason.getMessage());
        }
    }

    private void update() {
        int last = metrics().lastStep();
        unfinished("This run is at step " + Quantities.grouped(last) + " of " + Quantities.grouped(plan().steps())
                + ". The page is written again at each evaluation.");
    }

    /** Writes the report of an unfinished run, which goes on without it if it cannot be written. */
    private void unfinished(String sentence) {
        try {
            write(Standing.unfinished(metrics().lastStep(), skipped, sentence));
        } catch (IOException | UncheckedIOException e) {
            if (!warned) {
                warned = true;
                System.getLogger(RunReport.class.getName())
                        .log(System.Logger.Level.WARNING, "the report is not up to date: " + e.getMessage());
            }
        }
    }

    private void write(Standing standing) throws IOException {
        Page page = Page.of(plan(), standing, metrics(), ZonedDateTime.now(clock), java());
        AtomicFile.write(file(), page.html());
    }

    private Path file() {
        return plan().output().resolve(FILE);
    }

    private Plan plan() {
        if (plan == null) {
            throw new IllegalStateException("the run has not started");
        }
        return plan;
    }

    /** Returns the metrics: those of earlier runs, and of the events since. */
    private Metrics metrics() {
        if (metrics == null) {
            try {
                metrics = Metrics.read(plan().output().resolve("metrics.jsonl"));
            } catch (IOException e) {
                throw new UncheckedIOException("cannot read the metrics for the report", e);
            }
        }
        return metrics;
    }

    private static String java() {
        return Runtime.version() + " (" + System.getProperty("java.vendor") + "), " + System.getProperty("os.name")
                + " " + System.getProperty("os.arch");
    }
}
