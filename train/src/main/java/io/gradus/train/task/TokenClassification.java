package io.gradus.train.task;

import static io.gradus.train.task.TaskBatches.empty;

import io.gradus.autograd.CrossEntropyOptions;
import io.gradus.autograd.Reduction;
import io.gradus.autograd.Variable;
import io.gradus.autograd.op.CrossEntropy;
import io.gradus.core.Device;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.data.Batches.Batch;
import io.gradus.data.Dataset;
import io.gradus.data.Entity;
import io.gradus.data.PaddedBatches;
import io.gradus.data.TaggedWords;
import io.gradus.data.TaggedWordsFiles;
import io.gradus.data.WordEncoder;
import io.gradus.data.tokenizer.Tokenizer;
import io.gradus.nn.model.Head;
import io.gradus.nn.model.Labels;
import io.gradus.nn.model.ModelConfig;
import io.gradus.nn.model.ModelFolder;
import io.gradus.nn.model.PretrainedModel;
import io.gradus.nn.model.ProblemType;
import io.gradus.train.recipe.Recipe;
import io.gradus.train.recipe.RecipeException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Classifies the words of sentences, such as the parts of names. The first token of a word has its tag, and the others do not count,
 * as in transformers. The loss is the cross-entropy of the tags.
 */
public final class TokenClassification implements Task {
    private final Recipe recipe;
    private final Labels labels;
    private final TaskExamples<TaggedWords> examples;
    private List<TaggedRow> evaluated = List.of();

    /**
     * Reads the sentences of a recipe.
     *
     * @throws IOException if a file is missing or malformed
     * @throws RecipeException if the tags do not fit the recipe
     */
    public static TokenClassification open(TaskSetting setting) throws IOException {
        setting.progress().accept("reading the text");
        Recipe recipe = setting.recipe();
        String key = recipe.data().labelColumn();
        TaskExamples<TaggedWords> examples =
                TaskExamples.read(recipe, path -> TaggedWordsFiles.read(path, key), _ -> "sentence");
        return new TokenClassification(recipe, labels(examples, setting.base()), examples);
    }

    private TokenClassification(Recipe recipe, Labels labels, TaskExamples<TaggedWords> examples) {
        this.recipe = recipe;
        this.labels = labels;
        this.examples = examples;
    }

    /** A task without sentences, by which the memory of a recipe is planned: with two tags. */
    public static TokenClassification unread(Recipe recipe) {
        return new TokenClassification(recipe, Labels.of("0", "1"), new TaskExamples<>(List.of(), List.of()));
    }

    /** The tags: those of the model to start from, in its order, if it has the same ones; else {@code O}, and the others sorted. */
    private static Labels labels(TaskExamples<TaggedWords> examples, ModelFolder base) throws IOException {
        Set<String> used = new TreeSet<>();
        examples.training().forEach(sentence -> used.addAll(sentence.tags()));
        for (TaggedWords sentence : examples.heldOut()) {
            for (String tag : sentence.tags()) {
                if (!used.contains(tag)) {
                    throw new RecipeException(
                            "the held-out sentences have the tag '" + tag + "', which no training sentence has");
                }
            }
        }
        if (used.size() < 2) {
            throw new RecipeException(
                    "the training sentences have the tag " + used + " only; a classifier needs at least two");
        }
        if (base.savedHead() instanceof Head.TokenClassification(Labels saved)
                && new HashSet<>(saved.names()).equals(used)) {
            return new Labels(saved.names(), ProblemType.SINGLE_LABEL_CLASSIFICATION);
        }
        List<String> names = new ArrayList<>(used);
        if (names.remove("O")) {
            names.addFirst("O");
        }
        return new Labels(names, ProblemType.SINGLE_LABEL_CLASSIFICATION);
    }

    @Override
    public Head head() {
        return new Head.TokenClassification(labels);
    }

    @Override
    public Batch largest(Device device, int rows, int length) {
        Shape shape = Shape.of(rows, length);
        return new Batch(
                empty(device, shape),
                empty(device, Shape.of(shape.size())),
                shape.size(),
                null,
                null,
                empty(device, shape),
                null);
    }

    // ---- data ----

    /**
     * A row with its tags.
     *
     * @param tags ids of the tags of the row's words
     * @param sentence the index of the sentence of which it is a part
     */
    private record TaggedRow(WordEncoder.Row row, int[] tags, int sentence) {

        /** The words with tokens, which count. */
        int counted() {
            return (int) Arrays.stream(row.firstTokens()).filter(at -> at >= 0).count();
        }
    }

    @Override
    public Dataset dataset(Tokenizer tokenizer, ModelConfig config, int length) {
        WordEncoder encoder = new WordEncoder(tokenizer, length);
        List<TaggedRow> training = rows(examples.training(), encoder, config);
        evaluated = rows(examples.heldOut(), encoder, config);
        return TaskBatches.of(recipe, config, length, encoder.pad(), training, evaluated, TokenClassification::batches);
    }

