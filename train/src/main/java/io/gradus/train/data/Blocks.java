package io.gradus.train.data;

import io.gradus.autograd.op.CrossEntropy;
import io.gradus.train.text.Tokenizer;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;

/**
 * Text as blocks of equal length T, which is what a model is trained on. All documents are laid end to end and cut
 * every T tokens; the target of each token is the one that follows it, also at the end of a block, where that is the
 * first of the next. So no token is wasted: each but the last is read once, and each but the first is predicted once.
 *
 * <p>The last block is padded. What stands in the padding, and what does not count ({@link TokenizedDocument}), has
 * {@link CrossEntropy#IGNORE_INDEX} as its target. A block where nothing counts would teach nothing; it is left out. A
 * document may begin in the middle of a block; the tokens before it are seen too, which the end-of-text token between
 * them marks.
 */
public final class Blocks {
    private final TokenizedDocument stream;
    private final int length;
    private final int padding;
    private final int[] starts;

    /**
     * One row of a batch.
     *
     * @param ids {@code [T]}
     * @param targets {@code [T]}: the token that follows each, or {@link CrossEntropy#IGNORE_INDEX}
     */
    public record Block(int[] ids, int[] targets) {

        /** How many targets count. */
        public int counted() {
            return (int) Arrays.stream(targets)
                    .filter(target -> target != CrossEntropy.IGNORE_INDEX)
                    .count();
        }
    }

    private Blocks(TokenizedDocument stream, int length, int padding, int[] starts) {
        this.stream = stream;
        this.length = length;
        this.padding = padding;
        this.starts = starts;
    }

    /**
     * Tokenises documents and packs them.
     *
     * @param blockLength T
     * @throws IllegalArgumentException when they do not fill one block, or no token of theirs counts
     */
    public static Blocks pack(List<? extends Document> documents, Tokenizer tokenizer, int blockLength) {
        return of(
                documents.stream()
                        .map(document -> TokenizedDocument.of(document, tokenizer))
                        .toList(),
                blockLength,
                tokenizer.eos().orElse(0));
    }

    /**
     * Packs tokens.
     *
     * @param blockLength T
     * @param padding the token that fills the last block
     * @throws IllegalArgumentException when they do not fill one block, or none of them counts
     */
    static Blocks of(List<TokenizedDocument> documents, int blockLength, int padding) {
        if (blockLength < 1) {
            throw new IllegalArgumentException("block_length is " + blockLength + "; it must be at least 1");
        }
        TokenizedDocument stream = TokenizedDocument.join(documents);
        int tokens = stream.ids().length;
        if (tokens <= blockLength) {
            throw new IllegalArgumentException(
                    "the text has " + tokens + " tokens; a block of " + blockLength + " needs " + (blockLength + 1L)
                            + " with the one that follows it: take a smaller block_length, or more text");
        }
        int[] starts = IntStream.iterate(0, start -> start >= 0 && start < tokens - 1, start -> start + blockLength)
                .filter(start -> counts(stream, start, blockLength) > 0)
                .toArray();
        if (starts.length == 0) {
            throw new IllegalArgumentException(
                    "none of the " + tokens + " tokens counts towards the loss, every label is"
                            + " masked: nothing would be learnt; give text, or prompts with completions");
        }
        return new Blocks(stream, blockLength, padding, starts);
    }

    /** How many of the targets of a block count. */
    private static int counts(TokenizedDocument stream, int start, int length) {
        int end = (int) Math.min((long) start + length, stream.ids().length - 1L);
        return (int) IntStream.rangeClosed(start + 1, end)
                .filter(i -> stream.counts()[i])
                .count();
    }

    /** How many blocks there are, at least one. */
    public int size() {
        return starts.length;
    }

    /** How many tokens a block has, T. */
    public int length() {
        return length;
    }

    /** One block, from 0. */
    public Block get(int index) {
        int start = starts[Objects.checkIndex(index, starts.length)];
        int tokens = stream.ids().length;
        int[] ids = new int[length];
        int[] targets = new int[length];
        for (int i = 0; i < length; i++) {
            long place = (long) start + i;
            ids[i] = place < tokens ? stream.ids()[(int) place] : padding;
            boolean counts = place + 1 < tokens && stream.counts()[(int) place + 1];
            targets[i] = counts ? stream.ids()[(int) place + 1] : CrossEntropy.IGNORE_INDEX;
        }
        return new Block(ids, targets);
    }

    /** The first blocks only, for a quick evaluation. */
    public Blocks first(int count) {
        if (count < 1 || count > starts.length) {
            throw new IllegalArgumentException("blocks: the first " + count + " were asked for, of " + starts.length);
        }
        return new Blocks(stream, length, padding, Arrays.copyOf(starts, count));
    }

    /** How many tokens these blocks read, without padding. */
    public long tokens() {
        return Arrays.stream(starts)
                .mapToLong(start -> Math.min(length, stream.ids().length - start))
                .sum();
    }

    /** How many targets count. */
    public long counted() {
        return Arrays.stream(starts)
                .mapToLong(start -> counts(stream, start, length))
                .sum();
    }

    /** The largest token id, for comparing with the model's vocabulary before training. */
    public int maxId() {
        return Math.max(padding, Arrays.stream(stream.ids()).max().orElseThrow());
    }
}
