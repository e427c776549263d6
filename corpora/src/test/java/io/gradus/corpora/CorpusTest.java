package io.gradus.corpora;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.List;
import org.junit.jupiter.api.Test;

class CorpusTest {

    private static int characters(List<String> documents) {
        return documents.stream().mapToInt(String::length).sum();
    }

    @Test
    void artifactsArePinnedJarsOnTheClassPath() {
        for (Corpus corpus : Corpus.values()) {
            for (var artifact : corpus.artifacts()) {
                String[] parts = artifact.coordinates().split(":");
                assertThat(CorpusTest.class.getClassLoader().getResource(artifact.knownFile()))
                        .as(artifact.coordinates())
                        .isNotNull()
                        .asString()
                        .contains(parts[1] + "-" + parts[4] + "-" + parts[3] + ".jar!");
            }
        }
    }

    @Test
    void proseHasNoMarkupAndHeldOutParagraphsAreNotInTraining() {
        List<String> training = Corpus.PROSE.training();
        List<String> heldOut = Corpus.PROSE.heldOut();
        assertThat(characters(training)).isBetween(5_000_000, 7_000_000);
        assertThat(characters(heldOut)).isBetween(200_000, 500_000);
        assertThat(training.getFirst()).startsWith("Tag interface for Advice.");

        var seen = new HashSet<String>();
        for (String document : training) {
            assertProse(document);
            seen.addAll(List.of(document.split("\n\n")));
        }
        for (String document : heldOut) {
            assertProse(document);
            assertThat(seen).doesNotContain(document.split("\n\n"));
        }
    }

    private static void assertProse(String document) {
        assertThat(document)
                .doesNotContain("{@", "<p>", "</", "@param ", "@return ")
                .doesNotContainIgnoringCase("licensed under")
                .matches("[\\n -~]+");
    }

    @Test
    void codeHasNoCommentsAndHeldOutFilesAreNotInTraining() {
        List<String> training = Corpus.CODE.training();
        List<String> heldOut = Corpus.CODE.heldOut();
        assertThat(characters(training)).isBetween(900_000, 1_200_000);
        assertThat(characters(heldOut)).isBetween(40_000, 120_000);
        assertThat(training).doesNotContainAnyElementsOf(heldOut);
        for (var documents : List.of(training, heldOut)) {
            assertThat(documents)
                    .allSatisfy(document -> assertThat(document)
                            .containsPattern("\\b(class|interface|enum)\\b")
                            .doesNotContain("/*", "\nimport ", "\npackage ", "Licensed to")
                            .matches("[\\n -~]+"));
        }
    }

    @Test
    void repeatedReadsReturnTheSameText() {
        var code = Corpus.CODE.training();
        var prose = Corpus.PROSE.heldOut();
        assertThat(Corpus.CODE.training()).isEqualTo(code);
        assertThat(Corpus.PROSE.heldOut()).isEqualTo(prose);
    }
}
