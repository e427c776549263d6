package io.gradus.train.task;

import static io.gradus.train.task.TaskBatches.empty;

import io.gradus.autograd.CrossEntropyOptions;
import io.gradus.autograd.Reduction;
import io.gradus.autograd.Variable;
import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.data.Batches.Batch;
import io.gradus.data.Dataset;
import io.gradus.data.ExampleEncoder;
import io.gradus.data.ExampleEncoder.Truncation;
import io.gradus.data.LabeledExample;
import io.gradus.data.PaddedBatches;
import io.gradus.data.WindowPooling;
import io.gradus.data.serve.ClassifierSettings;
import io.gradus.data.tokenizer.EncodedText;
import io.gradus.data.tokenizer.Tokenizer;
import io.gradus.nn.Losses;
import io.gradus.nn.model.Head;
import io.gradus.nn.model.Labels;
import io.gradus.nn.model.ModelConfig;
import io.gradus.nn.model.PretrainedModel;
import io.gradus.nn.model.ProblemType;
import io.gradus.train.recipe.Recipe;
import io.gradus.train.recipe.RecipeException;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Classifies texts, or pairs of texts. The loss of an example is
 *
 * <ul>
 *   <li>the cross-entropy of its class;
 *   <li>with any number of classes, the mean of the binary cross-entropies of all classes;
 *   <li>for numbers, the squared error.
 * </ul>
 *
 * <p>With class weights, the first is multiplied by the weight of the class, and of the second the part of classes that apply
 * ({@code pos_weight} of PyTorch). Unlike in PyTorch, the mean divides by the number of examples, not by the sum of the weights, so
 * it does not depend on how examples are split into batches.
 */
public final class SequenceClassification implements Task {
    private final Recipe recipe;
    private final Labels labels;
    private final List<LabeledExample> training;
    private final List<LabeledExample> heldOut;
    private final float @Nullable [] weights;

    /**
     * Reads the examples of a recipe.
     *
     * @throws IOException if a file is missing or malformed
     * @throws RecipeException if the labels do not fit the recipe
     */
    public static SequenceClassification open(TaskSetting setting) throws IOException {
        setting.progress().accept("reading the text");
        ClassificationData data = ClassificationData.read(setting.recipe());
        Labels labels = data.labels(setting.base());
        return new SequenceClassification(setting.recipe(), labels, data);
    }

    private SequenceClassification(Recipe recipe, Labels labels, ClassificationData data) {
        this.recipe = recipe;
        this.labels = labels;
        this.training = data.training();
        this.heldOut = data.heldOut();
        this.weights = ClassWeights.of(recipe.classification().classWeights(), labels, training);
    }

    /** A task without examples, by which the memory of a recipe is planned: with two classes. */
    public static SequenceClassification unread(Recipe recipe) {
        ProblemType given = recipe.classification().problemType();
        ProblemType type = given == null ? ProblemType.SINGLE_LABEL_CLASSIFICATION : given;
        Labels labels = new Labels(type == ProblemType.REGRESSION ? List.of("0") : List.of("0", "1"), type);
        Recipe unweighted = recipe.with("classification.class_weights=null");
        return new SequenceClassification(unweighted, labels, new ClassificationData(recipe, List.of(), List.of()));
    }

    @Override
    public Head head() {
        return new Head.SequenceClassification(labels);
    }

    private boolean hasPairs() {
        return Stream.concat(training.stream(), heldOut.stream()).anyMatch(example -> example.pair() != null);
    }

    private boolean isSingle() {
        return labels.problemType() == ProblemType.SINGLE_LABEL_CLASSIFICATION;
    }

    @Override
    public Batch largest(Device device, int rows, int length) {
        boolean windows = recipe.classification().truncation() == Truncation.WINDOWS;
        int all = Math.multiplyExact(rows, windows ? Truncation.MOST_WINDOWS : 1);
        Shape shape = Shape.of(all, length);
        return new Batch(
                empty(device, shape),
                isSingle() ? empty(device, Shape.of(rows)) : empty(device, DType.F32, Shape.of(rows, labels.size())),
                rows,
                null,
                null,
                empty(device, shape),
                hasPairs() ? empty(device, shape) : null,
                null,
                windows ? empty(device, Shape.of(all)) : null);
    }

    // ---- data ----

    @Override
    public Dataset dataset(Tokenizer tokenizer, ModelConfig config, int length) throws IOException {
        ExampleEncoder encoder =
                new ExampleEncoder(tokenizer, length, recipe.classification().truncation());
        return TaskBatches.of(
                recipe,
                config,
                length,
                encoder.pad(),
                new Encoded(training, encode("training text", training, encoder, config)),
                new Encoded(heldOut, encode("held-out text", heldOut, encoder, config)),
                (encoded, settings) -> batches(encoded.windows, encoded.examples, settings));
    }

