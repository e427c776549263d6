package io.gradus.cli;

import io.gradus.data.ExampleColumns;
import io.gradus.data.LabeledExample;
import io.gradus.data.LabeledExamples;
import io.gradus.data.serve.Classifier;
import io.gradus.data.serve.TokenClassifier;
import io.gradus.nn.model.Head;
import io.gradus.nn.model.ModelFolder;
import io.gradus.train.TrainingListener.Progress;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Implements {@code gradus predict}. */
@Command(
        name = "predict",
        mixinStandardHelpOptions = true,
        description = {
            "Classifies texts with a model that was trained with task=sequence_classification, or finds names in them with one"
                    + " that was trained with task=token_classification.",
            "Writes each text with its label and the probability of every label, or each name with its place in the text."
        },
        footer = {
            "",
            "Examples:",
            "  ./gradus predict --model reviews --data new.csv",
            "  ./gradus predict --model reviews --data new.jsonl --format jsonl --out labeled.jsonl"
        })
final class PredictCommand implements Callable<Integer> {
    private static final int CHUNK = 256;

    @Spec
    private CommandSpec spec;

    @Mixin
    private ModelOptions options = new ModelOptions();

    @Option(
            names = "--data",
            paramLabel = "PATH",
            required = true,
            description = "A .csv, .tsv or .jsonl file, another file with a text per line, or a folder of them.")
    private Path data = Path.of("");

    @Option(
            names = "--text-column",
            paramLabel = "NAME",
            description = "Column or key of the text. Default: ${DEFAULT-VALUE}.",
            defaultValue = "text")
    private String text = "text";

    @Option(
            names = "--text-pair-column",
            paramLabel = "NAME",
            description = "Column or key of the second text. Default: text_pair, where the data has it.")
    private @Nullable String pair;

    @Option(names = "--out", paramLabel = "FILE", description = "The file to write. Default: standard output.")
    private @Nullable Path out;

    @Option(
            names = "--format",
            paramLabel = "FORMAT",
            description = "csv (the default) or jsonl.",
            defaultValue = "csv")
    private String format = "csv";

    @Override
    public Integer call() throws Exception {
        if (!format.equals("csv") && !format.equals("jsonl")) {
            throw new ParameterException(spec.commandLine(), "--format is '" + format + "'; it must be csv or jsonl");
        }
        Terminal terminal = Terminal.of(spec);
        try (StatusLine status = terminal.status()) {
            status.show(new Progress("loading the model", 0, 0));
            PredictionLines lines = lines();
            Collection<LabeledExample> examples =
                    LabeledExamples.read(data, new ExampleColumns(text, pair, null, ExampleColumns.Labels.NONE));
            if (out == null) {
                write(lines, examples, terminal.out(), status);
                terminal.out().flush();
            } else {
                try (PrintWriter file = new PrintWriter(Files.newBufferedWriter(out, StandardCharsets.UTF_8))) {
                    write(lines, examples, file, status);
                    if (file.checkError()) {
                        throw new IOException(out + " cannot be written; free disk space, or choose another file");
                    }
                }
            }
            status.clear();
        }
        return 0;
    }

    private PredictionLines lines() throws IOException {
        ModelFolder folder = options.folder();
        boolean csv = format.equals("csv");
        return folder.savedHead() instanceof Head.TokenClassification
                ? new EntityLines(TokenClassifier.load(folder.path(), options.device()), csv)
                : new LabelLines(Classifier.load(folder.path(), options.device()), csv);
    }

    private void write(PredictionLines lines, Collection<LabeledExample> examples, PrintWriter to, StatusLine status) {
        Iterator<LabeledExample> left = examples.iterator();
        long done = 0;
        while (left.hasNext()) {
            List<LabeledExample> chunk = new ArrayList<>();
            while (left.hasNext() && chunk.size() < CHUNK) {
                chunk.add(left.next());
            }
            status.show(new Progress("classifying", done, examples.size()));
            boolean first = done == 0;
            List<String> made = lines.of(chunk);
            if (out == null) {
                status.clear();
            }
            if (first) {
                lines.header(chunk.getFirst()).ifPresent(to::println);
            }
            made.forEach(to::println);
            done += chunk.size();
        }
    }
}
