package io.gradus.corpora;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class JavaSourcesTest {

    private static final Corpus.Artifact ARTIFACT = Corpus.CODE.artifacts().getFirst();

    @Test
    void javaFilesAreSortedByPath() {
        var sources = JavaSources.onClassPath(ARTIFACT.coordinates(), ARTIFACT.knownFile());
        assertThat(sources.files()).hasSizeGreaterThan(300);
        assertThat(sources.files())
                .extracting(JavaSources.File::path)
                .isSorted()
                .contains(ARTIFACT.knownFile());
        assertThat(sources.files()).allSatisfy(file -> {
            assertThat(file.path()).endsWith(".java").doesNotStartWith("META-INF");
            assertThat(file.text()).contains("package org.apache.commons.collections4");
        });
    }

    @Test
    void repeatedReadsReturnTheSameFiles() {
        assertThat(JavaSources.onClassPath(ARTIFACT.coordinates(), ARTIFACT.knownFile()))
                .isEqualTo(JavaSources.onClassPath(ARTIFACT.coordinates(), ARTIFACT.knownFile()));
    }

    @Test
    void missingJarErrorNamesTheArtifact() {
        assertThatThrownBy(() -> JavaSources.onClassPath("org.example:thing:jar:sources:1.0", "org/example/Thing.java"))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("corpus: org/example/Thing.java is not on the class path;"
                        + " add the Maven artifact org.example:thing:jar:sources:1.0");
    }

    @Test
    void fileOutsideAJarThrows() {
        assertThatThrownBy(() -> JavaSources.onClassPath(
                        "org.example:thing:jar:sources:1.0", "io/gradus/corpora/JavaSourcesTest.class"))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("not inside a jar")
                .hasMessageContaining("org.example:thing:jar:sources:1.0");
    }
}
