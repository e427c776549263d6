package io.gradus.train.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Scores equal those of scikit-learn and SciPy; {@code fixtures/scores/generate.py} made the cases. */
class ScoresTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    private static List<JsonNode> cases(String kind) throws IOException {
        JsonNode all =
                JSON.readTree(Path.of("src/test/fixtures/scores/scores.json").toFile());
        return StreamSupport.stream(all.get(kind).spliterator(), false).toList();
    }

    static List<JsonNode> single() throws IOException {
        return cases("single");
    }

    @ParameterizedTest
    @MethodSource("single")
    void ofOneRightClassAgree(JsonNode expected) {
        double[][] logits = JSON.convertValue(expected.get("logits"), double[][].class);
        int[] actual = JSON.convertValue(expected.get("actual"), int[].class);
        int[] predicted = IntStream.range(0, actual.length)
                .map(i -> IntStream.range(0, logits[i].length)
                        .reduce(0, (best, c) -> logits[i][c] > logits[i][best] ? c : best))
                .toArray();
        Scores scores = ClassificationScores.single(names(expected), actual, predicted);
        assertMetrics(scores, expected, "accuracy", "macro_f1", "micro_f1", "matthews_correlation");
        assertClasses(scores, expected);
        assertThat(JSON.<JsonNode>valueToTree(scores.confusion())).isEqualTo(expected.get("confusion"));
        assertThat(Temperature.single(logits, actual))
                .isCloseTo(expected.get("temperature").doubleValue(), within(1e-6));
    }

    @Test
    void ofAnyNumberOfClassesAgree() throws IOException {
        JsonNode expected = cases("several").getFirst();
        double[][] logits = JSON.convertValue(expected.get("logits"), double[][].class);
        int[][] ones = JSON.convertValue(expected.get("actual"), int[][].class);
        boolean[][] actual = new boolean[ones.length][ones[0].length];
        boolean[][] predicted = new boolean[ones.length][ones[0].length];
        for (int i = 0; i < ones.length; i++) {
            for (int c = 0; c < ones[i].length; c++) {
                actual[i][c] = ones[i][c] == 1;
                predicted[i][c] = logits[i][c] > 0;
            }
        }
        Scores scores = ClassificationScores.several(names(expected), actual, predicted);
        assertMetrics(scores, expected, "accuracy", "macro_f1", "micro_f1");
        assertClasses(scores, expected);
        assertThat(Temperature.several(logits, actual))
                .isCloseTo(expected.get("temperature").doubleValue(), within(1e-6));
    }

    @Test
    void ofNumbersAgree() throws IOException {
        JsonNode expected = cases("regression").getFirst();
        Scores scores = RegressionScores.of(
                JSON.convertValue(expected.get("actual"), double[].class),
                JSON.convertValue(expected.get("predicted"), double[].class));
        assertMetrics(scores, expected, "pearson", "spearman", "mae");
    }

    @Test
    void correlationOfAConstantIsUndefined() {
        Scores scores = RegressionScores.of(new double[] {1, 2, 3}, new double[] {5, 5, 5});
        assertThat(scores.metrics().get("pearson")).isNaN();
        assertThat(scores.metrics().get("spearman")).isNaN();
    }

    @Test
    void temperatureOfLabelsThatAreAllPredictedIsTheLeast() {
        assertThat(Temperature.single(new double[][] {{1, 0}, {0, 2}}, new int[] {0, 1}))
                .isCloseTo(0.05, within(1e-9));
    }

    private static List<String> names(JsonNode expected) {
        return IntStream.range(0, expected.get("classes").intValue())
                .mapToObj(Integer::toString)
                .toList();
    }

    private static void assertMetrics(Scores scores, JsonNode expected, String... names) {
        assertThat(scores.metrics()).containsOnlyKeys(names);
        for (String name : names) {
            assertThat(scores.metrics().get(name))
                    .as(name)
                    .isCloseTo(expected.get(name).doubleValue(), within(1e-12));
        }
    }

    private static void assertClasses(Scores scores, JsonNode expected) {
        for (int c = 0; c < scores.classes().size(); c++) {
            ClassScore own = scores.classes().get(c);
            assertThat(own.precision())
                    .isCloseTo(expected.get("precision").get(c).doubleValue(), within(1e-12));
            assertThat(own.recall()).isCloseTo(expected.get("recall").get(c).doubleValue(), within(1e-12));
            assertThat(own.f1()).isCloseTo(expected.get("f1").get(c).doubleValue(), within(1e-12));
            assertThat(own.support()).isEqualTo(expected.get("support").get(c).intValue());
        }
    }
}
