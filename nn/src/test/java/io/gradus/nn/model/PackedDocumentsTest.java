package io.gradus.nn.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.gradus.autograd.CrossEntropyOptions;
import io.gradus.autograd.Reduction;
import io.gradus.autograd.Variable;
import io.gradus.autograd.op.CrossEntropy;
import io.gradus.core.Tensor;
import io.gradus.nn.Given;
import io.gradus.nn.model.PretrainedModel.Input;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Documents that share a row give the same results as documents in rows of their own. */
class PackedDocumentsTest {
    private static final double TOLERANCE = 1e-5;
    private static final int VOCABULARY = 11;
    private static final int WIDTH = 13;

    /** The lengths of the documents of each row; a row is 13 tokens long. */
    private static final List<List<Integer>> ROWS = List.of(List.of(5, 1, 7), List.of(13), List.of(3, 10));

    /** One of each family of decoders, with a window where it has any. */
    static List<LanguageModel> models() throws IOException {
        List<LanguageModel> models = new ArrayList<>();
        for (String family : ConfigTableTest.families().toList()) {
            ObjectNode changes = new ObjectMapper().createObjectNode().put("vocab_size", VOCABULARY);
            changes.put("sliding_window", 4).put("use_sliding_window", true).put("max_window_layers", 1);
            ConfigJson json = ConfigJson.parse(ConfigFixture.of(family).config(changes));
            ModelConfig config = ModelFamily.of(json).read(json);
            if (!config.architecture(new Head.LanguageModeling()).endsWith("ForMaskedLM")) {
                models.add(Given.randomized(config.build(Given.weights())));
            }
        }
        return models;
    }

    @ParameterizedTest
    @MethodSource("models")
    void packedDocumentsHaveTheLogitsAndGradientsOfSingleOnes(LanguageModel model) {
        int[] ids = IntStream.range(0, ROWS.size() * WIDTH)
                .map(i -> (i * 7 + i / 3) % VOCABULARY)
                .toArray();
        int[] targets = IntStream.range(0, ids.length)
                .map(i -> i % 4 == 1 ? CrossEntropy.IGNORE_INDEX : i * 5 % VOCABULARY)
                .toArray();
        double[] logits = new double[ids.length * VOCABULARY];
        Map<String, double[]> gradients = new HashMap<>();
        int from = 0;
        for (List<Integer> row : ROWS) {
            for (int length : row) {
                Variable alone = model.forward(Input.of(slice(ids, from, length)));
                System.arraycopy(alone.value().toDoubles(), 0, logits, from * VOCABULARY, length * VOCABULARY);
                backward(model, alone, Arrays.copyOfRange(targets, from, from + length));
                add(model, gradients);
                from += length;
            }
        }

        Variable packed = model.forward(Input.packed(
                Tensor.of(ids, ROWS.size(), WIDTH), Tensor.of(positions(), ROWS.size(), WIDTH), documentStarts()));
        assertClose("logits", packed.value().toDoubles(), logits);
        backward(model, packed, targets);
        model.namedParameters()
                .forEach((name, parameter) -> assertClose(name, parameter.grad().toDoubles(), gradients.get(name)));
    }

    /** Relative to the largest element. */
    private static void assertClose(String name, double[] actual, double[] expected) {
        double largest = Arrays.stream(expected).map(Math::abs).max().orElseThrow();
        assertThat(actual).as(name).containsExactly(expected, within(TOLERANCE * largest));
    }

    @ParameterizedTest
    @MethodSource("models")
    void withoutDocumentStartsAttentionCrossesDocuments(LanguageModel model) {
        Tensor ids =
                Tensor.of(IntStream.range(0, 3 * WIDTH).map(i -> i % VOCABULARY).toArray(), 3, WIDTH);
        Tensor positions = Tensor.of(positions(), 3, WIDTH);
        float[] packed = model.forward(Input.packed(ids, positions, documentStarts()))
                .value()
                .toFloats();
        float[] seeing =
                model.forward(new Input(ids, positions, null, null)).value().toFloats();
        int first = Arrays.mismatch(packed, seeing);
        assertThat(first / VOCABULARY).as("the second document's first token").isEqualTo(5);
    }

    private static Tensor slice(int[] ids, int from, int length) {
        return Tensor.of(Arrays.copyOfRange(ids, from, from + length), 1, length);
    }

    private static int[] positions() {
        return ROWS.stream()
                .flatMapToInt(row -> row.stream().flatMapToInt(length -> IntStream.range(0, length)))
                .toArray();
    }

    private static Tensor documentStarts() {
        int[] positions = positions();
        int[] first = IntStream.range(0, positions.length)
                .map(i -> i % WIDTH - positions[i])
                .toArray();
        return Tensor.of(first, ROWS.size(), WIDTH);
    }

    private static void backward(LanguageModel model, Variable logits, int[] targets) {
        model.parameters().forEach(Variable::clearGrad);
        logits.crossEntropy(Tensor.of(targets, targets.length), CrossEntropyOptions.of(Reduction.SUM))
                .backward();
    }

    private static void add(LanguageModel model, Map<String, double[]> sums) {
        model.namedParameters().forEach((name, parameter) -> {
            double[] gradient = parameter.grad().toDoubles();
            sums.merge(
                    name,
                    gradient,
                    (a, b) -> IntStream.range(0, a.length)
                            .mapToDouble(i -> a[i] + b[i])
                            .toArray());
        });
    }
}
