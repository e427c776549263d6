package io.gradus.data;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A text, or a pair of texts, with its labels.
 *
 * @param text not blank
 * @param pair the second text, or null
 * @param labels none if they are unknown or if none applies; each is a class, or a number in words
 */
public record LabeledExample(String text, @Nullable String pair, List<String> labels) {
    public LabeledExample {
        labels = List.copyOf(labels);
    }
}
