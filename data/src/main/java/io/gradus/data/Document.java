package io.gradus.data;

import java.util.List;

/** An independent piece of training text. */
public sealed interface Document {

    /**
     * A text, all of which is trained on.
     *
     * @param text including white space
     */
    record Text(String text) implements Document {}

    /**
     * A prompt with its completion; only the completion is trained on.
     *
     * @param prompt is read but not trained on
     * @param completion follows the prompt directly; a space between the two must be in one of them
     */
    record PromptCompletion(String prompt, String completion) implements Document {}

    /**
     * A chat; only the messages of the assistant are trained on.
     *
     * @param messages at least one
     */
    record Chat(List<ChatMessage> messages) implements Document {
        public Chat {
            messages = List.copyOf(messages);
        }
    }
}
