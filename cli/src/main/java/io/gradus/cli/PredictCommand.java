package io.gradus.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.gradus.data.ExampleColumns;
import io.gradus.data.LabeledExample;
import io.gradus.data.LabeledExamples;
import io.gradus.data.serve.Classifier;
import io.gradus.data.serve.Prediction;
import io.gradus.nn.model.ProblemType;
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
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
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
            "Classifies texts with a model that was trained with task=sequence_classification.",
            "Writes each text with its label and the probability of every label."
        },
        footer = {
            "",
            "Examples:",
            "  ./gradus predict --model reviews --data new.csv",
            "  ./gradus predict --model reviews --data new.jsonl --format jsonl --out labeled.jsonl"
        })
final class PredictCommand implements Callable<Integer> {
    private static final ObjectMapper JSON = new ObjectMapper();
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
            Classifier classifier = Classifier.load(options.folder().path(), options.device());
            Collection<LabeledExample> examples =
                    LabeledExamples.read(data, new ExampleColumns(text, pair, null, ExampleColumns.Labels.NONE));
            if (out == null) {
                write(classifier, examples, terminal.out(), status);
                terminal.out().flush();
            } else {
                try (PrintWriter file = new PrintWriter(Files.newBufferedWriter(out, StandardCharsets.UTF_8))) {
                    write(classifier, examples, file, status);
                    if (file.checkError()) {
                        throw new IOException(out + " cannot be written; free disk space, or choose another file");
                    }
                }
            }
            status.clear();
        }
        return 0;
    }

    private void write(Classifier classifier, Collection<LabeledExample> examples, PrintWriter to, StatusLine status) {
        Iterator<LabeledExample> left = examples.iterator();
        long done = 0;
        boolean pairs = false;
        while (left.hasNext()) {
            List<LabeledExample> chunk = new ArrayList<>();
            while (left.hasNext() && chunk.size() < CHUNK) {
                chunk.add(left.next());
            }
            status.show(new Progress("classifying", done, examples.size()));
            List<Prediction> predictions = classifier.classifyPairs(chunk.stream()
                    .map(example -> new Classifier.Pair(example.text(), example.pair()))
                    .toList());
            if (done == 0) {
                pairs = chunk.getFirst().pair() != null;
                header(classifier, pairs).ifPresent(to::println);
            }
            if (out == null) {
                status.clear();
            }
            for (int i = 0; i < chunk.size(); i++) {
                to.println(
                        format.equals("csv")
                                ? csv(classifier, chunk.get(i), pairs, predictions.get(i))
                                : json(classifier, chunk.get(i), predictions.get(i)));
            }
            done += chunk.size();
        }
    }

    private Optional<String> header(Classifier classifier, boolean pairs) {
        if (!format.equals("csv")) {
            return Optional.empty();
        }
        List<String> cells = new ArrayList<>(List.of("text"));
        if (pairs) {
            cells.add("text_pair");
        }
        switch (classifier.labels().problemType()) {
            case SINGLE_LABEL_CLASSIFICATION -> cells.add("label");
            case MULTI_LABEL_CLASSIFICATION -> cells.add("labels");
            case REGRESSION -> {}
        }
        cells.addAll(classifier.labels().names());
        return Optional.of(line(cells));
    }

    private static String csv(Classifier classifier, LabeledExample example, boolean pairs, Prediction prediction) {
        List<String> cells = new ArrayList<>(List.of(example.text()));
        if (pairs) {
            String second = example.pair();
            cells.add(second == null ? "" : second);
        }
        if (classifier.labels().problemType() != ProblemType.REGRESSION) {
            cells.add(String.join(",", prediction.labels()));
        }
        prediction.scores().values().forEach(score -> cells.add(String.format(Locale.ROOT, "%.6f", score)));
        return line(cells);
    }

    /** A row of CSV (RFC 4180). */
    private static String line(List<String> cells) {
        return cells.stream()
                .map(cell -> cell.matches("(?s).*[\",\n\r].*|\\s.*") ? '"' + cell.replace("\"", "\"\"") + '"' : cell)
                .collect(Collectors.joining(","));
    }

    private static String json(Classifier classifier, LabeledExample example, Prediction prediction) {
        ObjectNode json = JSON.createObjectNode().put("text", example.text());
        if (example.pair() != null) {
            json.put("text_pair", example.pair());
        }
        switch (classifier.labels().problemType()) {
            case SINGLE_LABEL_CLASSIFICATION -> json.put("label", prediction.label());
            case MULTI_LABEL_CLASSIFICATION -> json.set("labels", JSON.valueToTree(prediction.labels()));
            case REGRESSION -> {}
        }
        json.set("scores", JSON.valueToTree(prediction.scores()));
        return json.toString();
    }
}
