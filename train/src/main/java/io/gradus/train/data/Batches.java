package io.gradus.train.data;

import io.gradus.core.Device;
import io.gradus.core.Philox;
import io.gradus.core.Tensor;
import io.gradus.train.data.Blocks.Block;
import java.util.stream.IntStream;

/**
 * Blocks in batches, numbered from 0 without end. A batch is a function of its number alone, so a run that was stopped
 * goes on with nothing but a number, and threads may ask for batches in any order.
 *
 * <p>Shuffled, for training: each epoch has an order of its own, and the batches cut the epochs, laid end to end, into
 * equal parts; one batch may hold the end of an epoch and the beginning of the next. So every batch is full, and every
 * block is seen once per epoch.
 *
 * <p>In order, for evaluation: the last batch of an epoch has what is left, and the next begins again.
 */
public final class Batches {
    /** Sets the shuffle's random numbers apart from those of layers, whose places count from 0. */
    private static final int PLACE = -1;

    private final Blocks blocks;
    private final int batchSize;
    private final long seed;
    private final boolean shuffle;
    private volatile Order latest = new Order(-1, new int[0]); // spares making it anew for each batch

    private record Order(long epoch, int[] blocks) {}

    /**
     * What one forward pass reads.
     *
     * @param ids I32 {@code [B, T]}
     * @param targets I32 {@code [B * T]}: the token that follows each, or {@code CrossEntropy.IGNORE_INDEX}
     * @param counted how many targets count
     */
    public record Batch(Tensor ids, Tensor targets, long counted) {}

    /**
     * Batches of some blocks.
     *
     * @param batchSize B, at least 1
     * @param seed of the run; matters only when shuffled
     */
    public Batches(Blocks blocks, int batchSize, long seed, boolean shuffle) {
        if (batchSize < 1) {
            throw new IllegalArgumentException("batch_size is " + batchSize + "; it must be at least 1");
        }
        this.blocks = blocks;
        this.batchSize = batchSize;
        this.seed = seed;
        this.shuffle = shuffle;
    }

    /** How many batches it takes to see every block once. */
    public long batchesPerEpoch() {
        return Math.ceilDiv(blocks.size(), batchSize);
    }

    /**
     * A batch, its tensors on a device.
     *
     * @param index from 0
     */
    public Batch batch(long index, Device device) {
        int[] chosen = blockIndices(index);
        int length = blocks.length();
        int[] ids = new int[Math.multiplyExact(chosen.length, length)];
        int[] targets = new int[ids.length];
        long counted = 0;
        for (int row = 0; row < chosen.length; row++) {
            Block block = blocks.get(chosen[row]);
            System.arraycopy(block.ids(), 0, ids, row * length, length);
            System.arraycopy(block.targets(), 0, targets, row * length, length);
            counted += block.counted();
        }
        return new Batch(
                Tensor.of(device, ids, chosen.length, length), Tensor.of(device, targets, targets.length), counted);
    }

    /** Which blocks a batch has. */
    int[] blockIndices(long index) {
        if (index < 0) {
            throw new IllegalArgumentException("batch " + index + " was asked for; they count from 0");
        }
        int size = blocks.size();
        if (!shuffle) {
            int from = Math.toIntExact(index % batchesPerEpoch() * batchSize);
            return IntStream.range(from, (int) Math.min(size, (long) from + batchSize))
                    .toArray();
        }
        long first = Math.multiplyExact(index, (long) batchSize);
        return IntStream.range(0, batchSize)
                .map(i -> order((first + i) / size)[(int) ((first + i) % size)])
                .toArray();
    }

    private int[] order(long epoch) {
        Order order = latest;
        if (order.epoch != epoch) {
            order = new Order(epoch, permutation(blocks.size(), new Philox.Key(seed, Math.toIntExact(epoch), PLACE)));
            latest = order;
        }
        return order.blocks;
    }

    /** A shuffle in which each order is as likely as any other (Fisher &amp; Yates, in Durstenfeld's form). */
    private static int[] permutation(int size, Philox.Key key) {
        int[] order = IntStream.range(0, size).toArray();
        for (int i = size - 1; i > 0; i--) {
            int j = Philox.below(key, i, i + 1);
            int swapped = order[i];
            order[i] = order[j];
            order[j] = swapped;
        }
        return order;
    }
}