    private List<TaggedRow> rows(List<TaggedWords> sentences, WordEncoder encoder, ModelConfig config) {
        List<TaggedRow> rows = new ArrayList<>();
        for (int sentence = 0; sentence < sentences.size(); sentence++) {
            int[] tags =
                    sentences.get(sentence).tags().stream().mapToInt(labels::id).toArray();
            int from = 0;
            for (WordEncoder.Row row : encoder.encode(sentences.get(sentence).words())) {
                TaskBatches.requireKnown(Stream.of(row.text()), config);
                int to = from + row.firstTokens().length;
                TaggedRow tagged = new TaggedRow(row, Arrays.copyOfRange(tags, from, to), sentence);
                if (tagged.counted() > 0) {
                    rows.add(tagged);
                }
                from = to;
            }
        }
        if (rows.isEmpty()) {
            throw new RecipeException("no word of the sentences has a token; the tokenizer belongs to another model");
        }
        return rows;
    }

    private static PaddedBatches batches(List<TaggedRow> rows, PaddedBatches.Settings settings) {
        return new PaddedBatches(
                rows.stream().map(row -> row.row().text()).toList(),
                new PaddedBatches.Targets() {
                    @Override
                    public Tensor of(int[] chosen, int length, Device device) {
                        int[] targets = new int[Math.multiplyExact(chosen.length, length)];
                        Arrays.fill(targets, CrossEntropy.IGNORE_INDEX);
                        for (int i = 0; i < chosen.length; i++) {
                            TaggedRow row = rows.get(chosen[i]);
                            int[] first = row.row().firstTokens();
                            for (int word = 0; word < first.length; word++) {
                                if (first[word] >= 0) {
                                    targets[i * length + first[word]] = row.tags()[word];
                                }
                            }
                        }
                        return Tensor.of(device, targets, targets.length);
                    }

                    @Override
                    public long counted(int[] chosen) {
                        return Arrays.stream(chosen)
                                .mapToLong(row -> rows.get(row).counted())
                                .sum();
                    }
                },
                settings);
    }

    // ---- loss and scores ----

    @Override
    public Variable lossSum(PretrainedModel model, Variable hiddenStates, Batch batch) {
        CrossEntropyOptions options = CrossEntropyOptions.of(Reduction.SUM)
                .withLabelSmoothing(recipe.classification().labelSmoothing());
        return model.crossEntropy(hiddenStates, batch.targets(), options, 0);
    }

    /** The tag that is predicted for each word that counts. */
    @Override
    public double[] observe(PretrainedModel model, Variable hiddenStates, Batch batch) {
        double[] logits = model.logits(hiddenStates).value().toDoubles();
        int[] targets = batch.targets().toInts();
        double[] predicted = new double[Math.toIntExact(batch.counted())];
        int next = 0;
        for (int i = 0; i < targets.length; i++) {
            if (targets[i] != CrossEntropy.IGNORE_INDEX) {
                predicted[next++] = largest(logits, i * labels.size(), labels.size());
            }
        }
        return predicted;
    }

    private static int largest(double[] logits, int from, int count) {
        int best = 0;
        for (int i = 1; i < count; i++) {
            best = logits[from + i] > logits[from + best] ? i : best;
        }
        return best;
    }

    @Override
    public Scores score(List<double[]> observed) {
        int[] predicted = observed.stream()
                .flatMapToDouble(Arrays::stream)
                .mapToInt(id -> (int) id)
                .toArray();
        if (!Entity.areTags(labels.names())) {
            int[] actual = evaluated.stream()
                    .flatMapToInt(TokenClassification::countedTags)
                    .toArray();
            return ClassificationScores.single(labels.names(), actual, predicted);
        }
        List<List<String>> actualTags = new ArrayList<>();
        List<List<String>> predictedTags = new ArrayList<>();
        int sentence = -1;
        int next = 0;
        for (TaggedRow row : evaluated) {
            if (row.sentence() != sentence) {
                sentence = row.sentence();
                actualTags.add(new ArrayList<>());
                predictedTags.add(new ArrayList<>());
            }
            for (int word = 0; word < row.tags().length; word++) {
                boolean counts = row.row().firstTokens()[word] >= 0; // else no tag can be predicted
                actualTags.getLast().add(labels.names().get(row.tags()[word]));
                predictedTags.getLast().add(counts ? labels.names().get(predicted[next++]) : "O");
            }
        }
        return EntityScores.of(actualTags, predictedTags);
    }

    private static IntStream countedTags(TaggedRow row) {
        return IntStream.range(0, row.tags().length)
                .filter(word -> row.row().firstTokens()[word] >= 0)
                .map(word -> row.tags()[word]);
    }

    @Override
    public Map<String, Boolean> metrics() {
        return Entity.areTags(labels.names())
                ? Map.of(
                        EntityScores.F1,
                        true,
                        EntityScores.PRECISION,
                        true,
                        EntityScores.RECALL,
                        true,
                        ClassificationScores.ACCURACY,
                        true)
                : Map.of(
                        ClassificationScores.ACCURACY,
                        true,
                        ClassificationScores.MACRO_F1,
                        true,
                        ClassificationScores.MATTHEWS,
                        true);
    }

    @Override
    public List<String> describe() {
        List<String> lines = new ArrayList<>();
        lines.add("tags of words: " + examples.training().size() + " sentences to train on, "
                + examples.heldOut().size() + " held out");
        for (String name : labels.names()) {
            lines.add("tag " + name + ": " + count(examples.training(), name) + " words to train on, "
                    + count(examples.heldOut(), name) + " held out");
        }
        return lines;
    }

    private static long count(List<TaggedWords> sentences, String tag) {
        return sentences.stream()
                .flatMap(sentence -> sentence.tags().stream())
                .filter(tag::equals)
                .count();
    }
}
