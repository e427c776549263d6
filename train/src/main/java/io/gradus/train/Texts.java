package io.gradus.train;

import io.gradus.data.Document;
import java.util.List;
import java.util.Optional;

/**
 * Documents in memory, for the texts that a recipe names no files for. The recipe's own files win. Each method is called
 * only when its documents are needed.
 */
public interface Texts {
    /** No text but the recipe's own files. */
    Texts NONE = new Texts() {};

    /** Documents to train on, when the recipe has neither {@code data.train} nor {@code data.sources}. */
    default Optional<List<Document>> training() {
        return Optional.empty();
    }

    /** Documents to evaluate on, when {@link #training()} is used and the recipe has no {@code data.eval}. */
    default Optional<List<Document>> heldOut() {
        return Optional.empty();
    }

    /** Documents of the kind that the model already knows, when the recipe has no {@code data.general}. */
    default Optional<List<Document>> general() {
        return Optional.empty();
    }

    /** Documents to replay against forgetting, when {@link #general()} is used and the recipe has no {@code data.replay}. */
    default Optional<List<Document>> known() {
        return Optional.empty();
    }
}
