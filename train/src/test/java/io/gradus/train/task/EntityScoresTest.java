package io.gradus.train.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.gradus.data.Entity;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Entities and their scores equal those of seqeval; {@code fixtures/scores/entities.py} made the cases. */
class EntityScoresTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    static List<JsonNode> cases() throws IOException {
        JsonNode all =
                JSON.readTree(Path.of("src/test/fixtures/scores/entities.json").toFile());
        return StreamSupport.stream(all.spliterator(), false).toList();
    }

    private static List<List<String>> sentences(JsonNode tags) {
        return Arrays.stream(JSON.convertValue(tags, String[][].class))
                .map(List::of)
                .toList();
    }

    @ParameterizedTest
    @MethodSource("cases")
    void entitiesEqualThoseOfSeqeval(JsonNode expected) {
        List<List<String>> sentences = sentences(expected.get("actual"));
        for (int i = 0; i < sentences.size(); i++) {
            List<Entity> wanted = new ArrayList<>();
            for (JsonNode each : expected.get("entities").get(i)) {
                wanted.add(new Entity(
                        each.get(0).textValue(),
                        each.get(1).intValue(),
                        each.get(2).intValue()));
            }
            assertThat(Entity.of(sentences.get(i))).as("%s", sentences.get(i)).isEqualTo(wanted);
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void scoresEqualThoseOfSeqeval(JsonNode expected) {
        Scores scores = EntityScores.of(sentences(expected.get("actual")), sentences(expected.get("predicted")));
        assertThat(scores.metrics()).containsOnlyKeys("entity_f1", "entity_precision", "entity_recall", "accuracy");
        scores.metrics()
                .forEach((name, value) ->
                        assertThat(value).as(name).isCloseTo(expected.get(name).doubleValue(), within(1e-12)));
        assertThat(scores.classes()).hasSize(expected.get("types").size());
        for (ClassScore type : scores.classes()) {
            double[] wanted = JSON.convertValue(expected.get("types").get(type.label()), double[].class);
            assertThat(new double[] {type.precision(), type.recall(), type.f1(), type.support()})
                    .as(type.label())
                    .containsExactly(wanted, within(1e-12));
        }
    }

    @Test
    void sentencesWithoutEntitiesScoreZero() {
        Scores scores = EntityScores.of(List.of(List.of("O")), List.of(List.of("O")));
        assertThat(scores.metrics()).containsEntry("entity_f1", 0.0).containsEntry("accuracy", 1.0);
        assertThat(scores.classes()).isEmpty();
    }
}
