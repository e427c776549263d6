package io.gradus.data;

import io.gradus.core.Device;
import io.gradus.core.Tensor;
import io.gradus.nn.KeyValueCache;
import io.gradus.nn.KeyValueCache.Recurrence;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What a recurrent network remembers from one {@linkplain Packing#CONTIGUOUS contiguous} batch to the next. It begins at 0 in each
 * epoch, and whenever a batch does not follow the last one.
 */
final class StreamState {
    private static final String NEXT = "next";
    private static final String HIDDEN = ".hidden";
    private static final String CELL = ".cell";

    private final int layers;
    private final KeyValueCache cache;
    private long next; // the batch that continues

    /** @param layers of the network, each of which has a state */
    StreamState(int layers) {
        this.layers = layers;
        this.cache = new KeyValueCache(layers, Integer.MAX_VALUE);
    }

    /**
     * The cache from which a batch continues.
     *
     * @param begins whether the batch is the first of an epoch
     */
    KeyValueCache before(long batch, boolean begins) {
        if (begins || batch != next) {
            cache.forget();
        }
        next = batch + 1;
        return cache;
    }

    /** The states of the layers by name, and the number of the batch that continues; empty before the first batch. */
    Map<String, Tensor> tensors() {
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        for (int layer = 0; layer < layers; layer++) {
            Recurrence kept = cache.recurrence(layer);
            if (kept != null) {
                tensors.put(layer + HIDDEN, kept.hidden());
                tensors.put(layer + CELL, kept.cell());
            }
        }
        if (!tensors.isEmpty()) {
            Device device = tensors.values().iterator().next().device();
            tensors.put(NEXT, Tensor.of(device, new int[] {(int) next, (int) (next >>> 32)}, 2));
        }
        return tensors;
    }

    /**
     * Restores what {@link #tensors} returned.
     *
     * @param rows of a batch
     * @throws IllegalArgumentException if a tensor is missing, or of a batch of another size
     */
    void load(Map<String, Tensor> tensors, int rows) {
        cache.forget();
        if (tensors.isEmpty()) {
            return;
        }
        for (int layer = 0; layer < layers; layer++) {
            Tensor hidden = required(tensors, layer + HIDDEN, rows);
            cache.keep(layer, new Recurrence(hidden, required(tensors, layer + CELL, rows)), 1);
        }
        int[] halves = required(tensors, NEXT, 2).toInts();
        next = Integer.toUnsignedLong(halves[0]) | (long) halves[1] << 32;
    }

    private static Tensor required(Map<String, Tensor> tensors, String name, int length) {
        Tensor tensor = tensors.get(name);
        if (tensor == null || tensor.shape().get(0) != length) {
            throw new IllegalArgumentException("the checkpoint has no state of the network of the name " + name
                    + " for batches of " + length + " rows; start a new run with another output");
        }
        return tensor;
    }
}
