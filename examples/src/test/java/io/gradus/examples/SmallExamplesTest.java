package io.gradus.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The output of the two small examples. */
class SmallExamplesTest {

    @Test
    void threeLayerMlpWith4400WeightsChangesInEveryLayer() {
        String printed = printedBy(() -> ThreeLayerMlp.main(new String[0]));

        assertThat(printed).contains("parameters: 4400");
        assertThat(printed)
                .contains("[40, 30]")
                .contains("[40, 40]")
                .contains("4,800 bytes")
                .contains("6,400 bytes");
        Matcher norms = Pattern.compile("‖ΔW‖ = ([0-9.]+)").matcher(printed);
        assertThat(norms.results().map(found -> Double.parseDouble(found.group(1))))
                .hasSize(3)
                .allSatisfy(norm -> assertThat(norm).isGreaterThan(0.1));
    }

    @Test
    void neuronGradientsMatchHandComputation() {
        String printed = printedBy(() -> Backpropagation.main(new String[0]));

        Matcher rows =
                Pattern.compile("dy/d\\w+\\s+([+-][0-9.]+)\\s+([+-][0-9.]+)").matcher(printed);
        assertThat(rows.results())
                .hasSize(5)
                .allSatisfy(row -> assertThat(row.group(1)).isEqualTo(row.group(2)));
        assertThat(printed).contains("digraph").contains("tanh");
    }

    private static String printedBy(Runnable program) {
        PrintStream before = System.out;
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        System.setOut(new PrintStream(bytes, true, StandardCharsets.UTF_8));
        try {
            program.run();
        } finally {
            System.setOut(before);
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }
}
