package io.gradus.cli.report;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.train.RunResult;
import io.gradus.train.recipe.Recipe.TaskKind;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class RemarksTest {

    @Test
    void remarksReportLearningAndForgetting() {
        assertThat(remarks(losses(5, 3, 2), losses(1, 1.2, 1.5)))
                .satisfiesExactly(
                        learned -> assertThat(learned).contains("better than before"),
                        forgot -> assertThat(forgot).contains("forgot some"));
    }

    @Test
    void remarksReportWorseAndUnchangedModels() {
        assertThat(remarks(losses(2, 3), losses(1, 0.9)))
                .satisfiesExactly(
                        worse -> assertThat(worse).contains("became worse"),
                        kept -> assertThat(kept).contains("no forgetting was measured"));
        assertThat(remarks(losses(2, 2.001), losses(1, 1.001)))
                .satisfiesExactly(
                        same -> assertThat(same).contains("about as good"),
                        kept -> assertThat(kept).contains("no forgetting was measured"));
    }

    @Test
    void remarksNameTheStepOfTheLowestLoss() {
        assertThat(remarks(losses(5, 2, 3), losses(1, 1)))
                .anySatisfy(remark -> assertThat(remark).contains("2.000, at step 1;"));
    }

    @Test
    void remarksReportThatTheBestWeightsWereSaved() {
        assertThat(remarks(losses(5, 2, 3), losses(1, 1.25, 2), 1))
                .satisfiesExactly(
                        learned -> assertThat(learned).contains("better than before"),
                        best -> assertThat(best).contains("at step 1;", "are the ones saved"),
                        forgot -> assertThat(forgot).contains("rose (1.000 → 1.250 nats, +25.0%)"));
    }

    @Test
    void remarksSkipNonFiniteLossesAndReportUnmeasuredForgetting() {
        assertThat(remarks(losses(Double.NaN, Double.NaN), losses()))
                .satisfiesExactly(remark -> assertThat(remark).contains("not measured", "data.general"));
    }

    private static List<String> remarks(SortedMap<Integer, Double> heldOut, SortedMap<Integer, Double> general) {
        return remarks(heldOut, general, 100);
    }

    private static List<String> remarks(
            SortedMap<Integer, Double> heldOut, SortedMap<Integer, Double> general, int saved) {
        RunResult result =
                new RunResult(Path.of("."), 100, Map.of(), Map.of(), 0, 0, saved, 0, Map.of(), OptionalLong.empty());
        return Remarks.of(
                new Metrics(new TreeMap<>(), Map.of("held_out", heldOut, "general", general), new TreeMap<>()),
                Standing.finished(result),
                TaskKind.LANGUAGE_MODELING);
    }

    private static SortedMap<Integer, Double> losses(double... values) {
        SortedMap<Integer, Double> losses = new TreeMap<>();
        for (double value : values) {
            losses.put(losses.size(), value);
        }
        return losses;
    }
}
