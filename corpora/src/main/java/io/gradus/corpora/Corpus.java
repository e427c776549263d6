package io.gradus.corpora;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * The built-in corpora. Their texts come from pinned Maven dependencies, so pre-training and fine-tuning need no separate
 * download and no data files. One corpus is English prose. The other is Java code from a library that the first does not use.
 *
 * <p>A document is the text of one Java file. Every twentieth file of each jar is held out as a whole. No paragraph of prose
 * occurs twice, and no held-out paragraph occurs in training, so a held-out loss measures generalization and not
 * memorization. The same jars always give the same documents in the same order.
 */
public enum Corpus {

    /** The Javadoc of well-known libraries, about 6 MB, for pre-training. */
    PROSE(
            "English prose (Javadoc of Spring, Guava, Lucene and Joda-Time)",
            spring("aop", "aop/Advisor"),
            spring("beans", "beans/BeanUtils"),
            spring("context", "context/ApplicationContext"),
            spring("core", "core/SpringVersion"),
            spring("jdbc", "jdbc/core/JdbcTemplate"),
            spring("messaging", "messaging/Message"),
            spring("orm", "orm/jpa/JpaTransactionManager"),
            spring("test", "test/context/TestContext"),
            spring("tx", "transaction/TransactionManager"),
            spring("web", "web/bind/annotation/RequestMapping"),
            spring("webflux", "web/reactive/DispatcherHandler"),
            spring("webmvc", "web/servlet/DispatcherServlet"),
            new Artifact(
                    "com.google.guava:guava:jar:sources:33.4.8-jre", "com/google/common/collect/ImmutableList.java"),
            new Artifact("joda-time:joda-time:jar:sources:2.14.0", "org/joda/time/DateTime.java"),
            new Artifact(
                    "org.apache.lucene:lucene-core:jar:sources:10.2.2", "org/apache/lucene/index/IndexWriter.java")) {
        @Override
        List<List<String>> paragraphs(List<JavaSources.File> files) {
            return JavadocProse.paragraphs(files);
        }
    },

    /** The code of Apache Commons Collections without comments, about 1 MB, for fine-tuning. */
    CODE(
            "Java code (Apache Commons Collections)",
            new Artifact(
                    "org.apache.commons:commons-collections4:jar:sources:4.5.0",
                    "org/apache/commons/collections4/BidiMap.java")) {
        @Override
        List<List<String>> paragraphs(List<JavaSources.File> files) {
            return files.stream().map(file -> List.of(JavaCode.of(file.text()))).toList();
        }
    };

    /**
     * A pinned {@code -sources} jar.
     *
     * @param coordinates {@code group:artifact:jar:sources:version}
     * @param knownFile a file that only this jar contains, used to find the jar on the class path
     */
    public record Artifact(String coordinates, String knownFile) {}

    private static final int HELD_OUT_EVERY = 20;

    private final String title;
    private final List<Artifact> artifacts;

    Corpus(String title, Artifact... artifacts) {
        this.title = title;
        this.artifacts = List.of(artifacts);
    }

    /** Returns the name of this corpus in reports. */
    public String title() {
        return title;
    }

    /** Returns the jars that this corpus is read from. */
    public List<Artifact> artifacts() {
        return artifacts;
    }

    /**
     * Returns the training documents.
     *
     * @throws IllegalStateException if a jar is missing; the message names its Maven artifact
     */
    public List<String> training() {
        var seen = new HashSet<String>();
        documents(read(true), seen);
        return documents(read(false), seen);
    }

    /**
     * Returns the held-out documents. Reads only their files, one twentieth of the corpus.
     *
     * @throws IllegalStateException if a jar is missing; the message names its Maven artifact
     */
    public List<String> heldOut() {
        return documents(read(true), new HashSet<>());
    }

    /** Splits the text of each file into paragraphs. */
    abstract List<List<String>> paragraphs(List<JavaSources.File> files);

    private List<JavaSources.File> read(boolean heldOut) {
        var chosen = new ArrayList<JavaSources.File>();
        for (Artifact artifact : artifacts) {
            var files = JavaSources.onClassPath(artifact.coordinates(), artifact.knownFile())
                    .files();
            for (int i = 0; i < files.size(); i++) {
                if (heldOut == (i % HELD_OUT_EVERY == HELD_OUT_EVERY - 1)) {
                    chosen.add(files.get(i));
                }
            }
        }
        return chosen;
    }

    private List<String> documents(List<JavaSources.File> files, Set<String> seen) {
        return paragraphs(files).stream()
                .map(paragraphs -> String.join("\n\n", unseen(paragraphs, seen)))
                .filter(document -> !document.isEmpty())
                .toList();
    }

    /** Removes repeated paragraphs. Compares only letters: overloads repeat comments with other numbers or punctuation. */
    private static List<String> unseen(Collection<String> paragraphs, Set<String> seen) {
        return paragraphs.stream()
                .filter(paragraph -> seen.add(paragraph.replaceAll("[^A-Za-z]", "")))
                .toList();
    }

    private static Artifact spring(String module, String knownClass) {
        return new Artifact(
                "org.springframework:spring-" + module + ":jar:sources:6.2.8",
                "org/springframework/" + knownClass + ".java");
    }
}
