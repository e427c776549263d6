package io.gradus.train.export;

import io.gradus.data.chat.ChatMessage;
import io.gradus.data.chat.ChatMessage.Role;
import io.gradus.data.chat.ChatTemplate;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A chat template in the language of Ollama, that of Go. A template in Jinja has no translation in general, but most do one thing:
 * they put a text in front of each message and one behind. These texts are found by writing a few chats, and checked with others.
 *
 * @param withoutSystem in front of a chat without a message of the system
 * @param system around a message of the system
 * @param user around a message of the user
 * @param assistant around a message of the assistant
 * @param prompt in front of the answer that the model writes
 */
record OllamaTemplate(String withoutSystem, Around system, Around user, Around assistant, String prompt) {

    /** What is in front of a message and behind it. */
    record Around(String before, String after) {
        private String text(String content) {
            return before + content + after;
        }
    }

    private static final String S = "Mind the rules";
    private static final String X = "First question";
    private static final String Y = "First answer";
    private static final String Z = "Second question";

    /**
     * The translation of a template, if there is one.
     *
     * @param bos the text of the bos token, if Ollama adds it; empty otherwise
     */
    static Optional<OllamaTemplate> of(ChatTemplate template, String bos) {
        try {
            return find(template, bos).filter(found -> found.isRight(template, bos) && found.isQuotable());
        } catch (IllegalArgumentException e) {
            return Optional.empty(); // a template for other chats, such as those without a system
        }
    }

    private static Optional<OllamaTemplate> find(ChatTemplate template, String bos) {
        List<ChatMessage> one = chat(X);
        List<ChatMessage> three = chat(X, Y, Z);
        String question = written(template, one, bos);
        String asked = prompted(template, one, bos);
        String answered = written(template, chat(X, Y), bos);
        String more = prompted(template, three, bos);
        String ruled = prompted(template, withSystem(one), bos);
        String userAfter = after(question, X);
        String assistantAfter = after(answered, Y);
        String beforeAnswer = between(more, X, Y);
        String beforeSecond = between(more, Y, Z);
        String afterSystem = between(ruled, S, X);
        if (!beforeAnswer.startsWith(userAfter)
                || !beforeSecond.startsWith(assistantAfter)
                || !after(asked, X).startsWith(userAfter)) {
            return Optional.empty();
        }
        String userBefore = beforeSecond.substring(assistantAfter.length());
        String begin = asked.substring(0, asked.indexOf(X));
        if (!begin.endsWith(userBefore) || !afterSystem.endsWith(userBefore)) {
            return Optional.empty();
        }
        return Optional.of(new OllamaTemplate(
                withoutEnd(begin, userBefore),
                new Around(ruled.substring(0, ruled.indexOf(S)), withoutEnd(afterSystem, userBefore)),
                new Around(userBefore, userAfter),
                new Around(beforeAnswer.substring(userAfter.length()), assistantAfter),
                after(asked, X).substring(userAfter.length())));
    }

    private static List<ChatMessage> chat(String... turns) {
        List<ChatMessage> messages = new ArrayList<>();
        for (String turn : turns) {
            messages.add(new ChatMessage(messages.size() % 2 == 0 ? Role.USER : Role.ASSISTANT, turn));
        }
        return messages;
    }

    private static List<ChatMessage> withSystem(List<ChatMessage> messages) {
        List<ChatMessage> all = new ArrayList<>(List.of(new ChatMessage(Role.SYSTEM, S)));
        all.addAll(messages);
        return all;
    }

    private static String written(ChatTemplate template, List<ChatMessage> messages, String bos) {
        return withoutBegin(template.text(messages, Map.of()), bos);
    }

    private static String prompted(ChatTemplate template, List<ChatMessage> messages, String bos) {
        return withoutBegin(template.prompt(messages, Map.of()), bos);
    }

    private static String withoutBegin(String text, String begin) {
        return text.startsWith(begin) ? text.substring(begin.length()) : text;
    }

    private static String withoutEnd(String text, String end) {
        return text.substring(0, text.length() - end.length());
    }

    /** @throws IllegalArgumentException if a text does not contain a part */
    private static String after(String text, String part) {
        int at = text.lastIndexOf(part);
        if (at < 0) {
            throw new IllegalArgumentException("the template leaves out a message");
        }
        return text.substring(at + part.length());
    }

    private static String between(String text, String first, String second) {
        String rest = after(text, first);
        int at = rest.indexOf(second);
        if (at < 0) {
            throw new IllegalArgumentException("the template leaves out a message");
        }
        return rest.substring(0, at);
    }

    /** Whether chats that were not used to find it are the same. */
    private boolean isRight(ChatTemplate template, String bos) {
        List<ChatMessage> longer = chat("One?", "Two.", "Three?", "Four.", "Five?");
        return List.of(chat("Hi"), withSystem(longer), longer).stream()
                .allMatch(messages -> text(messages).equals(prompted(template, messages, bos)));
    }

    private String text(List<ChatMessage> messages) {
        StringBuilder text = new StringBuilder();
        if (!messages.getFirst().role().equals(Role.SYSTEM.word())) {
            text.append(withoutSystem);
        }
        for (ChatMessage message : messages) {
            text.append(
                    switch (message.role()) {
                        case "system" -> system.text(message.content());
                        case "user" -> user.text(message.content());
                        default -> assistant.text(message.content());
                    });
        }
        return text.append(prompt).toString();
    }

    private boolean isQuotable() {
        String all = withoutSystem + system + user + assistant + prompt;
        return !all.contains("{{") && !all.contains("\"\"\"");
    }

    /** The template in Go's language. */
    @Override
    public String toString() {
        return "{{ if .System }}" + system.text("{{ .System }}")
                + (withoutSystem.isEmpty() ? "" : "{{ else }}" + withoutSystem) + "{{ end }}"
                + "{{ range .Messages }}{{ if eq .Role \"user\" }}" + user.text("{{ .Content }}")
                + "{{ else if eq .Role \"assistant\" }}" + assistant.text("{{ .Content }}") + "{{ end }}{{ end }}"
                + prompt;
    }
}
