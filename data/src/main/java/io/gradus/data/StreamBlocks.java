package io.gradus.data;

import io.gradus.autograd.op.CrossEntropy;
import java.util.Arrays;
import java.util.Objects;

/**
 * Concatenated documents, cut every T tokens ({@link Packing#STREAM}). The target of each token is the next one, also at the end
 * of a block, where it is the first token of the next block. Each token but the last is read once, and each but the first is
 * predicted once.
 *
 * <p>The last block is padded. Blocks without a target are left out.
 */
final class StreamBlocks extends Blocks {
    private final TokenStore stream;
    private final int padding;
    private final int[] numbers; // of the blocks with a target, in the stream
    private final long counted;
    private final int maxId;

    private StreamBlocks(TokenStore stream, int length, int padding, int[] numbers, long counted, int maxId) {
        super(length);
        this.stream = stream;
        this.padding = padding;
        this.numbers = numbers;
        this.counted = counted;
        this.maxId = maxId;
    }

    /**
     * Packs tokens.
     *
     * @param blockLength T
     * @param padding the token that fills the last block
     * @throws IllegalArgumentException if they do not fill one block, or have no target
     */
    static StreamBlocks of(TokenStore stream, int blockLength, int padding) {
        long tokens = stream.size();
        if (tokens <= blockLength) {
            throw new IllegalArgumentException(
                    "the text has " + tokens + " tokens; a block of " + blockLength + " needs " + (blockLength + 1L)
                            + " with the one that follows it: use a smaller max_seq_len, or more text");
        }
        long blocks = Math.ceilDiv(tokens - 1, (long) blockLength);
        if (blocks > Integer.MAX_VALUE - 8) {
            throw new IllegalArgumentException("data: the text has " + blocks
                    + " blocks, but the limit is 2^31; train on" + " a part of it, or use a larger max_seq_len");
        }
        int[] numbers = new int[(int) blocks];
        int size = 0;
        long counted = 0;
        int maxId = padding;
        for (int number = 0; number < blocks; number++) {
            int[] window = window(stream, number, blockLength);
            int targets = targets(window);
            if (targets > 0) {
                numbers[size++] = number;
            }
            counted += targets;
            for (int token : window) {
                maxId = Math.max(maxId, TokenStore.id(token));
            }
        }
        if (size == 0) {
            throw allMasked("none of the " + tokens + " tokens");
        }
        return new StreamBlocks(stream, blockLength, padding, Arrays.copyOf(numbers, size), counted, maxId);
    }

    /** The tokens of a block and the one that follows it; fewer at the end of the stream. */
    private static int[] window(TokenStore stream, int number, int length) {
        long start = (long) number * length;
        return stream.read(start, (int) Math.min(length + 1L, stream.size() - start));
    }

    private static int targets(int[] window) {
        int targets = 0;
        for (int i = 1; i < window.length; i++) {
            targets += TokenStore.isTarget(window[i]) ? 1 : 0;
        }
        return targets;
    }

    @Override
    public int size() {
        return numbers.length;
    }

    @Override
    public Block get(int index) {
        int[] window = window(stream, numbers[Objects.checkIndex(index, numbers.length)], length());
        int[] ids = new int[length()];
        int[] targets = new int[length()];
        Arrays.fill(ids, padding);
        Arrays.fill(targets, CrossEntropy.IGNORE_INDEX);
        int tokens = Math.min(length(), window.length);
        for (int i = 0; i < tokens; i++) {
            ids[i] = TokenStore.id(window[i]);
            if (i + 1 < window.length && TokenStore.isTarget(window[i + 1])) {
                targets[i] = TokenStore.id(window[i + 1]);
            }
        }
        return new Block(ids, targets, tokens, ONE_DOCUMENT);
    }

    @Override
    public Blocks first(int count) {
        requireCount(count);
        int[] first = Arrays.copyOf(numbers, count);
        long targets = Arrays.stream(first)
                .mapToLong(number -> targets(window(stream, number, length())))
                .sum();
        return new StreamBlocks(stream, length(), padding, first, targets, maxId);
    }

    @Override
    public long tokens() {
        return Arrays.stream(numbers)
                .mapToLong(number -> Math.min(length(), stream.size() - (long) number * length()))
                .sum();
    }

    @Override
    public long counted() {
        return counted;
    }

    @Override
    public int maxId() {
        return maxId;
    }
}
