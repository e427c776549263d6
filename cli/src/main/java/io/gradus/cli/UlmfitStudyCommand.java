package io.gradus.cli;

import io.gradus.cli.report.UlmfitReport;
import io.gradus.corpora.Corpus;
import io.gradus.data.LabeledTexts;
import io.gradus.train.FineTuning;
import io.gradus.train.study.UlmfitStudy;
import io.gradus.train.study.UlmfitStudy.Network;
import io.gradus.train.study.UlmfitStudy.Settings;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Implements {@code gradus study ulmfit}. */
@Command(
        name = "ulmfit",
        mixinStandardHelpOptions = true,
        description = {
            "Compares classifiers trained from scratch and from a language model, by the number of labels.",
            "Pre-trains a word-level LSTM on general text, fine-tunes it on the texts of the task without their labels, and"
                    + " then trains classifiers with slanted triangular and discriminative learning rates and gradual"
                    + " unfreezing: ULMFiT (Howard & Ruder 2018)."
        },
        footer = {
            "",
            "Examples:",
            "  ./gradus study ulmfit --data rt-polarity -o ulmfit",
            "  ./gradus study ulmfit --data reviews.csv --text wiki.txt --labels 100,1000 -o ulmfit"
        })
final class UlmfitStudyCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Option(
            names = "--data",
            paramLabel = "PATH",
            required = true,
            description =
                    "The task: a .csv or .tsv file with the columns text and label, or a folder with a file per label,"
                            + " such as reviews.pos, that has a text per line.")
    private Path data;

    @Option(
            names = "--text",
            paramLabel = "FILE",
            description = "General text to pre-train on, instead of the built-in text; may be repeated.")
    private List<Path> texts = new ArrayList<>();

    @Option(
            names = {"-o", "--output"},
            paramLabel = "FOLDER",
            description = "A new folder for the results and the runs.",
            required = true)
    private Path folder;

    @Option(
            names = "--labels",
            split = ",",
            paramLabel = "N",
            description = "Numbers of labels. Default: 100,200,500,1000,5000.")
    private List<Integer> labels = List.of(100, 200, 500, 1000, 5000);

    @Option(names = "--test", paramLabel = "N", description = "Texts to test on. Default: ${DEFAULT-VALUE}.")
    private int test = 1000;

    @Option(names = "--emb-sz", paramLabel = "N", description = "Width of the embedding. Default: ${DEFAULT-VALUE}.")
    private int embSz = 128;

    @Option(names = "--n-hid", paramLabel = "N", description = "Units of a layer. Default: ${DEFAULT-VALUE}.")
    private int nHid = 256;

    @Option(names = "--n-layers", paramLabel = "N", description = "Layers. Default: ${DEFAULT-VALUE}.")
    private int nLayers = 3;

    @Option(
            names = "--words",
            paramLabel = "N",
            description = "The most words of the vocabulary. Default: ${DEFAULT-VALUE}.")
    private int words = 10_000;

    @Option(
            names = "--pretrain-epochs",
            paramLabel = "X",
            description = "Passes over the general text. Default: ${DEFAULT-VALUE}.")
    private double pretrainEpochs = 1;

    @Option(
            names = "--tune-epochs",
            paramLabel = "X",
            description = "Passes over the texts of the task. Default: ${DEFAULT-VALUE}.")
    private double tuneEpochs = 4;

    @Option(names = "--seed", paramLabel = "N", description = "Default: ${DEFAULT-VALUE}.")
    private long seed = 42;

    @Option(names = "--threads", paramLabel = "N", description = "Default: all processors.")
    private @Nullable Integer threads;

    @Override
    public Integer call() throws Exception {
        Terminal terminal = Terminal.of(spec);
        Settings settings = new Settings(
                new Network(embSz, nHid, nLayers),
                words,
                pretrainEpochs,
                tuneEpochs,
                labels.stream().sorted().toList(),
                test,
                seed,
                threads);
        UlmfitStudy.Outcome outcome;
        try (StatusLine status = terminal.status()) {
            outcome = UlmfitStudy.run(
                    settings,
                    LabeledTexts.read(data),
                    general(),
                    folder,
                    recipe -> FineTuning.builder(recipe).listeners(new HeapShrinker(), status.listener()),
                    StudyOptions.news(spec),
                    this::save);
        }
        UlmfitReport.write(outcome, folder);
        UlmfitReport.lines(outcome, terminal.width()).forEach(terminal.out()::println);
        terminal.out().println();
        UlmfitReport.remarks(outcome).forEach(terminal::print);
        terminal.out().println();
        terminal.print("written to " + folder);
        terminal.out().flush();
        return 0;
    }

    private List<String> general() throws IOException {
        if (texts.isEmpty()) {
            return Corpus.PROSE.training();
        }
        List<String> general = new ArrayList<>();
        for (Path text : texts) {
            general.add(Files.readString(text, StandardCharsets.UTF_8));
        }
        return general;
    }

    private void save(List<UlmfitStudy.Row> rows) {
        try {
            UlmfitReport.write(rows, folder);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
