package io.gradus.nn.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.gradus.autograd.Autograd;
import io.gradus.autograd.Variable;
import io.gradus.core.Tensor;
import io.gradus.nn.Given;
import io.gradus.nn.model.PretrainedModel.Input;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A batch of texts with padding gives the results and the gradients of each text by itself, and zeros for padding. */
class UnpaddedEncoderTest {
    private static final double TOLERANCE = 1e-4;
    private static final int VOCABULARY = 11;
    private static final int LENGTH = 9;
    private static final Labels LABELS = Labels.of("no", "yes", "perhaps");
    private static final List<Head> HEADS = List.of(
            new Head.None(),
            new Head.LanguageModeling(),
            new Head.SequenceClassification(LABELS),
            new Head.TokenClassification(LABELS));

    /** The tokens of each text: some, one, as many as a row has, none, and some. */
    private static final int[] LENGTHS = {5, 1, LENGTH, 0, 7};

    /** Each family of encoders with each head; ModernBERT with a window, and with both ways of pooling. */
    static List<PretrainedModel> models() throws IOException {
        List<PretrainedModel> models = new ArrayList<>();
        for (String family : ConfigTableTest.families().toList()) {
            ObjectNode changes = new ObjectMapper()
                    .createObjectNode()
                    .put("vocab_size", VOCABULARY)
                    .put("type_vocab_size", 2)
                    .put("local_attention", 4);
            for (String pooling : family.equals("modernbert") ? List.of("cls", "mean") : List.of("cls")) {
                changes.put("classifier_pooling", pooling);
                ConfigJson json = ConfigJson.parse(ConfigFixture.of(family).config(changes));
                ModelConfig config = ModelFamily.of(json).read(json);
                if (config.architecture(new Head.LanguageModeling()).endsWith("ForMaskedLM")) {
                    HEADS.forEach(head -> models.add(Given.randomized(config.build(Given.weights(), head))));
                }
            }
        }
        return models;
    }

    @ParameterizedTest
    @MethodSource("models")
    void textsOfABatchHaveTheResultsAndGradientsOfSingleOnes(PretrainedModel model) {
        model.eval();
        boolean ofSequences = model.head() instanceof Head.SequenceClassification;
        int[] ids = numbers(i -> (i * 7 + i / 3) % VOCABULARY);
        int[] types = numbers(i -> i % LENGTH / 5);
        int[] mask = numbers(i -> i % LENGTH < LENGTHS[i / LENGTH] ? 1 : 0);
        Map<String, double[]> gradients = new HashMap<>();
        List<double[]> alone = new ArrayList<>();
        for (int text = 0; text < LENGTHS.length; text++) {
            int from = text * LENGTH;
            int to = from + LENGTHS[text];
            if (from == to) {
                alone.add(new double[0]);
                continue;
            }
            Input input = Input.padded(
                    Tensor.of(Arrays.copyOfRange(ids, from, to), 1, to - from),
                    null,
                    Tensor.of(Arrays.copyOfRange(types, from, to), 1, to - from));
            Variable result = model.forward(input);
            alone.add(result.value().toDoubles());
            backward(model, result, ofSequences ? text : from);
            model.namedParameters()
                    .forEach((name, parameter) -> gradients.merge(name, gradient(parameter), UnpaddedEncoderTest::sum));
        }

        Variable together = model.forward(Input.padded(rows(ids), rows(mask), rows(types)));
        double[] results = together.value().toDoubles();
        int width = Math.toIntExact(together.shape().last());
        int ofText = (ofSequences ? 1 : LENGTH) * width;
        assertThat(results).hasSize(LENGTHS.length * ofText);
        for (int text = 0; text < LENGTHS.length; text++) {
            double[] own = Arrays.copyOfRange(results, text * ofText, (text + 1) * ofText);
            double[] expected = alone.get(text);
            assertClose("text " + text, Arrays.copyOf(own, expected.length), expected, 0);
            if (model.head() instanceof Head.None) {
                assertThat(Arrays.copyOfRange(own, expected.length, own.length)).containsOnly(zeros(own, expected));
            }
        }
        backward(model, together, 0);
        double largest = gradients.values().stream()
                .flatMapToDouble(Arrays::stream)
                .map(Math::abs)
                .max()
                .orElseThrow();
        model.namedParameters()
                .forEach((name, parameter) ->
                        assertClose(name, gradient(parameter), gradients.get(name), 0.01 * largest));
    }

    private static Double[] zeros(double[] own, double[] expected) {
        return own.length == expected.length ? new Double[0] : new Double[] {0.0};
    }

    /** Padding on the left stays, and its results have no meaning. */
    @ParameterizedTest
    @MethodSource("models")
    void otherPaddingIsHiddenFromTheTexts(PretrainedModel model) {
        model.eval();
        if (model.head() instanceof Head.SequenceClassification) {
            return; // reads the first token of a row
        }
        int[] ids = {3, 3, 5, 9, 4};
        int[] positions = {0, 0, 0, 1, 2};
        Variable padded = Autograd.noGrad(() -> model.forward(new Input(
                Tensor.of(ids, 1, 5),
                Tensor.of(positions, 1, 5),
                Tensor.of(new int[] {0, 0, 1, 1, 1}, 1, 5),
                null,
                null)));
        Variable alone = Autograd.noGrad(() -> model.forward(Input.of(Tensor.of(new int[] {5, 9, 4}, 1, 3))));
        double[] all = padded.value().toDoubles();
        assertClose(
                "text",
                Arrays.copyOfRange(all, all.length * 2 / 5, all.length),
                alone.value().toDoubles(),
                0);
    }

    private static int[] numbers(IntUnaryOperator number) {
        return IntStream.range(0, LENGTHS.length * LENGTH).map(number).toArray();
    }

    private static Tensor rows(int[] numbers) {
        return Tensor.of(numbers, LENGTHS.length, LENGTH);
    }

    /**
     * Gradients of a weighted sum, in which padding and the text without tokens do not count.
     *
     * @param from the first row of the result, among those of the batch
     */
    private static void backward(PretrainedModel model, Variable result, int from) {
        model.parameters().forEach(Variable::clearGrad);
        int width = Math.toIntExact(result.shape().last());
        boolean ofSequences = result.shape().rank() == 2;
        float[] weights = new float[Math.toIntExact(result.shape().size())];
        for (int i = 0; i < weights.length; i++) {
            int row = from + i / width;
            boolean counts = ofSequences ? LENGTHS[row] > 0 : row % LENGTH < LENGTHS[row / LENGTH];
            weights[i] = counts ? ((from * width + i) * 13 % 17 - 8) / 8f : 0;
        }
        result.multiply(Variable.constant(Tensor.of(weights, result.shape().toArray())))
                .sum()
                .backward();
    }

    private static double[] gradient(Variable parameter) {
        Tensor gradient = parameter.grad();
        return gradient == null ? new double[Math.toIntExact(parameter.shape().size())] : gradient.toDoubles();
    }

    private static double[] sum(double[] a, double[] b) {
        return IntStream.range(0, a.length).mapToDouble(i -> a[i] + b[i]).toArray();
    }

    /** @param least the difference is relative to this, or to the largest element: the gradient of a key's bias is 0 but for rounding */
    private static void assertClose(String name, double[] actual, double[] expected, double least) {
        double largest = Arrays.stream(expected).map(Math::abs).max().orElse(0);
        assertThat(actual).as(name).containsExactly(expected, within(TOLERANCE * Math.max(largest, least)));
    }
}
