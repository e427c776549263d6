package io.gradus.data.serve;

import io.gradus.autograd.Autograd;
import io.gradus.autograd.Variable;
import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.Scope;
import io.gradus.data.Batches.Batch;
import io.gradus.data.ExampleEncoder;
import io.gradus.data.PaddedBatches;
import io.gradus.data.WindowPooling;
import io.gradus.data.tokenizer.EncodedText;
import io.gradus.data.tokenizer.Tokenizer;
import io.gradus.nn.model.Head;
import io.gradus.nn.model.Labels;
import io.gradus.nn.model.ModelFolder;
import io.gradus.nn.model.PretrainedModel;
import io.gradus.nn.model.ProblemType;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Classifies texts with a fine-tuned model. Thread-safe: threads may share one classifier.
 *
 * {@snippet :
 * Classifier classifier = Classifier.load(Path.of("reviews"));
 * Prediction prediction = classifier.classify("A film to remember.");
 * System.out.println(prediction.label() + " " + prediction.scores()); // positive {negative=0.02, positive=0.98}
 * List<Prediction> many = classifier.classify(List.of("Dull.", "Brilliant!"));
 * }
 */
public final class Classifier {

    private final PretrainedModel model;
    private final Labels labels;
    private final ExampleEncoder encoder;
    private final double temperature;

    private Classifier(PretrainedModel model, Labels labels, ExampleEncoder encoder, double temperature) {
        this.model = model;
        this.labels = labels;
        this.encoder = encoder;
        this.temperature = temperature;
        model.eval();
    }

    /** {@link #load(Path, Device)} on the CPU. */
    public static Classifier load(Path folder) throws IOException {
        return load(folder, Device.cpu());
    }

    /**
     * Loads a folder with a classifier of sequences: its {@code architectures} end in {@code ForSequenceClassification}.
     *
     * @throws IOException if it does not hold one, or a file is missing or malformed
     */
    public static Classifier load(Path folder, Device device) throws IOException {
        ModelFolder saved = ModelFolder.open(folder);
        if (!(saved.savedHead() instanceof Head.SequenceClassification head)) {
            throw new IOException(folder + " does not hold a classifier of texts: its config.json names no architecture"
                    + " that ends in ForSequenceClassification. Train one with task=sequence_classification");
        }
        PretrainedModel model = saved.withHead(head).loadModel(device, DType.F32);
        ClassifierSettings settings = ClassifierSettings.read(folder, model.contextLength());
        ExampleEncoder encoder =
                new ExampleEncoder(Tokenizer.load(folder), settings.maxLength(), settings.truncation());
        return new Classifier(model, head.labels(), encoder, settings.temperature());
    }

    /** The labels, and what the scores of a text mean. */
    public Labels labels() {
        return labels;
    }

    /** Classifies a text. */
    public Prediction classify(String text) {
        return classify(text, null);
    }

    /** Classifies a pair of texts. */
    public Prediction classify(String text, @Nullable String pair) {
        return predict(List.of(encode(text, pair))).getFirst();
    }

    /** Classifies texts, several at a time. */
    public List<Prediction> classify(List<String> texts) {
        return classifyPairs(texts.stream().map(text -> new Pair(text, null)).toList());
    }

    /** A text, and perhaps a second one. */
    public record Pair(String text, @Nullable String second) {}

    /** Classifies pairs of texts, several at a time. Texts of like lengths go together, so that few tokens are padding. */
    public List<Prediction> classifyPairs(List<Pair> pairs) {
        List<List<EncodedText>> encoded =
                pairs.stream().map(pair -> encode(pair.text, pair.second)).toList();
        return LengthBatches.map(encoded, windows -> windows.getFirst().ids().length, this::predict);
    }

    private List<EncodedText> encode(String text, @Nullable String pair) {
        return encoder.encode(text, pair).windows();
    }

    private List<Prediction> predict(List<List<EncodedText>> texts) {
        try (Scope _ = Scope.open("classify")) {
            Batch batch = PaddedBatches.input(texts, encoder.pad(), model.device());
            Variable scores =
                    Autograd.noGrad(() -> model.logits(WindowPooling.mean(model.hiddenStates(batch.input()), batch)));
            double[] logits = scores.value().toDoubles();
            List<Prediction> predictions = new ArrayList<>();
            for (int row = 0; row < texts.size(); row++) {
                double[] own = new double[labels.size()];
                System.arraycopy(logits, row * own.length, own, 0, own.length);
                predictions.add(prediction(own));
            }
            return predictions;
        }
    }

    private Prediction prediction(double[] logits) {
        double[] scores = scores(logits);
        Map<String, Double> named = new LinkedHashMap<>();
        int best = 0;
        for (int i = 0; i < scores.length; i++) {
            named.put(labels.names().get(i), scores[i]);
            best = scores[i] > scores[best] ? i : best;
        }
        String label = labels.names().get(best);
        return new Prediction(
                label,
                labels.problemType() == ProblemType.MULTI_LABEL_CLASSIFICATION
                        ? named.entrySet().stream()
                                .filter(each -> each.getValue() > 0.5)
                                .map(Map.Entry::getKey)
                                .toList()
                        : List.of(label),
                named);
    }

    private double[] scores(double[] logits) {
        double[] scores = logits.clone();
        if (labels.problemType() == ProblemType.REGRESSION) {
            return scores;
        }
        boolean several = labels.problemType() == ProblemType.MULTI_LABEL_CLASSIFICATION;
        double largest = Double.NEGATIVE_INFINITY;
        for (double logit : logits) {
            largest = Math.max(largest, logit / temperature);
        }
        double sum = 0;
        for (int i = 0; i < scores.length; i++) {
            double scaled = logits[i] / temperature;
            scores[i] = several ? 1 / (1 + Math.exp(-scaled)) : Math.exp(scaled - largest);
            sum += scores[i];
        }
        for (int i = 0; i < scores.length && !several; i++) {
            scores[i] /= sum;
        }
        return scores;
    }
}
