package io.gradus.data.chat;

import java.util.List;

/**
 * A chat as text.
 *
 * @param text with its special tokens, also those at the beginning and the end
 * @param answers the parts that are trained on, in order
 * @param marked whether the template marks the answers; otherwise white space at the end of an answer belongs to it only if no
 *     token for the end of the answer is before it
 */
public record RenderedChat(String text, List<Span> answers, boolean marked) {
    public RenderedChat {
        answers = List.copyOf(answers);
    }

    /**
     * A part of the text.
     *
     * @param from the index of its first character
     * @param to the index after its last character
     */
    public record Span(int from, int to) {}
}
