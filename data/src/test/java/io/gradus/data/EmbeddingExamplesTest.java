package io.gradus.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EmbeddingExamplesTest {
    @TempDir
    private Path folder;

    private Path write(String name, String text) throws IOException {
        return Files.writeString(folder.resolve(name), text);
    }

    @Test
    void pairsAndTripletsAreReadFromTables() throws IOException {
        Path csv = write("a.csv", "id,Anchor,positive\n1,\"Who, then?\",Goethe\n2,Where,Weimar\n");
        assertThat(EmbeddingExamples.read(csv))
                .containsExactly(
                        new EmbeddingExample("Who, then?", "Goethe", null, null),
                        new EmbeddingExample("Where", "Weimar", null, null));
        Path tsv = write("b.tsv", "anchor\tpositive\tnegative\nWho\tGoethe\tRain\nWhere\tWeimar\t\n");
        assertThat(EmbeddingExamples.read(tsv))
                .containsExactly(
                        new EmbeddingExample("Who", "Goethe", "Rain", null),
                        new EmbeddingExample("Where", "Weimar", null, null));
        assertThat(EmbeddingExamples.read(folder)).hasSize(4);
    }

    @Test
    void scoresAreReadWithBothSetsOfNames() throws IOException {
        Path ours = write("a.csv", "text,text_pair,label\na,b,0.25\n");
        assertThat(EmbeddingExamples.read(ours)).containsExactly(new EmbeddingExample("a", "b", null, 0.25));
        Path theirs = write("b.jsonl", "{\"sentence1\": \"a\", \"sentence2\": \"b\", \"score\": 1}\n");
        assertThat(EmbeddingExamples.read(theirs)).containsExactly(new EmbeddingExample("a", "b", null, 1.0));
    }

    @Test
    void linesOfJsonMayHaveANegative() throws IOException {
        Path file = write(
                "a.jsonl",
                "{\"anchor\": \"a\", \"positive\": \"b\", \"negative\": \"c\"}\n\n{\"anchor\": \"d\", \"positive\": \"e\"}\n");
        assertThat(EmbeddingExamples.read(file))
                .containsExactly(new EmbeddingExample("a", "b", "c", null), new EmbeddingExample("d", "e", null, null));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            a.csv   | anchor,positive;a,b;c,        | a.csv:3, "positive" is missing
            a.csv   | anchor,positive;a,b,c         | a.csv:2, 3 columns
            a.csv   | anchor,anchor;a,b             | a.csv:1, twice
            a.csv   | anchor,positive               | a.csv:1, no pair
            a.csv   | question,answer;a,b           | a.csv:2, "anchor", question
            a.csv   | text,text_pair,label;a,b,4.5  | a.csv:2, "label", 4.5, divide
            a.csv   | text,text_pair,label;a,b,good | a.csv:2, "label", good
            a.jsonl | {"anchor": "a"}               | a.jsonl:1, "positive" is missing
            a.jsonl | {"anchor": 3, "positive": ""} | a.jsonl:1, "anchor" is 3
            a.txt   | a b                           | a.txt, .jsonl
            """)
    void malformedRowsAreNamed(String name, String lines, String message) throws IOException {
        Path file = write(name, lines.replace(';', '\n') + "\n");
        assertThatThrownBy(() -> EmbeddingExamples.read(file))
                .isInstanceOf(IOException.class)
                .hasMessageContainingAll(message.split(", "));
    }
}