    /** Examples with the windows of each. */
    private record Encoded(List<LabeledExample> examples, List<List<EncodedText>> windows) {}

    private static List<List<EncodedText>> encode(
            String name, List<LabeledExample> examples, ExampleEncoder encoder, ModelConfig config) {
        List<ExampleEncoder.Encoded> encoded = examples.stream()
                .map(example -> encoder.encode(example.text(), example.pair()))
                .toList();
        TaskBatches.requireKnown(encoded.stream().flatMap(each -> each.windows().stream()), config);
        long truncated =
                encoded.stream().filter(ExampleEncoder.Encoded::truncated).count();
        if (truncated > 0) {
            System.getLogger(SequenceClassification.class.getName())
                    .log(
                            Level.WARNING,
                            "{0}: {1} of {2} examples are longer than max_seq_len, {3}; of these, classification.truncation"
                                    + " keeps {4}",
                            name,
                            truncated,
                            examples.size(),
                            encoder.maxLength(),
                            encoder.truncation());
        }
        return encoded.stream().map(ExampleEncoder.Encoded::windows).toList();
    }

    private PaddedBatches batches(
            List<List<EncodedText>> rows, List<LabeledExample> examples, PaddedBatches.Settings settings) {
        if (isSingle()) {
            int[] classes = examples.stream()
                    .mapToInt(example -> labels.id(example.labels().getFirst()))
                    .toArray();
            return PaddedBatches.ofWindows(
                    rows,
                    (chosen, _, device) -> Tensor.of(
                            device,
                            Arrays.stream(chosen).map(row -> classes[row]).toArray(),
                            chosen.length),
                    settings);
        }
        float[][] numbers = examples.stream().map(this::numbers).toArray(float[][]::new);
        return PaddedBatches.ofWindows(
                rows,
                (chosen, _, device) -> {
                    float[] all = new float[chosen.length * labels.size()];
                    for (int i = 0; i < chosen.length; i++) {
                        System.arraycopy(numbers[chosen[i]], 0, all, i * labels.size(), labels.size());
                    }
                    return Tensor.of(device, all, chosen.length, labels.size());
                },
                settings);
    }

    private float[] numbers(LabeledExample example) {
        if (labels.problemType() == ProblemType.REGRESSION) {
            return new float[] {Float.parseFloat(example.labels().getFirst())};
        }
        float[] applies = new float[labels.size()];
        example.labels().forEach(label -> applies[labels.id(label)] = 1);
        return applies;
    }

    // ---- the loss ----

    @Override
    public Variable lossSum(PretrainedModel model, Variable hiddenStates, Batch batch) {
        Variable pooled = WindowPooling.mean(hiddenStates, batch);
        double smoothing = recipe.classification().labelSmoothing();
        if (isSingle()) {
            CrossEntropyOptions options = CrossEntropyOptions.of(Reduction.SUM).withLabelSmoothing(smoothing);
            boolean weighted = weights != null && batch.ids().backend().hasElements();
            return weighted
                    ? Losses.crossEntropy(model.logits(pooled), batch.targets(), weights(model.device()), options)
                    : model.crossEntropy(pooled, batch.targets(), options, 0);
        }
        Variable logits = model.logits(pooled).to(DType.F32);
        Variable targets = Variable.constant(batch.targets());
        return labels.problemType() == ProblemType.REGRESSION
                ? Losses.mseLoss(logits, targets, Reduction.SUM)
                : Losses.binaryCrossEntropyWithLogits(
                                logits,
                                smoothing == 0
                                        ? targets
                                        : targets.multiply(1 - smoothing).add(smoothing / 2),
                                weights == null ? null : weights(model.device()),
                                Reduction.SUM)
                        .divide(labels.size());
    }

    private Tensor weights(Device device) {
        float[] each = weights == null ? new float[0] : weights;
        return Tensor.of(device, each, each.length);
    }

    // ---- scores ----

    /** For each example its targets, then its logits. */
    @Override
    public double[] observe(PretrainedModel model, Variable hiddenStates, Batch batch) {
        double[] logits =
                model.logits(WindowPooling.mean(hiddenStates, batch)).value().toDoubles();
        double[] targets = batch.targets().toDoubles();
        int rows = Math.toIntExact(batch.counted());
        int ofTargets = targets.length / rows;
        int ofLogits = logits.length / rows;
        double[] all = new double[targets.length + logits.length];
        for (int row = 0; row < rows; row++) {
            int at = row * (ofTargets + ofLogits);
            System.arraycopy(targets, row * ofTargets, all, at, ofTargets);
            System.arraycopy(logits, row * ofLogits, all, at + ofTargets, ofLogits);
        }
        return all;
    }

