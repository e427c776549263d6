package io.gradus.cli.report;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.cli.report.Panels.Panel;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class PanelsTest {

    @Test
    void lossPanelHasRawAndSmoothedLossAndEvaluations() {
        Panel losses = panels(300).getFirst();
        assertThat(losses.wide()).contains("class='raw'", "class='training'", "class='heldout'", "class='general'");
        assertThat(losses.legend())
                .extracting(Panels.Key::style)
                .containsExactly("raw", "training", "heldout", "general", "baseline");
        assertThat(losses.wide()).contains("Training loss: ", "at step 1,", "at step 300.");
    }

    @Test
    void shortRunsAreNotSmoothed() {
        Panel losses = panels(12).getFirst();
        assertThat(losses.wide()).contains("class='training'").doesNotContain("class='raw'");
        assertThat(losses.legend())
                .extracting(Panels.Key::style)
                .containsExactly("training", "heldout", "general", "baseline");
    }

    @Test
    void panelsOfALongRunStaySmall() {
        int characters = panels(100_000).stream()
                .mapToInt(panel -> panel.wide().length() + panel.narrow().length())
                .sum();
        assertThat(characters).isLessThan(200_000);
    }

    @Test
    void svgIdsAreUnique() {
        List<Panel> panels = panels(20);
        assertThat(panels).hasSize(4);
        assertThat(panels.stream()
                        .flatMap(panel -> List.of(panel.wide(), panel.narrow()).stream())
                        .map(svg -> svg.replaceAll("(?s).*?<svg class='chart' id='([^']*)'.*", "$1")))
                .doesNotHaveDuplicates()
                .contains("loss", "loss-narrow", "speed-narrow");
    }

    private static List<Panel> panels(int steps) {
        Random random = new Random(2);
        Metrics metrics = new Metrics(new TreeMap<>(), new LinkedHashMap<>(), new TreeMap<>());
        for (int step = 1; step <= steps; step++) {
            metrics.steps().put(step, new Metrics.Step(2 + random.nextGaussian(), 1e-4, random.nextDouble(), 64, 1000));
        }
        metrics.evaluations()
                .putAll(Map.of(
                        "held_out",
                        new TreeMap<>(Map.of(0, 4.0, steps, 2.0)),
                        "general",
                        new TreeMap<>(Map.of(0, 1.0, steps, 1.5))));
        return new Panels(metrics, steps).all();
    }
}
