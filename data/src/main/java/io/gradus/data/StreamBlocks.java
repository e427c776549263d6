package io.gradus.data;

import io.gradus.autograd.op.CrossEntropy;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;

/**
 * Concatenated documents, cut every T tokens ({@link Packing#STREAM}). The target of each token is the next one, also at the end
 * of a block, where it is the first token of the next block. Each token but the last is read once, and each but the first is
 * predicted once.
 *
 * <p>The last block is padded. Blocks without a target are left out.
 */
final class StreamBlocks extends Blocks {
    private final TokenizedDocument stream;
    private final int padding;
    private final int[] starts;

    private StreamBlocks(TokenizedDocument stream, int length, int padding, int[] starts) {
        super(length);
        this.stream = stream;
        this.padding = padding;
        this.starts = starts;
    }

    /**
     * Packs tokens.
     *
     * @param blockLength T
     * @param padding the token that fills the last block
     * @throws IllegalArgumentException if they do not fill one block, or have no target
     */
    static StreamBlocks of(List<TokenizedDocument> documents, int blockLength, int padding) {
        requireLength(blockLength);
        TokenizedDocument stream = TokenizedDocument.join(documents);
        int tokens = stream.ids().length;
        if (tokens <= blockLength) {
            throw new IllegalArgumentException(
                    "the text has " + tokens + " tokens; a block of " + blockLength + " needs " + (blockLength + 1L)
                            + " with the one that follows it: use a smaller max_seq_len, or more text");
        }
        int[] starts = IntStream.iterate(0, start -> start >= 0 && start < tokens - 1, start -> start + blockLength)
                .filter(start -> counts(stream, start, blockLength) > 0)
                .toArray();
        if (starts.length == 0) {
            throw allMasked("none of the " + tokens + " tokens");
        }
        return new StreamBlocks(stream, blockLength, padding, starts);
    }

    /** The number of targets of a block. */
    private static int counts(TokenizedDocument stream, int start, int length) {
        int end = (int) Math.min((long) start + length, stream.ids().length - 1L);
        return (int) IntStream.rangeClosed(start + 1, end)
                .filter(i -> stream.counts()[i])
                .count();
    }

    @Override
    public int size() {
        return starts.length;
    }

    @Override
    public Block get(int index) {
        int start = starts[Objects.checkIndex(index, starts.length)];
        int tokens = stream.ids().length;
        int length = length();
        int[] ids = new int[length];
        int[] targets = new int[length];
        for (int i = 0; i < length; i++) {
            long place = (long) start + i;
            ids[i] = place < tokens ? stream.ids()[(int) place] : padding;
            boolean counts = place + 1 < tokens && stream.counts()[(int) place + 1];
            targets[i] = counts ? stream.ids()[(int) place + 1] : CrossEntropy.IGNORE_INDEX;
        }
        return new Block(ids, targets, Math.min(length, tokens - start), ONE_DOCUMENT);
    }

    @Override
    public Blocks first(int count) {
        requireCount(count);
        return new StreamBlocks(stream, length(), padding, Arrays.copyOf(starts, count));
    }

    @Override
    public long tokens() {
        return Arrays.stream(starts)
                .mapToLong(start -> Math.min(length(), stream.ids().length - start))
                .sum();
    }

    @Override
    public long counted() {
        return Arrays.stream(starts)
                .mapToLong(start -> counts(stream, start, length()))
                .sum();
    }

    @Override
    public int maxId() {
        return Math.max(padding, Arrays.stream(stream.ids()).max().orElseThrow());
    }
}
