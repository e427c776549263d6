package io.gradus.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.autograd.op.CrossEntropy;
import io.gradus.core.Philox;
import io.gradus.data.Document.PromptCompletion;
import io.gradus.data.Document.Text;
import io.gradus.data.tokenizer.ByteTokenizer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class BlocksTest {
    private static final int EOS = 256;
    private static final int NONE = CrossEntropy.IGNORE_INDEX;

    /** Documents of consecutive ids from 1, so that an id is its place in the stream; a part of them counts. */
    private static List<TokenizedDocument> documents(int seed, int... lengths) {
        int first = 1;
        TokenizedDocument[] documents = new TokenizedDocument[lengths.length];
        for (int d = 0; d < lengths.length; d++) {
            int from = first;
            boolean[] counts = new boolean[lengths[d]];
            for (int i = 0; i < counts.length; i++) {
                counts[i] = seed == 0 || Philox.below(new Philox.Key(seed, d, 0), i, 3) == 0;
            }
            documents[d] = new TokenizedDocument(
                    IntStream.range(from, from + lengths[d]).toArray(), counts);
            first += lengths[d];
        }
        return List.of(documents);
    }

    private static Blocks stream(List<TokenizedDocument> documents, int length) {
        try {
            var tokens = new TokenStore.Builder();
            for (TokenizedDocument document : documents) {
                tokens.add(document);
            }
            return StreamBlocks.of(tokens.build(), length, 0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void streamTargetsAreTheNextTokensAcrossBlocksAndDocuments() {
        Blocks blocks = Blocks.pack(List.of(new Text("abc"), new Text("de")), new ByteTokenizer(), 4);
        assertThat(blocks.size()).isEqualTo(2);
        assertThat(blocks.get(0).ids()).containsExactly('a', 'b', 'c', EOS);
        assertThat(blocks.get(0).targets()).containsExactly('b', 'c', EOS, 'd');
        assertThat(blocks.get(1).ids()).containsExactly('d', 'e', EOS, EOS);
        assertThat(blocks.get(1).targets()).containsExactly('e', EOS, NONE, NONE);
        assertThat(blocks.counted()).isEqualTo(6);
        assertThat(blocks.tokens()).isEqualTo(7);
        assertThat(blocks.maxId()).isEqualTo(EOS);
    }

    @Test
    void promptTokensAreIgnoredTargets() {
        Blocks blocks = Blocks.pack(
                List.of(new PromptCompletion("ab", "c"), new PromptCompletion("d", "ef")), new ByteTokenizer(), 7);
        assertThat(blocks.get(0).ids()).containsExactly('a', 'b', 'c', EOS, 'd', 'e', 'f');
        assertThat(blocks.get(0).targets()).containsExactly(NONE, 'c', EOS, NONE, 'e', 'f', EOS);
        assertThat(blocks.get(0).counted()).isEqualTo(5);
    }

    @Test
    void streamReadsAndPredictsEachTokenOnce() {
        for (int length = 1; length <= 12; length++) {
            for (int tokens = length + 1; tokens <= 3 * length + 2; tokens++) {
                Blocks blocks = stream(documents(0, tokens), length);
                int[] read = IntStream.range(0, blocks.size())
                        .flatMap(i -> Arrays.stream(blocks.get(i).ids()))
                        .limit(tokens - 1)
                        .toArray();
                int[] predicted = IntStream.range(0, blocks.size())
                        .flatMap(i -> Arrays.stream(blocks.get(i).targets()))
                        .filter(target -> target != NONE)
                        .toArray();
                assertThat(read).isEqualTo(IntStream.range(1, tokens).toArray());
                assertThat(predicted).isEqualTo(IntStream.rangeClosed(2, tokens).toArray());
                assertThat(blocks.counted()).isEqualTo(tokens - 1);
            }
        }
    }

    @Test
    void targetsAreExactlyTheCountedTokens() {
        for (int seed = 1; seed < 50; seed++) {
            List<TokenizedDocument> documents = documents(seed, 5, 1, 17, 8);
            Blocks blocks = stream(documents, 4);
            int[] counting = documents.stream()
                    .flatMapToInt(document -> IntStream.range(0, document.ids().length)
                            .filter(i -> document.counts()[i] && document.ids()[i] > 1)
                            .map(i -> document.ids()[i]))
                    .toArray();
            assertThat(IntStream.range(0, blocks.size())
                            .flatMap(i -> Arrays.stream(blocks.get(i).targets()))
                            .filter(target -> target != NONE)
                            .toArray())
                    .isEqualTo(counting);
            assertThat(blocks.counted()).isEqualTo(counting.length);
            for (int i = 0; i < blocks.size(); i++) {
                Blocks.Block block = blocks.get(i);
                assertThat(block.counted()).isPositive();
                for (int t = 0; t < 4; t++) {
                    if (block.targets()[t] != NONE) {
                        assertThat(block.targets()[t]).isEqualTo(block.ids()[t] + 1);
                    }
                }
            }
        }
    }

    @Test
    void blockWithoutTargetsIsLeftOut() {
        boolean[] counts = new boolean[12];
        counts[10] = true;
        Blocks blocks =
                stream(List.of(new TokenizedDocument(IntStream.range(0, 12).toArray(), counts)), 4);
        assertThat(blocks.size()).isEqualTo(1);
        assertThat(blocks.get(0).ids()).containsExactly(8, 9, 10, 11);
        assertThat(blocks.get(0).targets()).containsExactly(NONE, 10, NONE, NONE);
        assertThat(blocks.tokens()).isEqualTo(4);
    }

    @Test
    void firstReturnsTheFirstBlocks() {
        Blocks blocks = stream(documents(0, 30), 4);
        Blocks first = blocks.first(2);
        assertThat(first.size()).isEqualTo(2);
        assertThat(first.get(1).ids()).isEqualTo(blocks.get(1).ids());
        assertThat(first.counted()).isEqualTo(8);
        assertThatThrownBy(() -> first.get(2)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> blocks.first(9)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void textShorterThanABlockIsRejectedWithARemedy() {
        assertThatThrownBy(() -> Blocks.pack(List.of(new Text("a".repeat(39))), new ByteTokenizer(), 256))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("40 tokens")
                .hasMessageContaining("a block of 256")
                .hasMessageContaining("smaller max_seq_len");
        assertThatThrownBy(() -> Blocks.pack(List.of(), new ByteTokenizer(), 1)).hasMessageContaining("0 tokens");
        assertThatThrownBy(() -> Blocks.pack(List.of(new Text("a")), new ByteTokenizer(), 0))
                .hasMessageContaining("max_seq_len is 0");
        assertThat(Blocks.pack(List.of(new Text("a".repeat(40))), new ByteTokenizer(), 40)
                        .size())
                .isEqualTo(1);
    }

    @Test
    void textWithoutTargetsIsRejected() {
        boolean[] onlyTheFirst = new boolean[9];
        onlyTheFirst[0] = true; // which is never a target
        assertThatThrownBy(() -> stream(List.of(new TokenizedDocument(new int[9], onlyTheFirst)), 4))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("nothing to learn from");
    }
}
