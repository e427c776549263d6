package io.gradus.train.task;

import static io.gradus.train.task.TaskBatches.empty;

import io.gradus.autograd.Variable;
import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.data.Batches.Batch;
import io.gradus.data.Dataset;
import io.gradus.data.EmbeddingExample;
import io.gradus.data.EmbeddingExamples;
import io.gradus.data.ExampleEncoder;
import io.gradus.data.ExampleEncoder.Truncation;
import io.gradus.data.PaddedBatches;
import io.gradus.data.serve.EmbedderSettings;
import io.gradus.data.tokenizer.EncodedText;
import io.gradus.data.tokenizer.Tokenizer;
import io.gradus.nn.model.Head;
import io.gradus.nn.model.ModelConfig;
import io.gradus.nn.model.PretrainedModel;
import io.gradus.train.recipe.Recipe;
import io.gradus.train.recipe.RecipeException;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Trains a network without a head to turn texts into vectors whose cosines say how alike they are, a bi-encoder (Reimers &amp; Gurevych
 * 2019), from pairs that belong together or from pairs with a score: see {@link EmbeddingExamples} and {@link SimilarityLoss}.
 *
 * <p>The other texts of a batch are what a positive is compared with, so the loss depends on how pairs are divided into batches: N
 * processes do the same as one that accumulates N batches, and one batch of the N-fold size is something else.
 */
public final class Embeddings implements Task {

    /** Of an example with a negative. */
    private static final int MOST_TEXTS = 3;

    private final Recipe recipe;
    private final TaskExamples<EmbeddingExample> examples;
    private final EmbedderSettings settings;
    private final SimilarityLoss loss;
    private final int dimension;

    private Embeddings(
            Recipe recipe, TaskExamples<EmbeddingExample> examples, EmbedderSettings settings, int dimension) {
        this.recipe = recipe;
        this.examples = examples;
        this.settings = settings;
        this.loss = new SimilarityLoss(settings.pooling(), all(examples).anyMatch(example -> example.score() != null));
        this.dimension = dimension;
    }

    /**
     * Reads the pairs of a recipe.
     *
     * @throws IOException if a file is missing or malformed
     * @throws RecipeException if only some pairs have a score, or a batch would have nothing to compare a positive with
     */
    public static Embeddings open(TaskSetting setting) throws IOException {
        setting.progress().accept("reading the text");
        EmbedderSettings settings =
                EmbedderSettings.saved(setting.base().path()).orElse(EmbedderSettings.of(0));
        Embeddings task = new Embeddings(
                setting.recipe(),
                TaskExamples.read(setting.recipe(), EmbeddingExamples::read, _ -> "pair"),
                settings,
                setting.base().config().hiddenSize());
        task.requireTrainable();
        return task;
    }

    /** A task without pairs, by which the memory of a recipe is planned: that of pairs without negatives. */
    public static Embeddings unread(Recipe recipe) {
        return new Embeddings(recipe, new TaskExamples<>(List.of(), List.of()), EmbedderSettings.of(0), 0);
    }

    private static Stream<EmbeddingExample> all(TaskExamples<EmbeddingExample> examples) {
        return Stream.concat(examples.training().stream(), examples.heldOut().stream());
    }

    private void requireTrainable() {
        if (loss.scored() && all(examples).anyMatch(example -> example.score() == null)) {
            throw new RecipeException("some pairs have a label and others are an anchor and a positive; task=embeddings"
                    + " trains with one kind: train twice, from the folder of the first run");
        }
        if (!loss.scored() && !hasNegatives() && recipe.batchSize() < 2) {
            throw new RecipeException("batch_size is 1, so that there is no other text from which task=embeddings could"
                    + " tell a positive; use 2 or more, such as 32, or data with negatives");
        }
    }

    private boolean hasNegatives() {
        return all(examples).anyMatch(example -> example.negative() != null);
    }

    @Override
    public Head head() {
        return new Head.None();
    }

    @Override
    public Batch largest(Device device, int rows, int length) {
        int all = Math.multiplyExact(rows, hasNegatives() ? MOST_TEXTS : 2);
        Shape shape = Shape.of(all, length);
        return new Batch(
                empty(device, shape),
                empty(device, loss.scored() ? DType.F32 : DType.I32, Shape.of(rows)),
                rows,
                null,
                null,
                empty(device, shape),
                null,
                null,
                empty(device, Shape.of(all)));
    }

    // ---- data ----

    @Override
    public Dataset dataset(Tokenizer tokenizer, ModelConfig config, int length) {
        ExampleEncoder encoder = new ExampleEncoder(tokenizer, length, Truncation.HEAD);
        return TaskBatches.of(
                recipe,
                config,
                length,
                encoder.pad(),
                examples.training(),
                examples.heldOut(),
                (pairs, settings) -> batches(pairs, encoder, config, settings));
    }

