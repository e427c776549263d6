package io.gradus.bench.cases;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.bench.cases.GemmCases.Form;
import org.junit.jupiter.api.Test;

class GemmCasesTest {

    @Test
    void thirtyFourDistinctShapes() {
        assertThat(GemmCases.forms()).hasSize(34).doesNotHaveDuplicates();
    }

    @Test
    void fourShapesHaveAVocabularyEdge() {
        assertThat(GemmCases.forms().stream().filter(Form::hasVocabularyEdge).map(Form::name))
                .containsExactly("head 256", "head 1024", "dW head 256", "dW head 1024");
        assertThat(GemmCases.hasVocabularyEdge("head 256 NT")).isTrue();
        assertThat(GemmCases.hasVocabularyEdge("dX head 256 NN")).isFalse();
    }
}
