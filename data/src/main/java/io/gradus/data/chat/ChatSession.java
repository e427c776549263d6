package io.gradus.data.chat;

import io.gradus.data.tokenizer.LongText;
import io.gradus.data.tokenizer.StreamingDecoder;
import io.gradus.data.tokenizer.Tokenizer;
import io.gradus.nn.generate.ReadText;
import io.gradus.nn.generate.Sampling;
import io.gradus.nn.generate.TextGeneration;
import io.gradus.nn.model.LanguageModel;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;

/**
 * A conversation with a model. The model reads only what is new in each turn: the keys and values of earlier ones are kept. Not
 * thread-safe.
 *
 * {@snippet :
 * Path folder = Path.of("my-chat");
 * Tokenizer tokenizer = Tokenizer.load(folder);
 * LanguageModel model = LanguageModel.load(folder, Device.cpu());
 * ChatTemplate template = ChatTemplate.choose(null, tokenizer).orElseThrow();
 * TextGeneration generation = new TextGeneration(Sampling.GREEDY, 200, tokenizer.eosIds(), true);
 * try (ChatSession chat = new ChatSession(model, tokenizer, template, generation)) {
 *     chat.add(new ChatMessage(ChatMessage.Role.SYSTEM, "You are a pirate."));
 *     System.out.println(chat.say("Who are you?", _ -> {}).text());
 * }
 * }
 */
public final class ChatSession implements AutoCloseable {
    private final Tokenizer tokenizer;
    private final ChatTemplate template;
    private final TextGeneration generation;
    private final int contextLength;
    private final ReadText read;
    private final List<ChatMessage> messages = new ArrayList<>();
    private long answers;

    /**
     * A conversation without messages.
     *
     * @param generation how each answer is generated; its seed is that of the first answer, and grows by 1 with each
     */
    public ChatSession(LanguageModel model, Tokenizer tokenizer, ChatTemplate template, TextGeneration generation) {
        this.tokenizer = tokenizer;
        this.template = template;
        this.generation = generation;
        this.contextLength = model.contextLength();
        this.read = new ReadText(model);
    }

    /**
     * An answer of the model.
     *
     * @param text without the token that ends it
     * @param end why it ended
     * @param promptTokens of the whole conversation before it
     * @param tokens of the answer
     * @param forgotten the number of earlier messages that were dropped, because the context was full
     */
    public record Answer(String text, TextGeneration.End end, int promptTokens, int tokens, int forgotten) {}

    /** The messages so far. */
    public List<ChatMessage> messages() {
        return Collections.unmodifiableList(messages);
    }

    /** Adds a message that the model will read before its next answer. */
    public void add(ChatMessage message) {
        messages.add(message);
    }

    /** Forgets all messages. */
    public void reset() {
        messages.clear();
        read.clear();
    }

    /**
     * Says something and returns the model's answer; both become part of the conversation. If the context is full, the oldest
     * messages are dropped first, but not those of the system.
     *
     * @param onText receives the answer piece by piece
     * @throws IllegalArgumentException if the message does not fit in the context, or the chat template cannot write it; the
     *     conversation is then as before
     */
    public Answer say(String text, Consumer<String> onText) {
        List<ChatMessage> before = List.copyOf(messages);
        add(new ChatMessage(ChatMessage.Role.USER, text));
        try {
            return answer(onText);
        } catch (IllegalArgumentException e) {
            messages.clear();
            messages.addAll(before);
            throw e;
        }
    }

    /**
     * Returns the model's answer to the messages so far, and adds it to them; see {@link #say}.
     *
     * @throws IllegalArgumentException if the last message does not fit in the context, or the chat template cannot write them
     */
    public Answer answer(Consumer<String> onText) {
        int forgotten = 0;
        int[] prompt = prompt();
        while (prompt.length + reserved() > contextLength && forgetOldest()) {
            forgotten++;
            prompt = prompt();
        }
        if (prompt.length >= contextLength) {
            throw new IllegalArgumentException(String.format(
                    Locale.ROOT,
                    "the message has %,d tokens with what is around it, but the context length of the model is %,d;"
                            + " shorten it",
                    prompt.length,
                    contextLength));
        }
        Sampling sampling = generation.sampling();
        TextGeneration next = new TextGeneration(
                new Sampling(sampling.temperature(), sampling.topK(), sampling.topP(), sampling.seed() + answers++),
                generation.maxTokens(),
                generation.stopIds(),
                generation.useCache());
        StringBuilder text = new StringBuilder();
        StreamingDecoder decoder = decoderAfter(prompt);
        Consumer<String> piece = part -> {
            text.append(part);
            onText.accept(part);
        };
        TextGeneration.Result result = next.generate(read, prompt, id -> piece.accept(decoder.next(id)));
        piece.accept(decoder.finish());
        add(new ChatMessage(ChatMessage.Role.ASSISTANT, text.toString()));
        return new Answer(text.toString(), result.end(), prompt.length, result.ids().length, forgotten);
    }

    private int[] prompt() {
        return LongText.encode(tokenizer, template.prompt(messages, Map.of()));
    }

    /** Room for an answer: a quarter of the context, or less if answers are short. */
    private int reserved() {
        return Math.min(generation.maxTokens(), contextLength / 4);
    }

    /** Drops the first message that is not the system's, and the answers to it; the last message stays. */
    private boolean forgetOldest() {
        int first = 0;
        while (first < messages.size() && messages.get(first).role().equals(ChatMessage.Role.SYSTEM.word())) {
            first++;
        }
        if (first >= messages.size() - 1) {
            return false;
        }
        messages.remove(first);
        while (first < messages.size() - 1 && messages.get(first).isAssistant()) {
            messages.remove(first);
        }
        return true;
    }

    /** A decoder for what follows a prompt: the text of a token may depend on the tokens before it. */
    private StreamingDecoder decoderAfter(int[] prompt) {
        StreamingDecoder decoder = new StreamingDecoder(tokenizer);
        for (int i = Math.max(0, prompt.length - 8); i < prompt.length; i++) {
            decoder.next(prompt[i]);
        }
        return decoder;
    }

    /** Frees the memory of keys and values. */
    @Override
    public void close() {
        read.close();
    }
}
