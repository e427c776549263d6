package io.gradus.data;

import java.util.List;

/**
 * A sentence in words, with a tag for each.
 *
 * @param words at least one, none blank
 * @param tags one for each word, such as {@code B-PER}; empty if they are unknown
 */
public record TaggedWords(List<String> words, List<String> tags) {
    public TaggedWords {
        words = List.copyOf(words);
        tags = List.copyOf(tags);
        if (words.isEmpty()) {
            throw new IllegalArgumentException("a sentence needs at least one word");
        }
        if (!tags.isEmpty() && tags.size() != words.size()) {
            throw new IllegalArgumentException(
                    "the sentence has " + words.size() + " words and " + tags.size() + " tags");
        }
    }
}
