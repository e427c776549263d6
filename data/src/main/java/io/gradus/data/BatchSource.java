package io.gradus.data;

import io.gradus.core.Device;
import io.gradus.core.Tensor;
import io.gradus.data.Batches.Batch;
import java.util.Map;

/**
 * Numbered batches. A batch is a function of its number alone, so that a run resumes with nothing but a number, and the {@link
 * #state} if there is one. {@link Batches} implements this interface for text.
 */
public interface BatchSource {

    /** The most rows of a batch, B. */
    int batchSize();

    /** The most tokens of a row, T. */
    int length();

    /** Batches in one pass over the data, at least 1. */
    long batchesPerEpoch();

    /** Tokens in one pass over the data, for reports. */
    long tokensPerEpoch();

    /**
     * Makes a batch.
     *
     * @param index from 0; training goes beyond {@link #batchesPerEpoch()}
     * @param device of its tensors
     */
    Batch batch(long index, Device device);

    /** By what the learning rate is multiplied at a batch, for example because it is shorter than others; by default 1. */
    default double rateFactor(long index) {
        return 1;
    }

    /**
     * What passes from batch to batch beside the weights, by name, which a run that resumes needs. By default nothing; contiguous
     * {@link Batches} have the state of a recurrent network.
     */
    default Map<String, Tensor> state() {
        return Map.of();
    }

    /** Restores a {@link #state}. */
    default void load(Map<String, Tensor> state) {}
}
