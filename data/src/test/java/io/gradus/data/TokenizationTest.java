package io.gradus.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.data.Document.PromptCompletion;
import io.gradus.data.Document.Text;
import io.gradus.data.Document.TextFile;
import io.gradus.data.tokenizer.ByteTokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TokenizationTest {
    private static final ByteTokenizer BYTES = new ByteTokenizer();

    /** The tokens of documents, one after another. */
    private static final class Joined implements Tokenization.Receiver {
        private final IntStream.Builder tokens = IntStream.builder();
        private final List<Document> ended = new ArrayList<>();

        @Override
        public void add(TokenizedDocument part) {
            for (int i = 0; i < part.ids().length; i++) {
                tokens.add(TokenStore.token(part.ids()[i], part.counts()[i]));
            }
        }

        @Override
        public void end(Document document) {
            ended.add(document);
        }
    }

    private static int[] expected(Collection<Document> documents) {
        var joined = new Joined();
        documents.forEach(document -> joined.add(TokenizedDocument.of(document, BYTES)));
        return joined.tokens.build().toArray();
    }

    @Test
    void tokensAreThoseOfEachDocumentInOrder(@TempDir Path folder) throws IOException {
        Path file = Files.writeString(folder.resolve("a.txt"), "été\n".repeat(100_000));
        List<Document> documents = new ArrayList<>();
        for (int i = 0; i < 5000; i++) {
            documents.add(i % 2 == 0 ? new Text("text " + i) : new PromptCompletion("p" + i, " c"));
        }
        documents.add(1000, new Text("long ".repeat(60_000)));
        documents.add(4000, new TextFile(file, 6, 300_000));
        var joined = new Joined();
        List<Double> parts = new ArrayList<>();
        new Tokenization(BYTES, null, new AnswerEnds(BYTES), joined, parts::add).run(documents);

        assertThat(joined.ended).isEqualTo(documents);
        assertThat(joined.tokens.build().toArray()).isEqualTo(expected(documents));
        assertThat(parts).isSorted().endsWith(1.0).allMatch(part -> part >= 0 && part <= 1);
        assertThat(parts).hasSizeGreaterThan(5);
    }

    @Test
    void progressOfALargeFileIsThatOfItsBytes(@TempDir Path folder) throws IOException {
        Path file = Files.writeString(folder.resolve("large.txt"), "0123456789 abcde\n".repeat(1_100_000));
        List<Double> parts = new ArrayList<>();
        new Tokenization(BYTES, null, new AnswerEnds(BYTES), new Joined(), parts::add).run(Documents.read(file));
        assertThat(parts).isSorted().endsWith(1.0).hasSizeGreaterThan(200);
        assertThat(parts.get(parts.size() / 2)).isBetween(0.45, 0.55);
    }

    @Test
    void errorOfTheFirstDocumentWins() {
        List<Document> documents = new ArrayList<>(List.of(new Text("a"), new Text("b\uD800"), new Text("\uDC00")));
        assertThatThrownBy(() ->
                        new Tokenization(BYTES, null, new AnswerEnds(BYTES), new Joined(), _ -> {}).run(documents))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("at character 1");
        documents.set(0, new Text("x".repeat(300_000) + "\uD800"));
        assertThatThrownBy(() ->
                        new Tokenization(BYTES, null, new AnswerEnds(BYTES), new Joined(), _ -> {}).run(documents))
                .hasMessageContaining("at character 300000");
    }

    @Test
    void blocksOfALargeFileAreThoseOfItsText(@TempDir Path folder) throws IOException {
        Path file = Files.writeString(folder.resolve("large.txt"), "0123456789 abcde\n".repeat(1_000_000));
        for (Packing packing : Packing.values()) {
            Blocks large = Blocks.pack(Documents.read(file), BYTES, 1000, packing, null);
            Blocks small = Blocks.pack(List.of(new Text(Files.readString(file))), BYTES, 1000, packing, null);
            assertThat(large.size()).isEqualTo(small.size()).isEqualTo(17_000);
            assertThat(large.counted()).isEqualTo(17_000_000);
            assertThat(large.maxId()).isEqualTo(256);
            for (int block : new int[] {0, 1, 8191, 16_999}) {
                assertThat(large.get(block).ids()).isEqualTo(small.get(block).ids());
                assertThat(large.get(block).targets())
                        .isEqualTo(small.get(block).targets());
            }
            assertThat(Arrays.stream(large.get(16_999).targets()).filter(id -> id == 256))
                    .hasSize(1);
        }
    }
}