    @Override
    public Scores score(List<double[]> observed) {
        int ofTargets = isSingle() ? 1 : labels.size();
        List<double[]> targets = new ArrayList<>();
        List<double[]> logits = new ArrayList<>();
        for (double[] batch : observed) {
            for (int at = 0; at < batch.length; at += ofTargets + labels.size()) {
                targets.add(Arrays.copyOfRange(batch, at, at + ofTargets));
                logits.add(Arrays.copyOfRange(batch, at + ofTargets, at + ofTargets + labels.size()));
            }
        }
        double[][] scores = logits.toArray(double[][]::new);
        return switch (labels.problemType()) {
            case SINGLE_LABEL_CLASSIFICATION -> {
                int[] actual = targets.stream().mapToInt(each -> (int) each[0]).toArray();
                int[] predicted = logits.stream()
                        .mapToInt(SequenceClassification::largest)
                        .toArray();
                yield ClassificationScores.single(labels.names(), actual, predicted)
                        .with(Temperature.NAME, Temperature.single(scores, actual));
            }
            case MULTI_LABEL_CLASSIFICATION -> {
                boolean[][] actual =
                        targets.stream().map(each -> above(each, 0.5)).toArray(boolean[][]::new);
                boolean[][] predicted =
                        logits.stream().map(each -> above(each, 0)).toArray(boolean[][]::new);
                yield ClassificationScores.several(labels.names(), actual, predicted)
                        .with(Temperature.NAME, Temperature.several(scores, actual));
            }
            case REGRESSION ->
                RegressionScores.of(
                        targets.stream().mapToDouble(each -> each[0]).toArray(),
                        logits.stream().mapToDouble(each -> each[0]).toArray());
        };
    }

    private static int largest(double[] logits) {
        return IntStream.range(0, logits.length).reduce(0, (best, i) -> logits[i] > logits[best] ? i : best);
    }

    private static boolean[] above(double[] values, double limit) {
        boolean[] above = new boolean[values.length];
        for (int i = 0; i < values.length; i++) {
            above[i] = values[i] > limit;
        }
        return above;
    }

    @Override
    public Map<String, Boolean> metrics() {
        return switch (labels.problemType()) {
            case SINGLE_LABEL_CLASSIFICATION ->
                Map.of(
                        ClassificationScores.ACCURACY,
                        true,
                        ClassificationScores.MACRO_F1,
                        true,
                        ClassificationScores.MICRO_F1,
                        true,
                        ClassificationScores.MATTHEWS,
                        true);
            case MULTI_LABEL_CLASSIFICATION ->
                Map.of(
                        ClassificationScores.ACCURACY,
                        true,
                        ClassificationScores.MACRO_F1,
                        true,
                        ClassificationScores.MICRO_F1,
                        true);
            case REGRESSION ->
                Map.of(RegressionScores.PEARSON, true, RegressionScores.SPEARMAN, true, RegressionScores.MAE, false);
        };
    }

    // ---- the saved model ----

    @Override
    public void save(Path folder, int length, Scores heldOut) throws IOException {
        double temperature = heldOut.metrics().getOrDefault(Temperature.NAME, 1.0);
        new ClassifierSettings(length, recipe.classification().truncation(), temperature).write(folder);
    }

    @Override
    public List<String> describe() {
        List<String> lines = new ArrayList<>();
        boolean pairs = hasPairs();
        lines.add(labels.problemType().key() + " of " + (pairs ? "pairs of texts" : "texts") + ": " + training.size()
                + " examples to train on, " + heldOut.size() + " held out");
        Recipe.Data data = recipe.data();
        lines.add("columns: text " + data.textColumn()
                + (pairs
                        ? ", second text " + (data.textPairColumn() == null ? "text_pair" : data.textPairColumn())
                        : "")
                + ", label " + (data.labelColumn() == null ? "label or labels" : data.labelColumn()));
        if (labels.problemType() == ProblemType.REGRESSION) {
            return lines;
        }
        for (String label : labels.names()) {
            lines.add("label " + label + ": " + count(training, label) + " to train on, " + count(heldOut, label)
                    + " held out" + (weights == null ? "" : ", weight " + weights[labels.id(label)]));
        }
        return lines;
    }

    private static long count(List<LabeledExample> examples, String label) {
        return examples.stream()
                .filter(example -> example.labels().contains(label))
                .count();
    }
}
