package io.gradus.train;

import io.gradus.autograd.Autograd;
import io.gradus.autograd.CrossEntropyOptions;
import io.gradus.autograd.Reduction;
import io.gradus.autograd.Variable;
import io.gradus.autograd.op.CrossEntropy;
import io.gradus.core.Scope;
import io.gradus.core.Tensor;
import io.gradus.data.LabelTemplate;
import io.gradus.data.LabeledText;
import io.gradus.data.TokenizedDocument;
import io.gradus.data.tokenizer.Tokenizer;
import io.gradus.nn.NonFinite;
import io.gradus.nn.NonFiniteException;
import io.gradus.nn.model.LanguageModel;
import io.gradus.nn.model.PretrainedModel.Input;
import io.gradus.train.TrainingListener.Progress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * The accuracy of a language model as a classifier. It predicts the label that most likely follows the prompt: for each label,
 * the log-probabilities of its tokens and of the end of the text are summed, and the largest sum wins (on a tie, the label that
 * sorts first). Nothing is generated. Texts that exceed the context length lose their beginning.
 *
 * @param correct the number of texts whose label was predicted
 * @param total the number of texts
 */
public record LabelAccuracy(int correct, int total) {

    /** From 0 to 1. */
    public double value() {
        return (double) correct / total;
    }

    /** {@link #of(LanguageModel, Tokenizer, Collection, LabelTemplate, int, Consumer)} without a consumer of its progress. */
    public static LabelAccuracy of(
            LanguageModel model,
            Tokenizer tokenizer,
            Collection<LabeledText> texts,
            LabelTemplate template,
            int batchSize) {
        return of(model, tokenizer, texts, template, batchSize, _ -> {});
    }

    /**
     * Measures the accuracy.
     *
     * @param texts at least one
     * @param template how texts and labels were written in training
     * @param batchSize rows per forward pass, each a text with one label; the result does not depend on it, except for rounding
     * @param progress called before each forward pass
     * @throws IllegalArgumentException if there is no text, or only one label
     * @throws NonFiniteException if a loss is NaN or infinite; names the weight or the layer
     */
    public static LabelAccuracy of(
            LanguageModel model,
            Tokenizer tokenizer,
            Collection<LabeledText> texts,
            LabelTemplate template,
            int batchSize,
            Consumer<Progress> progress) {
        List<String> labels =
                texts.stream().map(LabeledText::label).distinct().sorted().toList();
        if (labels.size() < 2) {
            throw new IllegalArgumentException(
                    "accuracy: the texts have the labels " + labels + "; at least two are needed");
        }
        if (batchSize < 1) {
            throw new IllegalArgumentException("batch_size is " + batchSize + "; it must be at least 1");
        }
        model.eval();
        Iterator<TokenizedDocument> rows = texts.stream()
                .flatMap(text -> labels.stream().map(label -> template.of(new LabeledText(text.text(), label))))
                .map(candidate -> end(TokenizedDocument.of(candidate, tokenizer), model.contextLength() + 1))
                .iterator();
        double[] losses = new double[Math.multiplyExact(texts.size(), labels.size())];
        for (int from = 0; from < losses.length; from += batchSize) {
            progress.accept(new Progress("predicting labels", from, losses.length));
            List<TokenizedDocument> batch = new ArrayList<>();
            while (batch.size() < batchSize && rows.hasNext()) {
                batch.add(rows.next());
            }
            System.arraycopy(losses(model, batch), 0, losses, from, batch.size());
        }
        int correct = 0;
        int first = 0; // of the rows of a text
        for (LabeledText text : texts) {
            int best = 0;
            for (int j = 1; j < labels.size(); j++) {
                best = losses[first + j] < losses[first + best] ? j : best;
            }
            correct += labels.get(best).equals(text.label()) ? 1 : 0;
            first += labels.size();
        }
        return new LabelAccuracy(correct, texts.size());
    }

    /** The last tokens of a document. */
    private static TokenizedDocument end(TokenizedDocument document, int length) {
        int all = document.ids().length;
        int from = Math.max(0, all - length);
        return new TokenizedDocument(
                Arrays.copyOfRange(document.ids(), from, all), Arrays.copyOfRange(document.counts(), from, all));
    }

    /** The negative log-likelihood of the targets of each row. */
    private static double[] losses(LanguageModel model, List<TokenizedDocument> rows) {
        int length = rows.stream().mapToInt(row -> row.ids().length - 1).max().orElseThrow();
        int[] ids = new int[Math.multiplyExact(rows.size(), length)]; // padding follows all targets
        int[] targets = new int[ids.length];
        Arrays.fill(targets, CrossEntropy.IGNORE_INDEX);
        for (int r = 0; r < rows.size(); r++) {
            TokenizedDocument row = rows.get(r);
            int places = row.ids().length - 1;
            System.arraycopy(row.ids(), 0, ids, r * length, places);
            for (int i = 0; i < places; i++) {
                if (row.counts()[i + 1]) {
                    targets[r * length + i] = row.ids()[i + 1];
                }
            }
        }
        double[] losses = new double[rows.size()];
        try (Scope _ = Scope.open("accuracy")) {
            Tensor input = Tensor.of(model.device(), ids, rows.size(), length);
            Tensor wanted = Tensor.of(model.device(), targets, targets.length);
            Supplier<Variable> forward = () -> Autograd.noGrad(() -> model.crossEntropy(
                    model.hiddenStates(Input.of(input)), wanted, CrossEntropyOptions.of(Reduction.NONE), 0));
            double[] each = forward.get().value().toDoubles();
            for (int i = 0; i < each.length; i++) {
                losses[i / length] += targets[i] == CrossEntropy.IGNORE_INDEX ? 0 : each[i];
            }
            if (!Arrays.stream(losses).allMatch(Double::isFinite)) {
                throw new NonFiniteException(
                        "accuracy: the loss of a label is not finite: " + NonFinite.cause(model, forward));
            }
        }
        return losses;
    }

    /** As {@code 81.33 % (867 of 1,066 texts)}. */
    @Override
    public String toString() {
        return String.format(Locale.ROOT, "%.2f %% (%,d of %,d texts)", 100 * value(), correct, total);
    }
}
