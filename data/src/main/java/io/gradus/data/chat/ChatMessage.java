package io.gradus.data.chat;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One turn of a chat.
 *
 * @param fields as in JSON: at least {@code role} and usually {@code content}; templates may know others, such as {@code
 *     tool_calls}. Values are null, booleans, numbers, strings, lists, and maps
 */
public record ChatMessage(Map<String, @Nullable Object> fields) {

    /** The usual authors of messages. */
    public enum Role {
        /** Instructs the assistant. */
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

    /**
     * @throws IllegalArgumentException if {@code role} is not a string
     */
    public ChatMessage {
        if (!(fields.get("role") instanceof String)) {
            throw new IllegalArgumentException(
                    "a message needs a role that is a string; this one has " + fields.keySet());
        }
        fields = Collections.unmodifiableMap(new LinkedHashMap<>(fields));
    }

    /** A message with only a text. */
    public ChatMessage(Role role, String content) {
        this(roleAndContent(role, content));
    }

    private static Map<String, @Nullable Object> roleAndContent(Role role, String content) {
        Map<String, @Nullable Object> fields = new LinkedHashMap<>();
        fields.put("role", role.word());
        fields.put("content", content);
        return fields;
    }

    /** The author, such as {@code user}. */
    public String role() {
        return (String) Objects.requireNonNull(fields.get("role"));
    }

    /** The text; empty if {@code content} is missing, or something else than a text. */
    public String content() {
        return fields.get("content") instanceof String text ? text : "";
    }

    /** Whether the model is trained on this message. */
    public boolean isAssistant() {
        return role().equals(Role.ASSISTANT.word());
    }
}
