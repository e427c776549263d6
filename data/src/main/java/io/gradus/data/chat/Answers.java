package io.gradus.data.chat;

import io.gradus.data.chat.RenderedChat.Span;
import io.gradus.data.jinja.Template.Rendering;
import io.gradus.data.jinja.Template.Visit;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Finds what the assistant says in a rendered chat.
 *
 * <p>An answer begins where the prompt for it ends: the chat before it, rendered with {@code add_generation_prompt}. Rendering
 * every prompt would take time quadratic in the number of turns, so the answer's place is known from the loop over the messages,
 * and its header, such as {@code <|im_start|>assistant}, from the first prompt. This is verified with the prompts of the first,
 * second, fourth, eighth … and last answer, which together are about as long as two chats. If a template writes messages
 * without a loop over them, all prompts are rendered.
 */
final class Answers {
    /** The characters that all prompts of a chat may have together. */
    private static final long MAX_PROMPT_CHARACTERS = 1L << 28;

    /** A thinking block without thoughts, which some templates put before an answer. */
    private static final Pattern NO_THOUGHTS = Pattern.compile("<think>\\s*</think>\\s*");

    private final List<Map<String, Object>> messages;
    private final String text;
    private final Renderer renderer;
    private final List<Integer> assistants;

    /** Renders the beginning of the chat. */
    @FunctionalInterface
    interface Renderer {
        /**
         * @param count of messages
         * @param prompt whether the assistant's next answer is begun
         */
        String render(int count, boolean prompt);
    }

    private Answers(List<Map<String, Object>> messages, String text, Renderer renderer) {
        this.messages = messages;
        this.text = text;
        this.renderer = renderer;
        this.assistants = IntStream.range(0, messages.size())
                .filter(i ->
                        ChatMessage.Role.ASSISTANT.word().equals(messages.get(i).get("role")))
                .boxed()
                .toList();
    }

    /**
     * The answers of a chat whose template does not mark them.
     *
     * @param messages as the template gets them
     * @param whole the rendered chat
     * @throws IllegalArgumentException if an answer cannot be found, or is not what the message says
     */
    static List<Span> find(List<Map<String, Object>> messages, Rendering whole, Renderer renderer) {
        Answers answers = new Answers(messages, whole.text(), renderer);
        List<Span> spans = answers.inLoop(whole.visits());
        if (spans == null) {
            spans = answers.betweenPrompts();
        }
        List<Span> found = new ArrayList<>();
        for (int i = 0; i < spans.size(); i++) {
            int message = answers.assistants.get(i);
            answers.requireSaid(message, spans.get(i));
            found.add(answers.withoutEmptyThoughts(message, spans.get(i)));
        }
        return found;
    }

    // ---- in the loop over the messages ----

    /** The answers, if each message is one round of a loop and the prompts fit to that; else null. */
    private @Nullable List<Span> inLoop(List<Visit> visits) {
        IdentityHashMap<Map<?, ?>, Visit> rounds = new IdentityHashMap<>();
        for (Visit visit : visits) {
            if (rounds.put(visit.item(), visit) != null) {
                return null; // written twice
            }
        }
        Header header = null;
        List<Span> spans = new ArrayList<>();
        for (int message : assistants) {
            Visit round = rounds.get(messages.get(message));
            if (round == null) {
                return null;
            }
            header = header == null ? header(message, round) : header;
            if (header == null || !header.begins(text, round)) {
                return null;
            }
            spans.add(new Span(round.from() + header.length, round.to()));
        }
        return promptsEndWhere(spans) ? spans : null;
    }

    /**
     * What a round writes before the answer.
     *
     * @param length of the header; negative if the prompt ends before the round begins
     * @param text of the header, or of what is between the prompt and the round
     */
    private record Header(int length, String text) {

        boolean begins(String whole, Visit round) {
            int from = Math.min(round.from(), round.from() + length);
            return from >= 0 && round.from() + length <= round.to() && whole.startsWith(text, from);
        }
    }

