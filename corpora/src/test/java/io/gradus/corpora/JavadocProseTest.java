package io.gradus.corpora;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class JavadocProseTest {

    private static List<String> read(String source) {
        return JavadocProse.paragraphs(List.of(new JavaSources.File("a/Thing.java", source)))
                .getFirst();
    }

    private static List<String> readComment(String comment) {
        return read("package a;\n/** " + comment + " */\nclass Thing {}");
    }

    @Test
    void commentsOfClassFieldMethodAndNestedClassAreReadInOrder() {
        assertThat(read("""
            package a;
            // The sentence in a plain comment, which is not documentation at all.
            /** The sentence about the class, which is long enough to stay here. */
            class Thing {
                /** The sentence about the field, which is long enough to stay here. */
                int field;
                /** The sentence about the method, which is long enough to stay here. */
                void method() { /** The sentence in a body, which documents nothing at all here. */ }
                /** The sentence about the nested class, which is long enough to stay. */
                class Nested {}
            }
            """))
                .extracting(text -> text.split(",")[0])
                .containsExactly(
                        "The sentence about the class",
                        "The sentence about the field",
                        "The sentence about the method",
                        "The sentence about the nested class");
    }

    @Test
    void packageCommentIsRead() {
        var files = List.of(new JavaSources.File(
                "a/package-info.java",
                "/* Licence. */\n/** Classes that measure the width of things and report it. */\npackage a;"));
        assertThat(JavadocProse.paragraphs(files))
                .containsExactly(List.of("Classes that measure the width of things and report it."));
    }

    @Test
    void inlineTagsLinksAndEntitiesBecomeText() {
        assertThat(readComment("Calls {@link java.util.List#add(Object) add}, {@link java.util.Map.Entry#getKey()},"
                        + " {@link #width(int)} &amp; {@code a <b> c}, then returns"
                        + " &quot;<em>it</em>&quot;\u2019s value."))
                .containsExactly("Calls add, Map.Entry.getKey, width & a <b> c, then returns \"it\"'s value.");
    }

    @Test
    void paragraphsAndListItemsAreKeptAndCodeAndTablesDropped() {
        assertThat(readComment("""
            The first paragraph says something
             * that goes on in the next line.
             * <p>The second paragraph says more, as a paragraph should do:
             * <pre class="code">The code of the example is no prose at all, so it must go away.</pre>
             * <ul><li>An item of a list that is a whole sentence of its own stays.</ul>
             * <table><tr><td>The cell of a table is no prose, so it must go away as well.</td></tr></table>
             * @param x The parameter is described by something that looks like a sentence.
             * @return The value is described by something that looks like a sentence, too.
            """))
                .containsExactly(
                        "The first paragraph says something that goes on in the next line.",
                        "An item of a list that is a whole sentence of its own stays.");
    }

    @Test
    void fragmentsUrlsAndNonAsciiTextAreDropped() {
        assertThat(readComment("The short one.")).isEmpty();
        assertThat(readComment("a fragment that neither starts nor ends as a sentence would do"))
                .isEmpty();
        assertThat(readComment("The address of the page that has more about it is https://example.org/page."))
                .isEmpty();
        assertThat(readComment("The letter that stands for the ratio of circle and diameter is \u03C0, of course."))
                .isEmpty();
    }

    @Test
    void fileWithSyntaxErrorsGivesAnEmptyList() {
        var good = "/** The sentence about the class, which is long enough to stay here. */ class A {}";
        var files = List.of(
                new JavaSources.File("a/A.java", good),
                new JavaSources.File("a/B.java", "class { oh no"),
                new JavaSources.File("a/C.java", good));
        assertThat(JavadocProse.paragraphs(files)).extracting(List::size).containsExactly(1, 0, 1);
    }
}
