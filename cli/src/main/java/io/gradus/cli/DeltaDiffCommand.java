package io.gradus.cli;

import io.gradus.train.delta.Delta;
import io.gradus.train.memory.Bytes;
import java.io.PrintWriter;
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
        Delta delta = Delta.diff(base, tuned, output);
        PrintWriter out = spec.commandLine().getOut();
        new DeltaTable(delta, Terminal.of(spec).width()).summary().forEach(out::println);
        out.println("saved     " + output + ", " + Bytes.format(Files.size(output)));
        out.println();
        out.println("By layer: ./gradus delta info " + output);
        out.flush();
        return 0;
    }
}
