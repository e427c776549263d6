package io.gradus.cli.report;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.nn.model.llama.LlamaConfig;
import io.gradus.train.FineTuning;
import io.gradus.train.memory.Comparison;
import io.gradus.train.recipe.Recipe;
import java.io.StringReader;
import java.util.List;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.xml.sax.InputSource;

/** Tests the memory chart of one model with different settings. */
class MemoryChartTest {
    private final List<Comparison.Row> rows = Comparison.of(
            Recipe.defaults(), recipe -> FineTuning.plan(recipe, LlamaConfig.of(257, 32, 64, 2, 2, 2, 256), false));

    @Test
    void chartIsASelfContainedSvg() throws Exception {
        String svg = MemoryChart.svg("a < b & c", rows);
        Document document =
                DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(new InputSource(new StringReader(svg)));
        assertThat(
                        document.getDocumentElement().getNamespaceURI() == null
                                ? document.getDocumentElement().getAttribute("xmlns")
                                : document.getDocumentElement().getNamespaceURI())
                .isEqualTo("http://www.w3.org/2000/svg");
        assertThat(svg)
                .contains("a &lt; b &amp; c", "AdamW, F32", "class='weights'", "class='optimizer'", "<style>")
                .doesNotContain("NaN", "<script", "href");
        TextBoxes.assertReadable(svg);
    }
}
