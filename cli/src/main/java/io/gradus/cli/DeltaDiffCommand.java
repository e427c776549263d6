package io.gradus.cli;

import io.gradus.train.TrainingListener.Progress;
import io.gradus.train.delta.Delta;
import io.gradus.train.memory.Bytes;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Implements {@code gradus delta diff}. */
@Command(
        name = "diff",
        mixinStandardHelpOptions = true,
        description = {
            "Writes the difference between the weights of TUNED and BASE.",
            "Adding it to BASE reproduces TUNED bit for bit. Neither model is loaded into memory."
        },
        footer = {"", "Examples:", "  ./gradus delta diff my-llama tuned -o shakespeare.safetensors"})
final class DeltaDiffCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Parameters(
            index = "0",
            paramLabel = "BASE",
            description = "The Hugging Face folder of the model before fine-tuning.")
    private Path base = Path.of("");

    @Parameters(
            index = "1",
            paramLabel = "TUNED",
            description = "The Hugging Face folder of the model after fine-tuning.")
    private Path tuned = Path.of("");

    @Option(
            names = {"-o", "--output"},
            paramLabel = "FILE",
            required = true,
            description = "The file to write. An existing delta is replaced.")
    private Path output = Path.of("");

    @Override
    public Integer call() throws Exception {
        Terminal terminal = Terminal.of(spec);
        Delta delta;
        try (StatusLine status = terminal.status()) {
            status.show(new Progress("comparing the models", 0, 0));
            delta = Delta.diff(base, tuned, output);
        }
        new DeltaTable(delta, terminal.width()).summary().forEach(terminal.out()::println);
        terminal.print("saved", DeltaTable.COLUMN, output + ", " + Bytes.format(Files.size(output)));
        terminal.out().println();
        terminal.print("By layer: ./gradus delta info " + output);
        terminal.out().flush();
        return 0;
    }
}
