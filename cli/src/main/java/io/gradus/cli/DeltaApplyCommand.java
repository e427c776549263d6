package io.gradus.cli;

import io.gradus.core.Names;
import io.gradus.train.TrainingListener.Progress;
import io.gradus.train.delta.DeltaSum;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Implements {@code gradus delta apply}. */
@Command(
        name = "apply",
        mixinStandardHelpOptions = true,
        description = {
            "Adds deltas to BASE and writes a Hugging Face folder.",
            "One delta with factor 1 reproduces the tuned model bit for bit. A factor scales a delta, and several"
                    + " deltas combine what each has learned (task arithmetic).",
            "Configuration, tokenizer and chat templates are those of the tuned model."
        },
        footer = {
            "",
            "Examples:",
            "  ./gradus delta apply my-llama shakespeare.safetensors -o tuned-again",
            "  ./gradus delta apply my-llama shakespeare.safetensors --factor 0.5",
            "  ./gradus delta apply my-llama a.safetensors:0.7 b.safetensors:-0.3"
        })
final class DeltaApplyCommand implements Callable<Integer> {
    private static final String SUFFIX = ".safetensors";
    private static final int COLUMN = 8;

    @Spec
    private CommandSpec spec;

    @Parameters(
            index = "0",
            paramLabel = "BASE",
            description = "The Hugging Face folder of the model that the deltas were made from.")
    private Path base = Path.of("");

    @Parameters(
            index = "1..*",
            arity = "1..*",
            paramLabel = "FILE[:FACTOR]",
            description = "Deltas, each with an optional factor.")
    private List<String> deltas = new ArrayList<>();

    @Option(
            names = "--factor",
            paramLabel = "F",
            description = "The factor of every delta that has none of its own. Default: ${DEFAULT-VALUE}.",
            defaultValue = "1")
    private double factor;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "FOLDER",
            description = "The folder to write. Default: a name made from BASE and the deltas.")
    private @Nullable Path output;

    @Option(names = "--force", description = "Apply the deltas to a different model with the same shapes.")
    private boolean force;

    @Override
    public Integer call() throws Exception {
        List<DeltaSum.Term> terms = deltas.stream().map(this::term).toList();
        Path folder = output == null ? Path.of(name(terms)) : output;
        Terminal terminal = Terminal.of(spec);
        DeltaSum.Written written;
        try (StatusLine status = terminal.status()) {
            status.show(new Progress("adding to the weights", 0, 0));
            written = new DeltaSum(base, terms, force).write(folder);
        }
        terminal.print("base", COLUMN, base.toString());
        for (DeltaSum.Term term : terms) {
            terminal.print("plus", COLUMN, (term.factor() == 1 ? "" : number(term.factor()) + " × ") + term.delta());
        }
        if (!written.restored().isEmpty()) {
            terminal.print("files", COLUMN, Names.few(written.restored()) + ": as in the tuned model");
        }
        if (!written.contradicted().isEmpty()) {
            terminal.print(
                    "caution",
                    COLUMN,
                    Names.few(written.contradicted())
                            + ": the deltas have different ones, so the base's are kept; copy those that you need from"
                            + " a tuned model");
        }
        terminal.print(
                "saved",
                COLUMN,
                written.folder() + ", " + written.tensors() + " tensors"
                        + (written.exact() ? ", equal to the tuned model bit for bit" : ""));
        terminal.out().flush();
        return 0;
    }

    /** Parses the text after the last colon as a factor, unless a file with the whole name exists. */
    private DeltaSum.Term term(String argument) {
        if (argument.isBlank()) {
            throw new ParameterException(spec.commandLine(), "the path of a delta is empty");
        }
        int colon = argument.lastIndexOf(':');
        try {
            return colon <= 0 || Files.exists(Path.of(argument))
                    ? new DeltaSum.Term(Path.of(argument), factor)
                    : new DeltaSum.Term(
                            Path.of(argument.substring(0, colon)), Double.parseDouble(argument.substring(colon + 1)));
        } catch (NumberFormatException e) {
            throw new ParameterException(
                    spec.commandLine(),
                    "'" + argument.substring(colon + 1) + "' in '" + argument + "' is not a factor, such as 0.5");
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), ErrorMessage.of(e));
        }
    }

    /** Returns a folder such as {@code my-llama+shakespeare} or {@code my-llama+0.5xshakespeare} in the current folder. */
    private String name(List<DeltaSum.Term> terms) {
        Path name = base.toAbsolutePath().normalize().getFileName();
        return (name == null ? "model" : name)
                + terms.stream().map(DeltaApplyCommand::name).collect(Collectors.joining());
    }

    private static String name(DeltaSum.Term term) {
        String file = String.valueOf(term.delta().getFileName());
        String stem = file.endsWith(SUFFIX) ? file.substring(0, file.length() - SUFFIX.length()) : file;
        String sign = term.factor() < 0 ? "-" : "+";
        double size = Math.abs(term.factor());
        return sign + (size == 1 ? "" : number(size) + "x") + stem;
    }

    private static String number(double factor) {
        return factor == Math.rint(factor) && Math.abs(factor) < 1e6
                ? String.format(Locale.ROOT, "%.0f", factor)
                : Double.toString(factor);
    }
}
