package io.gradus.data;

import io.gradus.data.ChatMessage.Role;
import io.gradus.data.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.SequencedSet;
import java.util.stream.Collectors;

/**
 * How a chat is written as text, as defined by the publishers of the models; {@code bos} and {@code eos} are the tokenizer's own
 * tokens. A model is trained on the assistant's messages and the token that ends each, but not on the headers before them.
 */
public enum ChatTemplate {
    /**
     * Llama 2 (Touvron et al. 2023). The system message is part of the first user message. User and assistant must alternate.
     *
     * <pre>
     * bos [INST] &lt;&lt;SYS&gt;&gt;
     * system
     * &lt;&lt;/SYS&gt;&gt;
     *
     * user [/INST] assistant eos bos [INST] user [/INST] assistant eos
     * </pre>
     */
    LLAMA2 {
        @Override
        void write(List<ChatMessage> messages, Transcript to) {
            String system = "";
            for (ChatMessage message : messages) {
                String content = trim(message.content());
                switch (message.role()) {
                    case SYSTEM -> system = "<<SYS>>\n" + message.content() + "\n<</SYS>>\n\n";
                    case USER -> {
                        // with a system message, all of it is trimmed, as in the published template
                        String asked = system.isEmpty() ? content : trim(system + message.content());
                        to.bos().plain("[INST] " + asked + " [/INST]");
                        system = "";
                    }
                    case ASSISTANT ->
                        to.answer(() -> to.plain(" " + content + " ").eos());
                }
            }
        }

        @Override
        void openAnswer(Transcript to) {
            // an answer follows [/INST]
        }

        @Override
        void requireOrder(List<ChatMessage> messages) {
            int first = messages.getFirst().role() == Role.SYSTEM ? 1 : 0;
            for (int i = first; i < messages.size(); i++) {
                Role expected = (i - first) % 2 == 0 ? Role.USER : Role.ASSISTANT;
                if (messages.get(i).role() != expected) {
                    throw new IllegalArgumentException("messages[" + i + "].role is "
                            + messages.get(i).role().word() + " where chat_template llama2 needs " + expected.word()
                            + ": the two alternate");
                }
            }
            if (first == messages.size()) {
                throw new IllegalArgumentException(
                        "messages: chat_template llama2 writes the system message into the user message, and there is"
                                + " none");
            }
        }
    },
    /**
     * Llama 3 (Grattafiori et al. 2024).
     *
     * <pre>
     * bos&lt;|start_header_id|&gt;user&lt;|end_header_id|&gt;
     *
     * content&lt;|eot_id|&gt;&lt;|start_header_id|&gt;assistant&lt;|end_header_id|&gt;
     *
     * content&lt;|eot_id|&gt;
     * </pre>
     */
    LLAMA3 {
        @Override
        void write(List<ChatMessage> messages, Transcript to) {
            to.bos();
            for (ChatMessage message : messages) {
                header(message.role(), to);
                to.turn(message, () -> to.plain(trim(message.content())).special("<|eot_id|>"));
            }
        }

        @Override
        void openAnswer(Transcript to) {
            header(Role.ASSISTANT, to);
        }

        private void header(Role role, Transcript to) {
            to.special("<|start_header_id|>").plain(role.word());
            to.special("<|end_header_id|>").plain("\n\n");
        }
    },
    /**
     * ChatML, used by Qwen and others.
     *
     * <pre>
     * &lt;|im_start|&gt;user
     * content&lt;|im_end|&gt;
     * &lt;|im_start|&gt;assistant
     * content&lt;|im_end|&gt;
     * </pre>
     */
    CHATML {
        @Override
        void write(List<ChatMessage> messages, Transcript to) {
            for (ChatMessage message : messages) {
                header(message.role(), to);
                to.turn(message, () -> to.plain(message.content()).special("<|im_end|>"));
                to.plain("\n");
            }
        }

        @Override
        void openAnswer(Transcript to) {
            header(Role.ASSISTANT, to);
        }

        private void header(Role role, Transcript to) {
            to.special("<|im_start|>").plain(role.word() + "\n");
        }
    },
    /**
     * Text without special tokens other than bos and eos, for base models. If the tokenizer has no eos, a line break ends an
     * answer.
     *
     * <pre>
     * User: content
     * Assistant: content eos
     * </pre>
     */
    PLAIN {
        @Override
        void write(List<ChatMessage> messages, Transcript to) {
            if (to.tokenizer.addsBos()) {
                to.bos();
            }
            boolean ends = to.tokenizer.eos().isPresent();
            for (int i = 0; i < messages.size(); i++) {
                ChatMessage message = messages.get(i);
                to.plain(name(message.role()));
                if (message.role() == Role.ASSISTANT && ends) {
                    to.answer(() -> to.plain(" " + message.content()).eos());
                    to.plain(i < messages.size() - 1 ? "\n" : "");
                } else {
                    to.turn(message, () -> to.plain(" " + message.content() + "\n"));
                }
            }
        }

        @Override
        void openAnswer(Transcript to) {
            to.plain(name(Role.ASSISTANT));
        }

        private String name(Role role) {
            return switch (role) {
                case SYSTEM -> "System:";
                case USER -> "User:";
                case ASSISTANT -> "Assistant:";
            };
        }
    };

