package io.gradus.cli;

import io.gradus.cli.report.ForgettingReport;
import io.gradus.train.study.ForgettingStudy;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** Implements {@code gradus study forgetting}. */
@Command(
        name = "forgetting",
        mixinStandardHelpOptions = true,
        description = {
            "Measures how much a run makes a model forget, and what each countermeasure costs.",
            "Samples general text from the model first. Then runs the recipe unchanged, with a low learning rate, with"
                    + " general text mixed in, with L2-SP, with EWC, with layer-wise learning rates, with frozen layers,"
                    + " and with weights interpolated halfway."
        },
        footer = {
            "",
            "Examples:",
            "  ./gradus study forgetting -o forgetting",
            "  ./gradus study forgetting --model my-llama data.train=a.txt -o study"
        })
final class ForgettingStudyCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private StudyOptions options = new StudyOptions();

    @Override
    public Integer call() throws Exception {
        Path folder = options.folder();
        Terminal terminal = Terminal.of(spec);
        ForgettingStudy.Outcome outcome;
        try (StatusLine status = terminal.status()) {
            outcome = ForgettingStudy.run(
                    options.recipe(), folder, options.runs(status), options.news(), rows -> save(rows, folder));
        }
        ForgettingReport.write(outcome, folder);
        ForgettingReport.lines(outcome, terminal.width()).forEach(terminal.out()::println);
        terminal.out().println();
        ForgettingReport.limitLines(outcome).forEach(terminal::print);
        terminal.out().println();
        terminal.print("written to " + folder);
        terminal.out().flush();
        return 0;
    }

    private static void save(List<ForgettingStudy.Row> rows, Path folder) {
        try {
            ForgettingReport.write(rows, folder);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
