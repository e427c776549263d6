package io.gradus.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.data.Document.PromptCompletion;
import io.gradus.data.Document.Text;
import java.util.Collection;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class SplitTest {
    private static String join(Collection<Document> documents) {
        return documents.stream().map(document -> ((Text) document).text()).collect(Collectors.joining());
    }

    @Test
    void singleTextIsSplitAtALineNearItsEnd() {
        String text = IntStream.range(0, 1000).mapToObj(i -> "line " + i + "\n").collect(Collectors.joining());
        Split split = Split.of(List.of(new Text(text)), 0.1);
        assertThat(split.training()).hasSize(1);
        assertThat(split.heldOut()).hasSize(1);
        assertThat(join(split.training()) + join(split.heldOut())).isEqualTo(text);
        assertThat(join(split.heldOut()))
                .startsWith("line ")
                .hasSizeBetween(text.length() / 10, text.length() / 10 + 10);
    }

    @Test
    void textWithoutLinesIsSplitBetweenCharacters() {
        String text = "😀".repeat(101);
        Split split = Split.of(List.of(new Text(text)), 0.25);
        assertThat(join(split.training()) + join(split.heldOut())).isEqualTo(text);
        assertThat(join(split.heldOut())).startsWith("😀").hasSizeBetween(50, 52);
    }

    @Test
    void lastPartOfFewTextsIsHeldOut() {
        Split split =
                Split.of(List.of(new Text("a".repeat(500)), new Text("b".repeat(490)), new Text("c".repeat(10))), 0.2);
        assertThat(split.training()).containsExactly(new Text("a".repeat(500)), new Text("b".repeat(300)));
        assertThat(split.heldOut()).containsExactly(new Text("b".repeat(190)), new Text("c".repeat(10)));
    }

    @Test
    void evenlySpacedDocumentsAreHeldOut() {
        List<Document> documents = IntStream.range(0, 1000)
                .<Document>mapToObj(i -> new PromptCompletion("p" + i, "c"))
                .toList();
        for (double part : new double[] {0.001, 0.05, 0.1, 0.3, 0.9}) {
            Split split = Split.of(documents, part);
            assertThat(split.heldOut()).hasSize((int) Math.round(1000 * part)).isSubsetOf(documents);
            assertThat(split.training())
                    .hasSize(1000 - split.heldOut().size())
                    .doesNotContainAnyElementsOf(split.heldOut());
            assertThat(Split.of(documents, part).heldOut()).containsExactlyElementsOf(split.heldOut());
        }
        assertThat(Split.of(documents, 0.1).heldOut())
                .startsWith(new PromptCompletion("p9", "c"), new PromptCompletion("p19", "c"));
    }

    @Test
    void splitWithAnEmptySideIsRejected() {
        List<Document> one = List.of(new PromptCompletion("p", "c"));
        assertThatThrownBy(() -> Split.of(one, 0.1)).hasMessageContaining("of 1 documents is less than one");
        assertThatThrownBy(() -> Split.of(List.of(new Text("ab")), 0.1)).hasMessageContaining("to evaluate on");
        assertThatThrownBy(() -> Split.of(List.of(new Text(" ".repeat(50) + "x")), 0.1))
                .hasMessageContaining("to train on");
        for (double part : new double[] {0, 1, -0.5, Double.NaN}) {
            assertThatThrownBy(() -> Split.of(one, part))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("data.validation_split is " + part);
        }
    }
}