    private PaddedBatches batches(
            List<EmbeddingExample> pairs, ExampleEncoder encoder, ModelConfig config, PaddedBatches.Settings batches) {
        List<List<ExampleEncoder.Encoded>> encoded = pairs.stream()
                .map(pair -> Stream.of(pair.text(), pair.other(), pair.negative())
                        .filter(Objects::nonNull)
                        .map(text -> encoder.encode(settings.text(text), null))
                        .toList())
                .toList();
        warnOfTruncated(encoded, encoder.maxLength());
        List<List<EncodedText>> rows = encoded.stream()
                .map(texts ->
                        texts.stream().map(text -> text.windows().getFirst()).toList())
                .toList();
        TaskBatches.requireKnown(rows.stream().flatMap(List::stream), config);
        return PaddedBatches.ofWindows(rows, (chosen, _, device) -> targets(pairs, chosen, device), batches);
    }

    private Tensor targets(List<EmbeddingExample> pairs, int[] chosen, Device device) {
        if (!loss.scored()) {
            return Tensor.of(device, IntStream.range(0, chosen.length).toArray(), chosen.length);
        }
        float[] scores = new float[chosen.length];
        for (int i = 0; i < chosen.length; i++) {
            scores[i] =
                    (float) Objects.requireNonNull(pairs.get(chosen[i]).score()).doubleValue();
        }
        return Tensor.of(device, scores, scores.length);
    }

    private static void warnOfTruncated(List<List<ExampleEncoder.Encoded>> pairs, int length) {
        long truncated = pairs.stream()
                .flatMap(List::stream)
                .filter(ExampleEncoder.Encoded::truncated)
                .count();
        if (truncated > 0) {
            System.getLogger(Embeddings.class.getName())
                    .log(
                            Level.WARNING,
                            "{0} texts of {1} examples are longer than max_seq_len, {2}; their ends are left out",
                            truncated,
                            pairs.size(),
                            length);
        }
    }

    // ---- loss and scores ----

    @Override
    public Variable lossSum(PretrainedModel model, Variable hiddenStates, Batch batch) {
        return loss.sum(hiddenStates, batch);
    }

    /** For each pair its score and its cosine; without scores, the vectors of its anchor and of its positive. */
    @Override
    public double[] observe(PretrainedModel model, Variable hiddenStates, Batch batch) {
        SimilarityLoss.Vectors vectors = loss.vectors(hiddenStates, batch);
        int pairs = Math.toIntExact(batch.counted());
        double[] firsts;
        double[] seconds;
        if (loss.scored()) {
            firsts = batch.targets().toDoubles();
            seconds = SimilarityLoss.cosines(vectors).value().toDoubles();
        } else {
            firsts = vectors.anchors().value().toDoubles();
            seconds = vectors.candidates().slice(0, 0, pairs).value().toDoubles();
        }
        int each = firsts.length / pairs;
        double[] all = new double[2 * firsts.length];
        for (int pair = 0; pair < pairs; pair++) {
            System.arraycopy(firsts, pair * each, all, 2 * pair * each, each);
            System.arraycopy(seconds, pair * each, all, (2 * pair + 1) * each, each);
        }
        return all;
    }

    @Override
    public Scores score(List<double[]> observed) {
        double[] all = observed.stream().flatMapToDouble(Arrays::stream).toArray();
        int pairs = examples.heldOut().size();
        int each = all.length / (2 * pairs);
        double[][] firsts = new double[pairs][];
        double[][] seconds = new double[pairs][];
        for (int pair = 0; pair < pairs; pair++) {
            firsts[pair] = Arrays.copyOfRange(all, 2 * pair * each, (2 * pair + 1) * each);
            seconds[pair] = Arrays.copyOfRange(all, (2 * pair + 1) * each, 2 * (pair + 1) * each);
        }
        return loss.scored()
                ? RegressionScores.of(numbers(firsts), numbers(seconds))
                : RetrievalScores.of(examples.heldOut(), firsts, seconds);
    }

    private static double[] numbers(double[][] rows) {
        return Arrays.stream(rows).mapToDouble(row -> row[0]).toArray();
    }

    @Override
    public Map<String, Boolean> metrics() {
        return loss.scored()
                ? Map.of(RegressionScores.PEARSON, true, RegressionScores.SPEARMAN, true, RegressionScores.MAE, false)
                : Map.of(RetrievalScores.RECALL_AT_1, true, RetrievalScores.MRR, true);
    }

    // ---- the saved model ----

    /** Writes a folder of sentence-transformers. */
    @Override
    public void save(Path folder, int length, Scores heldOut) throws IOException {
        new EmbedderSettings(settings.pooling(), settings.normalize(), length, settings.lowerCase(), settings.prompt())
                .write(folder, dimension);
    }

    @Override
    public List<String> describe() {
        List<String> lines = new ArrayList<>();
        long negatives =
                all(examples).filter(example -> example.negative() != null).count();
        lines.add((loss.scored() ? "pairs of texts with a score: " : "anchors with a positive: ")
                + examples.training().size() + " to train on, "
                + examples.heldOut().size() + " held out"
                + (negatives > 0 ? "; " + negatives + " of them with a negative" : ""));
        lines.add("pooling: " + settings.pooling() + (settings.normalize() ? ", vectors of length 1" : ""));
        return lines;
    }
}
