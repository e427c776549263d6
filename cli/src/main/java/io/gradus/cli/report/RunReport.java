package io.gradus.cli.report;

import io.gradus.core.safetensors.AtomicFile;
import io.gradus.train.RunResult;
import io.gradus.train.TrainingListener;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Writes {@code report.html} to the output folder when a run ends. The report shows the losses before, during and after
 * training, samples from before and after, the memory and time that the run needed, and how to use the model.
 *
 * <p>The curves come from {@code metrics.jsonl} in the same folder, so the report of a resumed run covers all of its steps.
 * The file is self-contained: it has no scripts and loads no other files.
 */
public final class RunReport implements TrainingListener {
    /** The name of the report in the output folder. */
    public static final String FILE = "report.html";

    private final Clock clock;
    private final List<Sample> samples = new ArrayList<>();
    private @Nullable Plan plan;

    public RunReport() {
        this(Clock.system(ZoneId.systemDefault()));
    }

    RunReport(Clock clock) {
        this.clock = clock;
    }

    @Override
    public void started(Plan plan) {
        this.plan = plan;
        samples.clear();
    }

    @Override
    public void sampled(Sample sample) {
        samples.add(sample);
    }

    /**
     * @throws UncheckedIOException if {@code metrics.jsonl} cannot be read or the report cannot be written
     */
    @Override
    public void finished(RunResult result) {
        Plan known = plan;
        if (known == null) {
            throw new IllegalStateException("finished() was called before started()");
        }
        Path file = result.output().resolve(FILE);
        try {
            Metrics metrics = Metrics.read(result.output().resolve("metrics.jsonl"));
            samples.forEach(sample -> metrics.samples().put(sample.step(), sample));
            String html = Page.of(known, result, metrics, ZonedDateTime.now(clock), java())
                    .html();
            AtomicFile.write(file, html);
        } catch (IOException e) {
            throw new UncheckedIOException("the model was saved, but the report was not: cannot write " + file, e);
        }
    }

    private static String java() {
        return Runtime.version() + " (" + System.getProperty("java.vendor") + "), " + System.getProperty("os.name")
                + " " + System.getProperty("os.arch");
    }
}
