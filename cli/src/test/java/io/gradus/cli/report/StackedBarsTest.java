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
                .contains("<rect class='weights' x='120.00' y='84' width='171.50'")
                .contains("<rect class='gradients' x='292.50' y='84' width='516.50'")
                .contains("<rect class='weights' x='120.00' y='120' width='171.50'")
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

    @Test
    void longNamesAndTitlesDoNotReachTheBars() throws Exception {
        String name = "AdamW, mixed, checkpointing, loss in chunks";
        String svg = new StackedBars(
                        "Peak memory to train /home/me/models/" + "a".repeat(200),
                        List.of(
                                new Bar(name, List.of(new Part("weights", 1000), new Part("gradients", 3000))),
                                new Bar("m".repeat(100), List.of(new Part("weights", 1), new Part("gradients", 3))),
                                new Bar("漢字".repeat(50), List.of(new Part("weights", 4000), new Part("gradients", 1)))))
                .svg();
        assertThat(svg).contains(name + "<").contains("<title>" + "m".repeat(100) + "</title>");
        TextBoxes.assertReadable(svg);
    }

    @Test
    void thinPartsAreVisible() {
        String svg = new StackedBars(
                        "Memory",
                        List.of(new Bar("one", List.of(new Part("weights", 1), new Part("gradients", 1_000_000)))))
                .svg();
        assertThat(svg).contains("<rect class='weights' x='120.00' y='84' width='0.75'");
    }
}
