package io.gradus.core;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Storage without memory of its own: its elements are in the memory of another tensor, which is provided when they are used and may be
 * taken away in between. For weights that are collected from several processes. Tensors that were kept for a backward pass see the
 * elements again when they are provided again.
 */
public final class AbsentStorage extends Storage {
    private @Nullable Runnable provider;
    private @Nullable Tensor elements;

    AbsentStorage(MemoryCategory category, MemoryLedger ledger) {
        super(0, category, ledger);
    }

    /**
     * The absent storage of a tensor.
     *
     * @throws IllegalArgumentException if the tensor was not created by {@link Tensor#absent}
     */
    public static AbsentStorage of(Tensor tensor) {
        if (tensor.sharedStorage() instanceof AbsentStorage absent) {
            return absent;
        }
        throw new IllegalArgumentException("the tensor " + tensor.describe() + " has memory of its own");
    }

    /** Sets what happens when the elements are used while they are absent: it must call {@link #provide}. */
    public void whenUsed(Runnable provider) {
        this.provider = provider;
    }

    /** Provides the elements: a tensor with as many elements, which must live until {@link #takeAway}. */
    public void provide(Tensor tensor) {
        elements = tensor;
    }

    /** Takes the elements away, until they are used again. */
    public void takeAway() {
        elements = null;
    }

    @Override
    Storage memory() {
        if (elements == null) {
            if (provider == null) {
                throw new IllegalStateException("the elements of this tensor are absent, and nothing provides them");
            }
            provider.run();
        }
        return Objects.requireNonNull(elements).storage();
    }

    @Override
    protected void recycle() {
        // the memory belongs to another tensor
    }
}
