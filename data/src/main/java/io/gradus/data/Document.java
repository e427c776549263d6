package io.gradus.data;

import java.util.List;

/** A piece of training text that stands by itself. */
public sealed interface Document {

    /**
     * A text, all of which is learnt.
     *
     * @param text as it is, white space included
     */
    record Text(String text) implements Document {}

    /**
     * A question and its answer, or any text of which only the second part is learnt.
     *
     * @param prompt is read, and does not count towards the loss
     * @param completion follows the prompt directly: a space between the two must be in one of them
     */
    record PromptCompletion(String prompt, String completion) implements Document {}

    /**
     * A chat, of which what the assistant says is learnt.
     *
     * @param messages at least one
     */
    record Chat(List<ChatMessage> messages) implements Document {
        public Chat {
            messages = List.copyOf(messages);
        }
    }
}
