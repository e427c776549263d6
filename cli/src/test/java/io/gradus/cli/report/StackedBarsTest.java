package io.gradus.cli.report;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.cli.report.StackedBars.Bar;
import io.gradus.cli.report.StackedBars.Part;
import java.util.List;
import org.junit.jupiter.api.Test;

class StackedBarsTest {

    @Test
    void partsAreAdjacentAndTheLongestBarFillsTheWidth() {
        String svg = new StackedBars(
                        "Memory",
                        List.of(
                                new Bar("one", List.of(new Part("weights", 1000), new Part("gradients", 3000))),
                                new Bar("two", List.of(new Part("weights", 1000), new Part("gradients", 0)))))
                .svg();
        assertThat(svg)
                .contains("<rect class='weights' x='250.00' y='84' width='140.00'")
                .contains("<rect class='gradients' x='390.00' y='84' width='420.00'")
                .contains("<rect class='weights' x='250.00' y='120' width='140.00'")
                .contains("<desc>one: 4.0 kB. two: 1.0 kB. </desc>")
                .contains(">0 B<", ">1.0 kB<", ">2.0 kB<", ">3.0 kB<", ">4.0 kB<");
        assertThat(svg.split("class='gradients'")).as("the legend and one bar").hasSize(3);
    }

    @Test
    void namesAreEscapedAndEmptyBarsHaveNoNan() {
        String svg = new StackedBars("<&>", List.of(new Bar("a & b", List.of(new Part("weights", 0))))).svg();
        assertThat(svg).contains("&lt;&amp;&gt;", "a &amp; b").doesNotContain("NaN", "Infinity");
        assertThat(new StackedBars("empty", List.of()).svg()).contains("empty").endsWith("</svg>\n");
    }
}
