package io.gradus.data;

import java.util.Map;
import java.util.Optional;

/** The batches of a run: for training, for evaluation, and of text that the model already knows. */
public interface Dataset {

    /** Batches to train on. */
    BatchSource training();

    /**
     * Batches to evaluate on, by name. Each evaluation reads every source once. The first source is the held-out set, which
     * decides early stopping and the best weights.
     */
    Map<String, BatchSource> evaluation();

    /** Batches of text that the model already knows, from which elastic weight consolidation estimates importance. */
    default Optional<BatchSource> general() {
        return Optional.empty();
    }

    /** The prompt of the samples before and after training, when the recipe has none. */
    default Optional<String> samplePrompt() {
        return Optional.empty();
    }
}
