package io.gradus.data;

import io.gradus.data.chat.ChatTemplate;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

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

    /** The tokens of the prompt of the samples before and after training, when the recipe has none. */
    default Optional<int[]> samplePrompt() {
        return Optional.empty();
    }

    /** The tokens that end what the model is trained to write, besides the tokenizer's eos. Generation stops there. */
    default Set<Integer> stopIds() {
        return Set.of();
    }

    /** The template of the chats that the model is trained on, which the saved model gets; empty if there are none. */
    default Optional<ChatTemplate> chatTemplate() {
        return Optional.empty();
    }
}
