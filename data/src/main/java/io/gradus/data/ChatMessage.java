package io.gradus.data;

import java.util.Locale;

/**
 * One turn of a chat.
 *
 * @param role the author
 * @param content the text
 */
public record ChatMessage(Role role, String content) {

    /** The author of a message. */
    public enum Role {
        /** Instructs the assistant; only the first message can have this role. */
        SYSTEM,
        /** The user. */
        USER,
        /** The model, which is trained on these messages. */
        ASSISTANT;

        /** The role in JSON: {@code system}, {@code user} or {@code assistant}. */
        public String word() {
            return name().toLowerCase(Locale.ROOT);
        }
    }
}
