package io.gradus.nn;

import io.gradus.autograd.Variable;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Scope;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import java.util.Arrays;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The keys and values of the tokens so far, for each layer, so that attention computes only those of new tokens. A cache is
 * for one sequence (or one batch of them); its memory outlives the scopes of single steps.
 */
public final class KeyValueCache {
    private final long capacity;
    private final @Nullable Tensor[] keys;
    private final @Nullable Tensor[] values;
    private final long[] keyCounts;
    private final long[] valueCounts;

    /**
     * Creates an empty cache. Memory is allocated when the first tokens are appended.
     *
     * @param layers the number of layers of the model
     * @param capacity the largest number of tokens
     */
    public KeyValueCache(int layers, long capacity) {
        this.capacity = capacity;
        this.keys = new Tensor[layers];
        this.values = new Tensor[layers];
        this.keyCounts = new long[layers];
        this.valueCounts = new long[layers];
    }

    /** The number of tokens that every layer has seen: the position of the next one. */
    public long length() {
        return valueCounts[valueCounts.length - 1];
    }

    /** Frees the memory without waiting for the garbage collector. The cache must not be used afterwards. */
    public void release() {
        Stream.of(keys, values).flatMap(Arrays::stream).filter(Objects::nonNull).forEach(Tensor::release);
    }

    /**
     * The keys and values of all tokens so far.
     *
     * @param keys {@code [B, S, G, D]}
     * @param values {@code [B, S, G, D]}
     */
    public record Entry(Variable keys, Variable values) {}

    /**
     * Appends the keys and values of new tokens, each {@code [B, T, G, D]}.
     *
     * @param layer the index of the layer
     * @return those of all tokens so far
     * @throws IllegalStateException if gradients are recorded, because none pass through the cache, or if the capacity is
     *     exceeded
     */
    public Entry append(int layer, Variable newKeys, Variable newValues) {
        if (newKeys.requiresGrad() || newValues.requiresGrad()) {
            throw new IllegalStateException(
                    "attention: gradients do not pass through a key-value cache; use Autograd.noGrad, or no cache");
        }
        return new Entry(
                Variable.constant(appendKeys(layer, newKeys.value())),
                Variable.constant(appendValues(layer, newValues.value())));
    }

    /**
     * Appends the keys of new tokens.
     *
     * @param added {@code [B, T, G, D]}
     * @return all keys so far, {@code [B, S, G, D]}
     */
    Tensor appendKeys(int layer, Tensor added) {
        return append(keys, keyCounts, layer, added);
    }

    /** {@link #appendKeys} for values. */
    Tensor appendValues(int layer, Tensor added) {
        return append(values, valueCounts, layer, added);
    }

    private Tensor append(@Nullable Tensor[] stores, long[] counts, int layer, Tensor added) {
        Shape shape = added.shape();
        long before = counts[layer];
        long after = before + shape.get(1);
        if (after > capacity) {
            throw new IllegalStateException("key-value cache: " + after + " tokens exceed the capacity of " + capacity);
        }
        Tensor store = stores[layer];
        if (store == null) {
            store = Scope.outside(() ->
                    Tensor.empty(added.device(), added.dtype(), shape.with(1, capacity), MemoryCategory.ACTIVATIONS));
            stores[layer] = store;
        }
        var movement = added.kernels().movement();
        movement.place(added, 1, before, store, false);
        counts[layer] = after;
        if (shape.get(0) == 1) {
            return store.reshape(capacity, shape.get(2), shape.get(3))
                    .slice(0, after)
                    .reshape(shape.with(1, after));
        }
        Tensor all = added.emptyLike(shape.with(1, after));
        movement.slice(store, 1, 0, all, false);
        return all;
    }
}