    /**
     * A chat as text.
     *
     * @param text including special tokens
     * @param answers the parts to train on, in order
     * @param special the special tokens in the text
     */
    public record Rendered(String text, List<Span> answers, SequencedSet<String> special) {}

    /**
     * A part of a text.
     *
     * @param from the index of its first character
     * @param to the index after its last character
     */
    public record Span(int from, int to) {}

    abstract void write(List<ChatMessage> messages, Transcript to);

    abstract void openAnswer(Transcript to);

    void requireOrder(List<ChatMessage> messages) {}

    /**
     * Writes a chat.
     *
     * @param tokenizer whose bos and eos are used
     * @throws IllegalArgumentException if the template cannot write these messages, or needs a token that the tokenizer does not
     *     have
     */
    public Rendered render(List<ChatMessage> messages, Tokenizer tokenizer) {
        require(messages);
        Transcript transcript = new Transcript(this, tokenizer);
        write(messages, transcript);
        return transcript.finish();
    }

    /**
     * Writes a chat up to the beginning of the assistant's next answer, for generation.
     *
     * @throws IllegalArgumentException as {@link #render}
     */
    public Rendered renderPrompt(List<ChatMessage> messages, Tokenizer tokenizer) {
        require(messages);
        Transcript transcript = new Transcript(this, tokenizer);
        write(messages, transcript);
        openAnswer(transcript);
        return transcript.finish();
    }

    /**
     * Checks the order of the roles.
     *
     * @throws IllegalArgumentException naming the message that is out of order, such as {@code messages[2].role}
     */
    public void require(List<ChatMessage> messages) {
        if (messages.isEmpty()) {
            throw new IllegalArgumentException("messages: the list is empty");
        }
        for (int i = 1; i < messages.size(); i++) {
            if (messages.get(i).role() == Role.SYSTEM) {
                throw new IllegalArgumentException(
                        "messages[" + i + "].role is system; only the first message can be a system message");
            }
        }
        requireOrder(messages);
    }

    /** The template whose special tokens a tokenizer has: Llama 3 or ChatML; the others have no distinctive tokens. */
    public static Optional<ChatTemplate> suggestedBy(Tokenizer tokenizer) {
        if (tokenizer.encode("<|start_header_id|>").length == 1) {
            return Optional.of(LLAMA3);
        }
        return tokenizer.encode("<|im_start|>").length == 1 ? Optional.of(CHATML) : Optional.empty();
    }

    /** The name in recipes, such as {@code llama3}. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** Strips white space like Python's {@code strip}, because the published templates are Python. */
    private static String trim(String text) {
        int from = 0;
        int to = text.length();
        while (from < to && isSpace(text.charAt(from))) {
            from++;
        }
        while (to > from && isSpace(text.charAt(to - 1))) {
            to--;
        }
        return text.substring(from, to);
    }

    private static boolean isSpace(char c) {
        return Character.isWhitespace(c) || Character.isSpaceChar(c) || c == '\u0085';
    }

    /** Collects the text and the parts to train on. */
    static final class Transcript {
        private final ChatTemplate template;
        private final Tokenizer tokenizer;
        private final StringBuilder text = new StringBuilder();
        private final List<Span> answers = new ArrayList<>();
        private final SequencedSet<String> special = new LinkedHashSet<>();

        Transcript(ChatTemplate template, Tokenizer tokenizer) {
            this.template = template;
            this.tokenizer = tokenizer;
        }

        Transcript plain(String words) {
            text.append(words);
            return this;
        }

        Transcript special(String token) {
            special.add(token);
            return plain(token);
        }

        Transcript bos() {
            return special(spelled("bos", tokenizer.bos()));
        }

        Transcript eos() {
            return special(spelled("eos", tokenizer.eos()));
        }

        private String spelled(String name, OptionalInt id) {
            String token = id.isPresent() ? tokenizer.spell(new int[] {id.getAsInt()}) : "";
            if (token.isEmpty()) {
                throw new IllegalArgumentException("chat_template " + template + " needs a token for " + name
                        + ", and the tokenizer (" + tokenizer + ") has none; use another template, or set " + name
                        + "_token in tokenizer_config.json");
            }
            return token;
        }

        /** Writes text to train on. */
        void answer(Runnable write) {
            int from = text.length();
            write.run();
            answers.add(new Span(from, text.length()));
        }

        /** Writes a message, and trains on it if it is the assistant's. */
        void turn(ChatMessage message, Runnable write) {
            if (message.role() == Role.ASSISTANT) {
                answer(write);
            } else {
                write.run();
            }
        }

        /** Checks that the tokenizer has each special token; otherwise the token would be split. */
        Rendered finish() {
            String missing = special.stream()
                    .filter(token -> tokenizer.encode(token).length != 1)
                    .collect(Collectors.joining(" and "));
            if (!missing.isEmpty()) {
                throw new IllegalArgumentException("chat_template " + template + " needs the special token " + missing
                        + ", which the tokenizer (" + tokenizer + ") does not have; use the template of the model's"
                        + " own family, or plain");
            }
            return new Rendered(text.toString(), List.copyOf(answers), special);
        }
    }
}
