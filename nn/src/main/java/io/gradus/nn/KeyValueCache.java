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
 * The keys and values of the tokens so far, for each layer, so that attention computes only those of new tokens. A recurrent
 * layer keeps its last state instead. A cache is for one sequence (or one batch of them); its memory outlives the scopes of
 * single steps.
 */
public final class KeyValueCache {
    private final long capacity;
    private final @Nullable Tensor[] keys;
    private final @Nullable Tensor[] values;
    private final long[] keyCounts;
    private final long[] valueCounts;
    private final @Nullable Recurrence[] recurrences;

    /**
     * Creates an empty cache. Its memory grows with the tokens that are appended, to at most twice of what they take.
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
        this.recurrences = new Recurrence[layers];
    }

    /** The number of tokens that every layer has seen: the position of the next one. */
    public long length() {
        return valueCounts[valueCounts.length - 1];
    }

    /**
     * Forgets all tokens but the first ones.
     *
     * @param tokens at most {@link #length}
     */
    public void truncate(long tokens) {
        if (tokens < 0 || tokens > length()) {
            throw new IllegalArgumentException(
                    "key-value cache: it has " + length() + " tokens and cannot be truncated to " + tokens);
        }
        Arrays.fill(keyCounts, tokens);
        Arrays.fill(valueCounts, tokens);
    }

    /** Frees the memory without waiting for the garbage collector. The cache must not be used afterwards. */
    public void release() {
        Stream.of(keys, values).flatMap(Arrays::stream).filter(Objects::nonNull).forEach(Tensor::release);
        Arrays.stream(recurrences).filter(Objects::nonNull).forEach(Recurrence::release);
    }

    // ---- recurrent layers ----

    /**
     * The state of a recurrent layer after its last token.
     *
     * @param hidden {@code [B, units]}
     * @param cell {@code [B, units]}
     */
    public record Recurrence(Tensor hidden, Tensor cell) {
        private void release() {
            hidden.release();
            cell.release();
        }
    }

    /** A copy of the state that a recurrent layer kept, which {@link #keep} does not change; null before its first token. */
    public @Nullable Recurrence recurrence(int layer) {
        Recurrence kept = recurrences[layer];
        return kept == null ? null : new Recurrence(copy(kept.hidden()), copy(kept.cell()));
    }

    private static Tensor copy(Tensor tensor) {
        return tensor.to(tensor.device(), tensor.dtype(), MemoryCategory.ACTIVATIONS);
    }

    /**
     * Keeps a copy of the state of a recurrent layer. No gradient passes through it.
     *
     * @param layer the index of the layer
     * @param tokens how many more tokens the layer has seen
     */
    public void keep(int layer, Recurrence state, long tokens) {
        Recurrence before = recurrences[layer];
        if (before != null) {
            before.release();
        }
        recurrences[layer] = Scope.outside(() -> new Recurrence(copy(state.hidden()), copy(state.cell())));
        valueCounts[layer] += tokens;
    }

    /** Forgets the states of recurrent layers: the next token is the first of a text. */
    public void forget() {
        Arrays.stream(recurrences).filter(Objects::nonNull).forEach(Recurrence::release);
        Arrays.fill(recurrences, null);
        Arrays.fill(valueCounts, 0);
    }

    // ---- attention layers ----

    /**
     * The keys and values of all tokens so far, which are valid until the next ones of their layer are appended.
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
        if (store == null || store.shape().get(1) < after) {
            store = grown(store, before, added, after);
            stores[layer] = store;
        }
        added.kernels().movement().place(added, 1, before, store, false);
        counts[layer] = after;
        return first(store, after);
    }

    /** A larger store with the tokens of the old one. */
    private Tensor grown(@Nullable Tensor old, long before, Tensor added, long after) {
        Shape shape = added.shape().with(1, Math.min(capacity, 2 * after));
        Tensor store =
                Scope.outside(() -> Tensor.empty(added.device(), added.dtype(), shape, MemoryCategory.ACTIVATIONS));
        if (old != null) {
            store.kernels().movement().place(first(old, before), 1, 0, store, false);
            old.release();
        }
        return store;
    }

    /** The first tokens of a store. */
    private static Tensor first(Tensor store, long tokens) {
        Shape shape = store.shape();
        if (shape.get(0) == 1) {
            return store.reshape(shape.get(1), shape.get(2), shape.get(3))
                    .slice(0, tokens)
                    .reshape(shape.with(1, tokens));
        }
        Tensor all = store.emptyLike(shape.with(1, tokens));
        store.kernels().movement().slice(store, 1, 0, all, false);
        return all;
    }
}
