package io.gradus.data;

import org.jspecify.annotations.Nullable;

/**
 * Two texts that belong together, or whose likeness is known.
 *
 * @param text not blank; with a positive one, the anchor, such as a question
 * @param other not blank; the positive, such as the answer, or the text that is compared
 * @param negative like the positive, but wrong; null if there is none, or if there is a score
 * @param score how alike the texts are, from 0 to 1; null if {@code other} is a positive
 */
public record EmbeddingExample(
        String text,
        String other,
        @Nullable String negative,
        @Nullable Double score) {}
