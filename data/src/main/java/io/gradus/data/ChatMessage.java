package io.gradus.data;

import java.util.Locale;

/**
 * One turn of a chat.
 *
 * @param role who speaks
 * @param content what is said
 */
public record ChatMessage(Role role, String content) {

    /** Who speaks. */
    public enum Role {
        /** Says how the assistant should behave; first, if at all. */
        SYSTEM,
        /** Asks. */
        USER,
        /** Answers: what a model is trained to write. */
        ASSISTANT;

        /** As JSON has it: {@code system}, {@code user} or {@code assistant}. */
        public String word() {
            return name().toLowerCase(Locale.ROOT);
        }
    }
}
