package io.gradus.train.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.gradus.autograd.Variable;
import io.gradus.core.Device;
import io.gradus.core.Tensor;
import io.gradus.data.Batches.Batch;
import io.gradus.data.EmbeddingExample;
import io.gradus.data.serve.Pooling;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The loss of pairs, compared with PyTorch; {@code generate.py} beside the fixture made it. */
class SimilarityLossTest {
    private static final Path FIXTURE = Path.of("src/test/fixtures/embeddings/losses.json");
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Device CPU = Device.cpu();

    @ParameterizedTest
    @ValueSource(strings = {"pairs", "pairs, first token", "triplets", "some negatives", "scores"})
    void lossAndGradientsAreThoseOfPyTorch(String name) throws IOException {
        JsonNode expected = JSON.readTree(FIXTURE.toFile()).path(name);
        int[] shape = JSON.convertValue(expected.get("shape"), int[].class);
        int[] exampleOfRow = JSON.convertValue(expected.get("example_of_row"), int[].class);
        int examples = exampleOfRow[exampleOfRow.length - 1] + 1;
        boolean scored = !expected.get("scores").isNull();
        Tensor mask = Tensor.of(CPU, JSON.convertValue(expected.get("mask"), int[].class), shape[0], shape[1]);
        Tensor targets = scored
                ? Tensor.of(CPU, JSON.convertValue(expected.get("scores"), float[].class), examples)
                : Tensor.of(CPU, IntStream.range(0, examples).toArray(), examples);
        Batch batch = new Batch(
                mask, targets, examples, null, null, mask, null, null, Tensor.of(CPU, exampleOfRow, shape[0]));
        Variable states = Variable.parameter(
                "states",
                Tensor.of(CPU, JSON.convertValue(expected.get("states"), float[].class), shape[0], shape[1], shape[2]));
        Pooling pooling = Pooling.valueOf(expected.get("pooling").asText().toUpperCase(Locale.ROOT));
        Variable loss = new SimilarityLoss(pooling, scored).sum(states, batch);
        loss.backward();
        assertThat(loss.item()).isCloseTo(expected.get("loss").doubleValue(), within(1e-5));
        assertThat(Objects.requireNonNull(states.grad()).toDoubles())
                .containsExactly(JSON.convertValue(expected.get("gradient"), double[].class), within(1e-5));
    }

    // ---- ranks ----

    private static EmbeddingExample pair(String anchor, String positive) {
        return new EmbeddingExample(anchor, positive, null, null);
    }

    private static Map<String, Double> scores(List<EmbeddingExample> pairs, double[][] anchors, double[][] positives) {
        return RetrievalScores.of(pairs, anchors, positives).metrics();
    }

    @Test
    void recallAndReciprocalRankCountNearerCandidates() {
        List<EmbeddingExample> pairs = List.of(pair("a", "b"), pair("c", "d"), pair("e", "f"));
        double[][] anchors = {{1, 0}, {0, 1}, {1, 0}};
        double[][] positives = {{1, 0}, {0, 1}, {0.6, 0.8}}; // the last is nearer to its anchor than one other
        assertThat(scores(pairs, anchors, positives))
                .containsEntry("recall_at_1", 2 / 3.0)
                .containsEntry("mrr", (1 + 1 + 1 / 2.0) / 3);
    }

    @Test
    void equalVectorsFindNothing() {
        List<EmbeddingExample> pairs = List.of(pair("a", "b"), pair("c", "d"));
        double[][] equal = {{1, 0}, {1, 0}};
        assertThat(scores(pairs, equal, equal))
                .containsEntry("recall_at_1", 0.0)
                .containsEntry("mrr", 0.5);
    }

    @Test
    void otherPositivesOfTheSameAnchorAreNotWrong() {
        List<EmbeddingExample> pairs = List.of(pair("a", "b"), pair("a", "d"), pair("c", "d"));
        double[][] equal = {{1, 0}, {1, 0}, {1, 0}};
        assertThat(scores(pairs, equal, equal)).containsEntry("mrr", (1 / 2.0 + 1 + 1 / 2.0) / 3);
    }
}
