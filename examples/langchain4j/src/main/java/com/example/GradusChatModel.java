package com.example;

import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.SystemMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.output.FinishReason;
import dev.langchain4j.model.output.TokenUsage;
import io.gradus.core.Device;
import io.gradus.data.chat.ChatMessage;
import io.gradus.data.chat.ChatMessage.Role;
import io.gradus.data.chat.ChatTemplate;
import io.gradus.data.tokenizer.Prompts;
import io.gradus.data.tokenizer.Tokenizer;
import io.gradus.nn.generate.ReadText;
import io.gradus.nn.generate.Sampling;
import io.gradus.nn.generate.TextGeneration;
import io.gradus.nn.model.ModelFolder;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;

/**
 * A fine-tuned model for LangChain4j, in the same process. A conversation that grows is not read again in each request.
 *
 * <p>Parameters of a request that are honored: {@code temperature} (0 by default: the most likely token), {@code topK}, {@code topP}
 * and {@code maxOutputTokens} (500 by default). Others are rejected.
 */
public final class GradusChatModel implements ChatModel, AutoCloseable {
    private static final int MAX_TOKENS = 500;

    private final Tokenizer tokenizer;
    private final ChatTemplate template;
    private final ReadText read;
    private long requests;

    /** Loads a Hugging Face folder, such as the output of a run. */
    public GradusChatModel(Path folder) throws IOException {
        tokenizer = Tokenizer.load(folder);
        template = ChatTemplate.choose(null, tokenizer)
                .orElseThrow(() -> new IOException(folder + " has no chat template; it is no model for chats"));
        read = new ReadText(ModelFolder.open(folder).load(Device.cpu()));
    }

    /** Asks the model in the folder {@code args[0]} the question {@code args[1]}. */
    public static void main(String... args) throws IOException {
        try (GradusChatModel model = new GradusChatModel(Path.of(args[0]))) {
            System.out.println(model.chat(args[1]));
        }
    }

    @Override
    public synchronized ChatResponse doChat(ChatRequest request) {
        String prompt = template.prompt(
                request.messages().stream().map(GradusChatModel::message).toList(), Map.of());
        int[] ids = tokenizer.encode(prompt);
        TextGeneration.Result result = generation(request.parameters()).generate(read, ids, _ -> {});
        return ChatResponse.builder()
                .aiMessage(AiMessage.from(Prompts.continuation(tokenizer, ids, result.ids())))
                .finishReason(result.end() == TextGeneration.End.STOP ? FinishReason.STOP : FinishReason.LENGTH)
                .tokenUsage(new TokenUsage(ids.length, result.ids().length))
                .build();
    }

    private static ChatMessage message(dev.langchain4j.data.message.ChatMessage message) {
        return switch (message) {
            case SystemMessage system -> new ChatMessage(Role.SYSTEM, system.text());
            case UserMessage user when user.hasSingleText() -> new ChatMessage(Role.USER, user.singleText());
            case AiMessage answer when !answer.hasToolExecutionRequests() ->
                new ChatMessage(Role.ASSISTANT, answer.text());
            default -> throw new UnsupportedFeatureException("messages with " + message.type() + " are not supported");
        };
    }

    private TextGeneration generation(ChatRequestParameters parameters) {
        if (!parameters.stopSequences().isEmpty()
                || !parameters.toolSpecifications().isEmpty()
                || parameters.responseFormat() != null
                || parameters.frequencyPenalty() != null
                || parameters.presencePenalty() != null) {
            throw new UnsupportedFeatureException("supported are temperature, topK, topP and maxOutputTokens");
        }
        Sampling sampling = new Sampling(
                Objects.requireNonNullElse(parameters.temperature(), 0.0),
                Objects.requireNonNullElse(parameters.topK(), 0),
                Objects.requireNonNullElse(parameters.topP(), 1.0),
                requests++);
        int tokens = Objects.requireNonNullElse(parameters.maxOutputTokens(), MAX_TOKENS);
        return new TextGeneration(sampling, tokens, Prompts.stops(tokenizer), true);
    }

    /** Frees the keys and values of the last conversation. */
    @Override
    public synchronized void close() {
        read.close();
    }
}
