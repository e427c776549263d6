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
 * The keys and values of the tokens so far, per layer, so that a new token computes only its own. Made for one sequence of
 * generation; its memory outlives the scopes of single steps.
 */
public final class KeyValueCache {
    private final long capacity;
    private final @Nullable Tensor[] keys;
    private final @Nullable Tensor[] values;
    private final long[] keyCounts;
    private final long[] valueCounts;

    /**
     * @param layers of the model
     * @param capacity tokens at most
     */
    public KeyValueCache(int layers, long capacity) {
        this.capacity = capacity;
        this.keys = new Tensor[layers];
        this.values = new Tensor[layers];
        this.keyCounts = new long[layers];
        this.valueCounts = new long[layers];
    }

    /** How many tokens every layer has seen: the position of the next. */
    public long length() {
        return valueCounts[valueCounts.length - 1];
    }

    /** Gives the memory back, before the garbage collector finds it; the cache cannot be used any more. */
    public void release() {
        Stream.of(keys, values).flatMap(Arrays::stream).filter(Objects::nonNull).forEach(Tensor::release);
    }

    /**
     * What attention reads: the keys and values of all tokens so far.
     *
     * @param keys {@code [B, S, G, D]}
     * @param values {@code [B, S, G, D]}
     */
    public record Entry(Variable keys, Variable values) {}

    /**
     * Adds the keys and values of new tokens, each {@code [B, T, G, D]}.
     *
     * @throws IllegalStateException when history is recorded: no gradient passes through the cache
     */
    public Entry append(int layer, Variable freshKeys, Variable freshValues) {
        if (freshKeys.requiresGrad() || freshValues.requiresGrad()) {
            throw new IllegalStateException(
                    "attention: no gradient passes through a key-value cache; compute inside Autograd.noGrad, or"
                            + " without one");
        }
        return new Entry(
                Variable.constant(appendKeys(layer, freshKeys.value())),
                Variable.constant(appendValues(layer, freshValues.value())));
    }

    /**
     * Adds the keys of new tokens.
     *
     * @param fresh {@code [B, T, G, D]}
     * @return all keys so far, {@code [B, S, G, D]}
     */
    Tensor appendKeys(int layer, Tensor fresh) {
        return append(keys, keyCounts, layer, fresh);
    }

    /** {@link #appendKeys} for values. */
    Tensor appendValues(int layer, Tensor fresh) {
        return append(values, valueCounts, layer, fresh);
    }

    private Tensor append(@Nullable Tensor[] stores, long[] counts, int layer, Tensor fresh) {
        Shape shape = fresh.shape();
        long before = counts[layer];
        long after = before + shape.get(1);
        if (after > capacity) {
            throw new IllegalStateException("key-value cache: " + after + " tokens do not fit into " + capacity);
        }
        Tensor store = stores[layer];
        if (store == null) {
            store = Scope.outside(() ->
                    Tensor.empty(fresh.device(), fresh.dtype(), shape.with(1, capacity), MemoryCategory.ACTIVATIONS));
            stores[layer] = store;
        }
        var movement = fresh.kernels().movement();
        movement.place(fresh, 1, before, store, false);
        counts[layer] = after;
        if (shape.get(0) == 1) {
            return store.reshape(capacity, shape.get(2), shape.get(3))
                    .slice(0, after)
                    .reshape(shape.with(1, after));
        }
        Tensor all = fresh.emptyLike(shape.with(1, after));
        movement.slice(store, 1, 0, all, false);
        return all;
    }
}
