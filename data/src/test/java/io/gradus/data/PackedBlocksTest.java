package io.gradus.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.autograd.op.CrossEntropy;
import io.gradus.core.Device;
import io.gradus.core.Philox;
import io.gradus.data.Blocks.Block;
import io.gradus.data.Document.PromptCompletion;
import io.gradus.data.Document.Text;
import io.gradus.data.chat.ChatMessage;
import io.gradus.data.chat.ChatTemplate;
import io.gradus.data.tokenizer.ByteTokenizer;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class PackedBlocksTest {
    private static final int EOS = 256;
    private static final int NONE = CrossEntropy.IGNORE_INDEX;

    private static Blocks pack(int length, Document... documents) {
        return Blocks.pack(List.of(documents), new ByteTokenizer(), length, Packing.DOCUMENTS, null);
    }

    @Test
    void packedDocumentsPredictOnlyThemselves() {
        Blocks blocks = pack(7, new PromptCompletion("ab", "c"), new Text("de"));
        assertThat(blocks.size()).isEqualTo(1);
        Block block = blocks.get(0);
        assertThat(block.ids()).containsExactly('a', 'b', 'c', 'd', 'e', EOS, EOS);
        assertThat(block.targets()).containsExactly(NONE, 'c', EOS, 'e', EOS, NONE, NONE);
        assertThat(block.documents()).containsExactly(0, 3, 5);
        assertThat(block.documentStarts()).containsExactly(0, 0, 0, 3, 3, 5, 5);
        assertThat(block.tokens()).isEqualTo(5);
        assertThat(blocks.tokens()).isEqualTo(5);
        assertThat(blocks.counted()).isEqualTo(4);
        assertThat(blocks.maxId()).isEqualTo(EOS);
        assertThat(blocks.warnings()).isEmpty();
    }

    @Test
    void batchHasPositionsAndDocumentStarts() {
        Blocks blocks = pack(7, new PromptCompletion("ab", "c"), new Text("de"), new Text("1234567"));
        Batches.Batch batch = new Batches(blocks, 2, 0, false).batch(0, Device.cpu());
        assertThat(batch.positions().toInts()).containsExactly(0, 1, 2, 0, 1, 0, 1, 0, 1, 2, 3, 4, 5, 6);
        assertThat(batch.documentStarts().toInts()).containsExactly(0, 0, 0, 3, 3, 5, 5, 0, 0, 0, 0, 0, 0, 0);
        assertThat(batch.input().documentStarts()).isSameAs(batch.documentStarts());
        assertThat(new Batches(blocks, 1, 0, false)
                        .batch(1, Device.cpu())
                        .input()
                        .documentStarts())
                .isNull();
    }

    @Test
    void eachTargetIsPredictedOnceFromItsOwnDocument() {
        for (int seed = 0; seed < 30; seed++) {
            Philox.Key key = new Philox.Key(seed, 0, 0);
            List<Document> documents = new ArrayList<>();
            for (int i = 0; i < 40; i++) {
                String text = Character.toString('A' + i).repeat(1 + Philox.below(key, 2 * i, 30));
                documents.add(
                        i % 2 == 0
                                ? new Text(text)
                                : new PromptCompletion(text, text.substring(0, 1 + text.length() / 3)));
            }
            Blocks blocks = Blocks.pack(documents, new ByteTokenizer(), 50, Packing.DOCUMENTS, null);
            int[] predicted = new int[257];
            int[] read = new int[257];
            for (int b = 0; b < blocks.size(); b++) {
                Block block = blocks.get(b);
                for (int i = 0; i < block.tokens(); i++) {
                    read[block.ids()[i]]++;
                    if (block.targets()[i] != NONE) {
                        predicted[block.targets()[i]]++;
                    }
                    boolean starts = i == block.documentStarts()[i];
                    if (!starts) {
                        assertThat(block.ids()[i]).isEqualTo(block.ids()[i - 1]);
                    }
                }
            }
            for (int i = 0; i < 40; i++) {
                TokenizedDocument tokens = TokenizedDocument.of(documents.get(i), new ByteTokenizer());
                int length = tokens.ids().length - 1;
                long counted = IntStream.range(1, length)
                        .filter(t -> tokens.counts()[t])
                        .count();
                assertThat(read['A' + i]).isEqualTo(length);
                assertThat(predicted['A' + i]).isEqualTo((int) counted);
            }
            assertThat(predicted[EOS]).isEqualTo(40);
            // Best fit leaves little: 11/9 of what an even better packing could need at the least, and one.
            assertThat(blocks.size()).isLessThanOrEqualTo((int) (11.0 / 9 * Math.ceil(blocks.tokens() / 50.0)) + 1);
        }
    }

    @Test
    void longTextBecomesSeveralDocumentsWithoutLoss() {
        Blocks blocks = pack(4, new Text("abcdefghij"));
        String read = IntStream.range(0, blocks.size())
                .mapToObj(i -> IntStream.of(blocks.get(i).targets())
                        .filter(target -> target != NONE && target != EOS)
                        .mapToObj(Character::toString)
                        .collect(Collectors.joining()))
                .collect(Collectors.joining("|"));
        assertThat(read).isEqualTo("bcde|fghi|j");
        assertThat(blocks.get(1).ids()).containsExactly('e', 'f', 'g', 'h');
        assertThat(blocks.counted()).isEqualTo(10);
        assertThat(blocks.warnings()).isEmpty();
    }

    @Test
    void longExampleIsTruncatedOrLeftOutWithAWarning() {
        Blocks blocks = pack(
                4,
                new PromptCompletion("ab", "cdefgh"),
                new PromptCompletion("a prompt alone fills it", "x"),
                new PromptCompletion("p", "q"));
        assertThat(blocks.size()).isEqualTo(2);
        assertThat(blocks.get(0).ids()).containsExactly('a', 'b', 'c', 'd');
        assertThat(blocks.get(0).targets()).containsExactly(NONE, 'c', 'd', 'e');
        assertThat(blocks.warnings())
                .containsExactly(
                        "1 of 3 examples are longer than max_seq_len, 4; they were truncated",
                        "1 of 3 examples were left out: no token that counts is among their first 5");
        assertThat(blocks.first(1).warnings()).isEqualTo(blocks.warnings());
    }

    @Test
    void tokensAfterTheLastTargetAreCutOff() {
        var chat = new Document.Chat(List.of(
                new ChatMessage(ChatMessage.Role.USER, "a"),
                new ChatMessage(ChatMessage.Role.ASSISTANT, "b"),
                new ChatMessage(ChatMessage.Role.USER, "thanks")));
        Blocks blocks = Blocks.pack(
                List.of(chat),
                new ByteTokenizer(),
                40,
                Packing.DOCUMENTS,
                ChatTemplate.builtIn("plain", new ByteTokenizer()));
        Block block = blocks.get(0);
        assertThat(new ByteTokenizer()
                        .spell(IntStream.of(block.ids()).limit(block.tokens()).toArray()))
                .isEqualTo("User: a\nAssistant: b");
        assertThat(block.targets()[block.tokens() - 1]).isEqualTo(EOS);
    }

    @Test
    void examplesWithoutTargetsAreRejected() {
        assertThatThrownBy(() -> pack(3, new PromptCompletion("abcdef", "g")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("1 documents", "max_seq_len 3", "nothing to learn from");
        assertThatThrownBy(() -> pack(0, new Text("a"))).hasMessageContaining("max_seq_len is 0");
    }
}
