package io.gradus.train.study;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.gradus.data.LabeledText;
import io.gradus.data.tokenizer.WordVocabulary;
import io.gradus.train.FineTuning;
import io.gradus.train.RunResult;
import io.gradus.train.checkpoint.OutputFolder;
import io.gradus.train.recipe.Recipe;
import io.gradus.train.recipe.RecipeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Compares classifiers trained from scratch with classifiers trained from a language model, by the number of labels: the
 * experiment of Howard &amp; Ruder (2018), section 5, with a network and texts of any size.
 *
 * <p>Some texts of the task are held out for the test. An AWD-LSTM is pre-trained on general text (stage 1) and fine-tuned on
 * the other texts of the task, without their labels (stage 2). For each number of labels, the classifier is trained from random
 * weights and from those of the language model (stage 3), with the same network, vocabulary, dropout, steps and learning rate.
 */
public final class UlmfitStudy {
    private static final String HELD_OUT = "held_out";
    private static final String ACCURACY = "accuracy";
    private static final ObjectMapper JSON = new ObjectMapper();

    /**
     * The sizes of the study.
     *
     * @param network emb_sz, n_hid and n_layers
     * @param vocabulary the most words
     * @param pretrainEpochs passes over the general text
     * @param tuneEpochs passes over the texts of the task
     * @param labels how many labels there are, in ascending order
     * @param test how many texts are held out
     * @param seed of the division of the texts, and of all runs
     * @param threads of the runs, or null for all processors
     */
    public record Settings(
            Network network,
            int vocabulary,
            double pretrainEpochs,
            double tuneEpochs,
            List<Integer> labels,
            int test,
            long seed,
            @Nullable Integer threads) {
        public Settings {
            labels = List.copyOf(labels);
        }
    }

    /** The sizes of the network: the keys of {@code config.json}. */
    public record Network(int embSz, int nHid, int nLayers) {}

    /**
     * Results for one number of labels.
     *
     * @param scratch share of the test that is classified wrongly, trained from scratch
     * @param pretrained the same, from the language model
     */
    public record Row(int labels, double scratch, double pretrained) {}

    /**
     * Result of the study.
     *
     * @param rows in ascending order of labels
     * @param words in the vocabulary
     * @param before loss of the language model on held-out text of the task after stage 1, in nats per word
     * @param after the same after stage 2
     * @param majority share of the test that is not of the most frequent class
     */
    public record Outcome(List<Row> rows, int words, double before, double after, double majority) {}

    private final Settings settings;
    private final UlmfitStages stages;
    private final Path folder;
    private final Consumer<String> news;

    private UlmfitStudy(Settings settings, UlmfitStages stages, Path folder, Consumer<String> news) {
        this.settings = settings;
        this.stages = stages;
        this.folder = folder;
        this.news = news;
    }

    /**
     * Runs the study.
     *
     * @param task labeled texts, more than are held out and than there are labels
     * @param general text for stage 1
     * @param folder a new folder
     * @param runs starts the run of a recipe, such as {@code FineTuning::builder}
     * @param news receives a line on what is done next
     * @param finished receives all rows so far after each number of labels
     * @throws IOException if a file cannot be written
     * @throws RecipeException if there are too few texts
     */
    public static Outcome run(
            Settings settings,
            Collection<LabeledText> task,
            List<String> general,
            Path folder,
            Function<Recipe, FineTuning.Builder> runs,
            Consumer<String> news,
            Consumer<List<Row>> finished)
            throws IOException {
        int most = settings.labels.stream().mapToInt(n -> n).max().orElse(0);
        if (settings.labels.isEmpty() || task.size() < settings.test + most) {
            throw new RecipeException("the task has " + task.size() + " texts; " + most + " labels and a test of "
                    + settings.test + " need " + (settings.test + most));
        }
        try (OutputFolder _ = OutputFolder.open(folder)) {
            StudyRuns.requireEmpty(folder);
            List<LabeledText> shuffled = new ArrayList<>(task);
            Collections.shuffle(shuffled, new Random(settings.seed));
            List<LabeledText> test = shuffled.subList(0, settings.test);
            List<LabeledText> pool = shuffled.subList(settings.test, shuffled.size());
            List<String> words = Stream.concat(general.stream(), pool.stream().map(LabeledText::text))
                    .toList();
            WordVocabulary vocabulary = WordVocabulary.of(words, settings.vocabulary, 2);
            UlmfitStages stages = new UlmfitStages(settings, vocabulary, folder, runs);
            return new UlmfitStudy(settings, stages, folder, news).run(pool, test, general, finished);
        }
    }

    private Outcome run(
            List<LabeledText> pool, List<LabeledText> test, List<String> general, Consumer<List<Row>> finished)
            throws IOException {
        Path testFile = write("test.jsonl", test, true);
        // The test's texts, without labels, show what the language model has learned. It is not trained on them.
        Path heldOut = write("test-texts.jsonl", test, false);
        news.accept("stage 1: a language model of general text, " + stages.words() + " words");
        RunResult pretrained = stages.pretrain(write("general.jsonl", general), heldOut);
        news.accept("stage 2: fine-tuning it on the texts of the task, without labels");
        RunResult tuned = stages.tune(pretrained.output(), write("task-texts.jsonl", pool, false), heldOut);
        Path scratch = stages.classifierFrom(stages.untrained(), "from-scratch");
        Path start = stages.classifierFrom(tuned.output(), "from-language-model");
        List<Row> rows = new ArrayList<>();
        for (int labels : settings.labels) {
            news.accept("stage 3: classifiers with " + labels + " labels");
            Path train = write("train-" + labels + ".jsonl", pool.subList(0, labels), true);
            rows.add(new Row(
                    labels,
                    error(stages.classify(scratch, train, testFile, labels, false)),
                    error(stages.classify(start, train, testFile, labels, true))));
            finished.accept(List.copyOf(rows));
        }
        return new Outcome(List.copyOf(rows), stages.words(), loss(pretrained), loss(tuned), 1 - share(test));
    }

    private static double loss(RunResult result) {
        return Objects.requireNonNull(result.after().get(HELD_OUT));
    }

    private static double error(RunResult result) {
        return 1
                - Objects.requireNonNull(Objects.requireNonNull(result.scores().get(HELD_OUT))
                        .metrics()
                        .get(ACCURACY));
    }

    /** The share of the most frequent label. */
    private static double share(List<LabeledText> texts) {
        Map<String, Integer> counts = new TreeMap<>();
        texts.forEach(text -> counts.merge(text.label(), 1, Integer::sum));
        return (double) Collections.max(counts.values()) / texts.size();
    }

    private Path write(String name, List<LabeledText> texts, boolean labels) throws IOException {
        List<String> lines = new ArrayList<>();
        for (LabeledText text : texts) {
            ObjectNode line = JSON.createObjectNode().put("text", text.text());
            lines.add((labels ? line.put("label", text.label()) : line).toString());
        }
        return Files.write(folder.resolve(name), lines);
    }

    private Path write(String name, List<String> texts) throws IOException {
        return write(name, texts.stream().map(text -> new LabeledText(text, "")).toList(), false);
    }
}
