package io.gradus.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TaggedWordsFilesTest {
    @TempDir
    private Path folder;

    private Path write(String name, String text) throws IOException {
        return Files.writeString(folder.resolve(name), text);
    }

    @Test
    void columnsOfConllAreReadWithTheTagLast() throws IOException {
        Path file = write("train.conll", """
                -DOCSTART- -X- -X- O

                Ada NNP B-NP B-PER
                lives VBZ B-VP O


                In\tIN\tB-PP\tO
                Paris\tNNP\tB-NP\tB-LOC\
                """);
        assertThat(TaggedWordsFiles.read(file, null))
                .containsExactly(
                        new TaggedWords(List.of("Ada", "lives"), List.of("B-PER", "O")),
                        new TaggedWords(List.of("In", "Paris"), List.of("O", "B-LOC")));
    }

    @Test
    void lineWithoutATagIsNamed() throws IOException {
        Path file = write("train.conll", "Ada B-PER\nlives\n");
        assertThatThrownBy(() -> TaggedWordsFiles.read(file, null))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("train.conll:2")
                .hasMessageContaining("tag");
    }

    @Test
    void jsonLinesAreReadWithTheKeysOfDatasets() throws IOException {
        Path file = write(
                "train.jsonl", "{\"tokens\": [\"Ada\", \"lives\"], \"ner_tags\": [\"B-PER\", \"O\"], \"id\": 7}\n");
        assertThat(TaggedWordsFiles.read(file, null))
                .containsExactly(new TaggedWords(List.of("Ada", "lives"), List.of("B-PER", "O")));
        Path other = write("other.jsonl", "{\"tokens\": [\"Ada\"], \"pos\": [\"NOUN\"]}\n");
        assertThat(TaggedWordsFiles.read(other, "pos"))
                .containsExactly(new TaggedWords(List.of("Ada"), List.of("NOUN")));
    }

    @Test
    void numbersOfTagsAreRejectedWithTheRemedy() throws IOException {
        Path file = write("train.jsonl", "{\"tokens\": [\"Ada\"], \"ner_tags\": [1]}\n");
        assertThatThrownBy(() -> TaggedWordsFiles.read(file, null))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("train.jsonl:1")
                .hasMessageContaining("names of the tags");
    }

    @Test
    void differentNumbersOfWordsAndTagsAreRejected() throws IOException {
        Path file = write("train.jsonl", "{\"tokens\": [\"Ada\", \"lives\"], \"tags\": [\"O\"]}\n");
        assertThatThrownBy(() -> TaggedWordsFiles.read(file, null))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("2 words")
                .hasMessageContaining("1 tags");
    }

    @Test
    void filesOfAFolderAreReadInOrder() throws IOException {
        write("b.conll", "b O\n");
        write("a.conll", "a O\n");
        write(".hidden", "x\n");
        assertThat(TaggedWordsFiles.read(folder, null))
                .extracting(sentence -> sentence.words().getFirst())
                .containsExactly("a", "b");
    }
}
