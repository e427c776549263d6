package io.gradus.cli;

import io.gradus.cli.report.MemoryReport;
import io.gradus.train.study.MemoryStudy;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** Implements {@code gradus study memory}. */
@Command(
        name = "memory",
        mixinStandardHelpOptions = true,
        description = {
            "Measures how much memory each technique saves, and what it costs in time and in loss.",
            "Runs the recipe with AdamW in F32, in mixed precision, with activation checkpointing, with a chunked"
                    + " loss, with the optimizer step in the backward pass, and then with other optimizers."
        },
        footer = {
            "",
            "Examples:",
            "  ./gradus study memory -o memory",
            "  ./gradus study memory --model my-llama data.train=a.txt -o memory"
        })
final class MemoryStudyCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private StudyOptions options = new StudyOptions();

    @Override
    public Integer call() throws Exception {
        Terminal terminal = Terminal.of(spec);
        List<MemoryStudy.Row> rows;
        try (StatusLine status = terminal.status()) {
            rows = MemoryStudy.run(options.recipe(), options.folder(), options.runs(status), options.news());
        }
        MemoryReport.write(rows, options.folder());
        MemoryReport.lines(rows, terminal.width()).forEach(terminal.out()::println);
        terminal.out().println();
        terminal.print("written to " + options.folder());
        terminal.out().flush();
        return 0;
    }
}