    private @Nullable Header header(int message, Visit round) {
        String prompt = message == 0 ? promptAtEnd() : renderer.render(message, true);
        int end = message == 0 ? round.from() + prompt.length() : prompt.length();
        if (message == 0 ? !text.startsWith(prompt, round.from()) : !text.startsWith(prompt)) {
            return message == 0 ? new Header(0, "") : null;
        }
        int from = Math.min(round.from(), end);
        return new Header(end - round.from(), text.substring(from, Math.max(round.from(), end)));
    }

    /** The header of an answer after the whole chat, for a chat that the assistant begins: there is no chat before it. */
    private String promptAtEnd() {
        String longer = renderer.render(messages.size(), true);
        return longer.startsWith(text) ? longer.substring(text.length()) : "";
    }

    private boolean promptsEndWhere(List<Span> spans) {
        for (int checked = 1; !spans.isEmpty(); checked *= 2) {
            int answer = Math.min(checked, spans.size()) - 1;
            int message = assistants.get(answer);
            if (message > 0) {
                String prompt = renderer.render(message, true);
                if (prompt.length() != spans.get(answer).from() || !text.startsWith(prompt)) {
                    return false;
                }
            }
            if (checked >= spans.size()) {
                break;
            }
        }
        return true;
    }

    // ---- without a loop ----

    /** Each answer between its prompt and the end of the chat up to it. */
    private List<Span> betweenPrompts() {
        if ((long) assistants.size() * text.length() > MAX_PROMPT_CHARACTERS) {
            throw new IllegalArgumentException("the answers of this chat cannot be found, because it is too long for a"
                    + " template that does not loop over the messages; use another template, or shorter chats");
        }
        List<Span> spans = new ArrayList<>();
        for (int message : assistants) {
            String prompt = message == 0 ? "" : renderer.render(message, true);
            if (!text.startsWith(prompt)) {
                throw new IllegalArgumentException("messages[" + message + "]: the template writes the messages before"
                        + " this answer differently when more follow, so the model would be trained on other prompts than"
                        + " it gets; split the chat so that it ends with this answer, or use another template");
            }
            String answered = renderer.render(message + 1, false);
            spans.add(new Span(prompt.length(), Math.max(prompt.length(), common(answered, text))));
        }
        return spans;
    }

    private static int common(String a, String b) {
        int length = Math.min(a.length(), b.length());
        for (int i = 0; i < length; i++) {
            if (a.charAt(i) != b.charAt(i)) {
                return i;
            }
        }
        return length;
    }

    // ---- what is said ----

    /** Requires that the answer has all of the message's text. White space may differ, because templates trim it. */
    private void requireSaid(int message, Span answer) {
        String written = null;
        for (String field : ChatTemplate.SAID) {
            if (messages.get(message).get(field) instanceof String said && !said.isBlank()) {
                written = written == null ? dense(text.substring(answer.from(), answer.to())) : written;
                if (!written.contains(dense(said))) {
                    throw new IllegalArgumentException("messages[" + message + "]." + field
                            + ": the template leaves out a part of this answer, such as the reasoning before a later"
                            + " message, so the model cannot be trained on it; split the chat so that it ends with this"
                            + " answer, remove what is left out, or use another template");
                }
            }
        }
    }

    private static String dense(String text) {
        StringBuilder out = new StringBuilder(text.length());
        text.codePoints()
                .filter(c -> !Character.isWhitespace(c) && !Character.isSpaceChar(c))
                .forEach(out::appendCodePoint);
        return out.toString();
    }

    /** The answer without a thinking block that the template has added: the model must not learn to skip its thoughts. */
    private Span withoutEmptyThoughts(int message, Span answer) {
        Matcher block = NO_THOUGHTS.matcher(text).region(answer.from(), answer.to());
        boolean added = block.lookingAt()
                && !(messages.get(message).get("content") instanceof String content
                        && content.stripLeading().startsWith("<think>"));
        return added ? new Span(block.end(), answer.to()) : answer;
    }
}
