package io.gradus.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.gradus.data.DataFormat.Kind;
import io.gradus.data.Document.PromptCompletion;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LabeledTextsTest {
    @TempDir
    private Path folder;

    private Path write(String name, String content) throws IOException {
        return Files.writeString(folder.resolve(name), content);
    }

    private void assertRefused(Path path, String... parts) {
        assertThatThrownBy(() -> LabeledTexts.read(path))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(path.toString())
                .hasMessageContainingAll(parts);
    }

    @Test
    void tableMayHaveAnyColumnOrderQuotesAndLineBreaks() throws IOException {
        Path file = write(
                "a.csv",
                "\uFEFFid,Label,text\r\n"
                        + "1,pos,\"good, \"\"very\"\" good\"\r\n\r\n"
                        + "2, neg ,\"two\n"
                        + "lines\"\r\n"
                        + "3,pos,naïve\r\n");
        assertThat(LabeledTexts.read(file))
                .containsExactly(
                        new LabeledText("good, \"very\" good", "pos"),
                        new LabeledText("two\nlines", "neg"),
                        new LabeledText("naïve", "pos"));
        assertThat(LabeledTexts.read(write("a.tsv", "text\tlabel\na, b\t1\n")))
                .containsExactly(new LabeledText("a, b", "1"));
    }

    @Test
    void extensionsOfLineFilesAreLabels() throws IOException {
        write("r.pos", "good .\n\nfine . \n");
        write("r.neg", "bad .");
        write(".hidden", "x");
        assertThat(LabeledTexts.read(folder))
                .containsExactly(
                        new LabeledText("bad .", "neg"),
                        new LabeledText("good .", "pos"),
                        new LabeledText("fine .", "pos"));
        write("t.csv", "text,label\na,b\n");
        assertThat(LabeledTexts.read(folder)).containsExactly(new LabeledText("a", "b"));
    }

    @Test
    void movieReviewSentencesAreRead() throws IOException {
        Path reviews = Path.of("../../shared/data/rt-polarity");
        assumeThat(reviews).as("the movie-review sentences").isDirectory();
        Collection<LabeledText> texts = LabeledTexts.read(reviews);
        assertThat(texts).hasSize(10_662);
        assertThat(texts.stream().filter(text -> text.label().equals("pos"))).hasSize(5_331);
        assertThat(texts).first().isEqualTo(new LabeledText("simplistic , silly and tedious .", "neg"));
    }

    @Test
    void labeledTextsBecomePromptsWithCompletions() throws IOException {
        Path file = write("a.csv", "label,text\npos,fun {label}\n");
        assertThat(Documents.read(file)).containsExactly(new PromptCompletion("fun {label}\nLabel:", " pos"));
        var format = new DataFormat(Kind.CSV, null, new LabelTemplate("Review: {text}. It is", " {label}!"));
        assertThat(Documents.read(file, format))
                .containsExactly(new PromptCompletion("Review: fun {label}. It is", " pos!"));
        write("r.neg", "bad");
        assertThat(Documents.read(folder.resolve("r.neg"), format))
                .containsExactly(new PromptCompletion("Review: bad. It is", " neg!"));
    }

    @Test
    void templateWithoutPlaceholderIsRejected() {
        assertThatThrownBy(() -> new LabelTemplate("no place", "{label}")).hasMessageContaining("must contain {text}");
        assertThatThrownBy(() -> new LabelTemplate("{text}", "label")).hasMessageContaining("must contain {label}");
        assertThatThrownBy(() -> new LabelTemplate("{text} {label}", "{label}")).hasMessageContaining("not {label}");
    }

    @Test
    void malformedTableIsRejectedWithLineAndColumn() throws IOException {
        assertRefused(write("1.csv", "text,class\na,b\n"), ":1:", "text and label", "[text, class]");
        assertRefused(write("2.csv", "text,label,text\na,b,c\n"), ":1:", "once each");
        assertRefused(write("3.csv", "text,label\na,b\nc\n"), ":3:", "1 columns", "header has 2");
        assertRefused(write("4.csv", "text,label\na,b,c\n"), ":2:", "3 columns", "double quotes");
        assertRefused(write("5.csv", "text,label\na,\n"), ":2: \"label\" must not be blank");
        assertRefused(write("6.csv", "text,label\n\" \",b\n"), ":2: \"text\"");
        assertRefused(write("7.csv", "text,label\n"), "a header but no rows");
        assertRefused(write("8.csv", "text,label\n\"a,b\nc"), "not CSV");
        assertRefused(write("9.csv", " \n"), "white space");
        assertRefused(write("noending", "a\n"), "named for its label");
        assertRefused(folder.resolve("nowhere.csv"), "no such file");
        assertRefused(Files.createDirectory(folder.resolve("empty")), "no .csv or .tsv file");
    }

    @Test
    void tsvTextThatBeginsWithAQuoteIsReadAsIs() throws IOException {
        assertThat(LabeledTexts.read(write("a.tsv", """
                text\tlabel
                First one here\tpos
                "Second begins with a quote\tneg
                Third "sentence" inside\tpos
                "Fourth"\tneg
                Fifth" it said\t"pos"
                """)))
                .containsExactly(
                        new LabeledText("First one here", "pos"),
                        new LabeledText("\"Second begins with a quote", "neg"),
                        new LabeledText("Third \"sentence\" inside", "pos"),
                        new LabeledText("\"Fourth\"", "neg"),
                        new LabeledText("Fifth\" it said", "\"pos\""));
    }

    @Test
    void otherColumnsMayHaveAnyNameOrNone() throws IOException {
        List<LabeledText> one = List.of(new LabeledText("a", "b"));
        assertThat(LabeledTexts.read(write("a.csv", ",text,label\n0,a,b\n"))).containsExactlyElementsOf(one);
        assertThat(LabeledTexts.read(write("b.csv", "text,label,\na,b,\n"))).containsExactlyElementsOf(one);
        assertThat(LabeledTexts.read(write("c.csv", "id,id,\"Text\", \"LABEL\" \n1,2,a,b\n")))
                .containsExactlyElementsOf(one);
        assertThat(LabeledTexts.read(write("d.csv", "\n\"a\nnote\",text,label\n,a,b\n")))
                .containsExactlyElementsOf(one);
    }

    @Test
    void errorNamesTheLineInWhichTheRowBegins() throws IOException {
        String rows = "\r\ntext,label\r\n\"a\r\nb\rc\",d\r\n\r\n";
        assertRefused(write("1.csv", rows + "e"), "1.csv:7: it has 1 columns and the header has 2");
        assertRefused(write("2.csv", rows + "\"e\nf\",\ng,h"), "2.csv:7: \"label\" must not be blank");
        assertRefused(write("3.csv", rows + "\"e\nf\"g,h\n"), "3.csv:7: it is not CSV");
        assertRefused(write("4.csv", rows + "\"e,f\ng,h\n"), "4.csv:7: it is not CSV: the quote on line 7");
        assertRefused(write("5.tsv", "text\tlabel\r\r\"a\rb\"\tc"), "5.tsv:3: it has 1 columns", "single tabs");
        assertRefused(write("6.csv", "\n\"text\n\",words\n1,2"), "6.csv:2: the first line must name the columns");
    }

    @Test
    void malformedHeaderIsRejected() throws IOException {
        assertRefused(write("1.csv", "\"text,label\na,b\n"), "1.csv:1: it is not CSV");
        assertRefused(write("2.csv", "\"text\"x,label\na,b\n"), "2.csv:1: it is not CSV");
        assertRefused(write("3.csv", "text;label\na;b\n"), "3.csv:1:", "[text;label]", "separated by commas");
        assertRefused(write("4.tsv", "text,label\na,b\n"), "4.tsv:1:", "[text,label]", "by tabs in .tsv");
        assertRefused(write("5.csv", "\"\"\na,b\n"), "5.csv:1:", "[]");
        assertRefused(write("6.csv", "\uFEFF"), "empty");
        assertRefused(write("7.csv", "text,label\0\na,b\n"), "7.csv:1: it is not text");
    }
}
