package io.gradus.data;

import io.gradus.core.Philox;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The order of items in training: a random permutation for each epoch, one after the other without end. The item at a place is a
 * function of the place alone. Thread-safe.
 */
final class EpochOrder {
    private final int size;
    private final long seed;
    private final int place;
    private volatile @Nullable Epoch latest; // cached

    private record Epoch(long number, int[] items) {}

    /**
     * @param size the number of items, at least 1
     * @param place the Philox stream, which nothing else uses: negative, because layers use streams from 0 up
     */
    EpochOrder(int size, long seed, int place) {
        this.size = size;
        this.seed = seed;
        this.place = place;
    }

    /** The item at a place, from 0. */
    int item(long number) {
        long epoch = number / size;
        Epoch known = latest;
        if (known == null || known.number != epoch) {
            known = new Epoch(epoch, permutation(size, new Philox.Key(seed, Math.toIntExact(epoch), place)));
            latest = known;
        }
        return known.items[(int) (number % size)];
    }

    /** A uniformly random permutation (Fisher &amp; Yates, in Durstenfeld's form). */
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
