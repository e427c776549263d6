package io.gradus.data;

import io.gradus.core.Philox;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Where contiguous batches begin whose lengths are random, so that gradients are not cut at the same tokens in each epoch (Merity et
 * al. 2018, section 5, "variable length backpropagation sequences"). The length of a batch is drawn from a normal distribution with a
 * standard deviation of 5 around the usual length, or with a probability of 5% around half of it. No batch is longer than the usual
 * length, for which memory is planned, and none but the last of an epoch is shorter than 5 tokens.
 *
 * <p>An epoch is a function of the seed and its number. Epochs have slightly different numbers of batches.
 */
final class RandomLengths {
    private static final double WHOLE = 0.95;
    private static final double DEVIATION = 5;
    private static final int SHORTEST = 5;

    /** The Philox stream, which nothing else of a dataset uses; layers use streams from 0 up. */
    private static final int PLACE = Integer.MIN_VALUE + 1;

    private final long rowLength;
    private final int usual;
    private final long seed;
    private final List<long[]> epochs = new ArrayList<>(); // for each, the ends of its batches

    /**
     * A part of each row.
     *
     * @param from the first token in the epoch
     * @param length in tokens
     */
    record Part(long from, int length) {}

    /**
     * @param rowLength tokens of a row in an epoch
     * @param usual the length of a batch
     */
    RandomLengths(long rowLength, int usual, long seed) {
        this.rowLength = rowLength;
        this.usual = usual;
        this.seed = seed;
    }

    /** The number of batches in the first epoch. */
    long first() {
        return ends(0).length;
    }

    /** What a batch has of each row. */
    Part part(long batch) {
        long number = batch;
        int epoch = 0;
        while (number >= ends(epoch).length) {
            number -= ends(epoch++).length;
        }
        long[] ends = ends(epoch);
        long from = number == 0 ? 0 : ends[(int) number - 1];
        return new Part(from, (int) (ends[(int) number] - from));
    }

    private synchronized long[] ends(int epoch) {
        while (epochs.size() <= epoch) {
            epochs.add(drawn(new Philox.Key(seed, epochs.size(), PLACE)));
        }
        return epochs.get(epoch);
    }

    private long[] drawn(Philox.Key key) {
        long[] ends = new long[16];
        int count = 0;
        for (long end = 0; end < rowLength; count++) {
            end = Math.min(rowLength, end + length(key, count));
            ends = count < ends.length ? ends : Arrays.copyOf(ends, 2 * count);
            ends[count] = end;
        }
        return Arrays.copyOf(ends, count);
    }

    private int length(Philox.Key key, int batch) {
        int[] words = new int[4];
        Philox.block(key, batch, words);
        double[] normal = new double[2];
        Philox.normalPair(words[1], words[2], normal);
        double around = Philox.uniform(words[0]) < WHOLE ? usual : usual / 2.0;
        return Math.clamp((int) (around + DEVIATION * normal[0]), Math.min(SHORTEST, usual), usual);
    }
}
