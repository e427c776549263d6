package io.gradus.data.chat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.core.Device;
import io.gradus.data.chat.ChatMessage.Role;
import io.gradus.data.tokenizer.ByteTokenizer;
import io.gradus.data.tokenizer.Tokenizer;
import io.gradus.nn.WeightSource;
import io.gradus.nn.generate.Sampling;
import io.gradus.nn.generate.TextGeneration;
import io.gradus.nn.model.llama.Llama;
import io.gradus.nn.model.llama.LlamaConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class ChatSessionTest {
    private static final int CONTEXT = 200;

    private final Tokenizer tokenizer = new ByteTokenizer();
    private final ChatTemplate template = ChatTemplate.builtIn("plain", tokenizer);
    private final Llama model =
            new Llama(LlamaConfig.of(257, 16, 24, 1, 2, 2, CONTEXT), WeightSource.random(Device.cpu(1), 1));

    private ChatSession session(int maxTokens) {
        return new ChatSession(
                model,
                tokenizer,
                template,
                new TextGeneration(new Sampling(1, 0, 1, 5), maxTokens, tokenizer.eosIds(), true));
    }

    @Test
    void answersAreThoseToTheWholeConversation() {
        try (ChatSession chat = session(6)) {
            chat.add(new ChatMessage(Role.SYSTEM, "Be kind."));
            List<ChatMessage> messages = new ArrayList<>(chat.messages());
            for (int turn = 0; turn < 3; turn++) {
                messages.add(new ChatMessage(Role.USER, "Question " + turn));
                int[] prompt = tokenizer.encode(template.prompt(messages, Map.of()));
                var alone = new TextGeneration(new Sampling(1, 0, 1, 5 + turn), 6, tokenizer.eosIds(), true);
                String expected =
                        tokenizer.decode(alone.generate(model, prompt, _ -> {}).ids());
                StringBuilder streamed = new StringBuilder();
                ChatSession.Answer answer = chat.say("Question " + turn, streamed::append);
                assertThat(answer.text()).isEqualTo(expected).isEqualTo(streamed.toString());
                assertThat(answer.promptTokens()).isEqualTo(prompt.length);
                assertThat(answer.forgotten()).isZero();
                messages.add(new ChatMessage(Role.ASSISTANT, expected));
                assertThat(chat.messages()).isEqualTo(messages);
            }
            chat.reset();
            assertThat(chat.messages()).isEmpty();
        }
    }

    @Test
    void oldestMessagesAreForgottenWhenTheContextIsFullButNotThoseOfTheSystem() {
        try (ChatSession chat = session(10)) {
            chat.add(new ChatMessage(Role.SYSTEM, "Be kind."));
            int forgotten = 0;
            for (int turn = 0; turn < 8; turn++) {
                forgotten += chat.say("Question number " + turn, _ -> {}).forgotten();
            }
            assertThat(forgotten).isPositive();
            assertThat(chat.messages().getFirst().role()).isEqualTo("system");
            assertThat(chat.messages().get(1).role()).isEqualTo("user");
            assertThat(chat.messages()).hasSize(1 + 2 * (8 - forgotten));
        }
    }

    @Test
    void messageThatDoesNotFitChangesNothing() {
        try (ChatSession chat = session(10)) {
            chat.say("Hello", _ -> {});
            List<ChatMessage> before = List.copyOf(chat.messages());
            assertThatThrownBy(() -> chat.say("x".repeat(CONTEXT), _ -> {}))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("context length of the model is 200");
            assertThat(chat.messages()).isEqualTo(before);
        }
    }

    @Test
    void answerEndsAtAStopToken() {
        try (ChatSession chat = new ChatSession(
                model,
                tokenizer,
                template,
                new TextGeneration(Sampling.GREEDY, 50, Set.of(firstToken("Hello")), true))) {
            ChatSession.Answer answer = chat.say("Hello", _ -> {});
            assertThat(answer.text()).isEmpty();
            assertThat(answer.end()).isEqualTo(TextGeneration.End.STOP);
        }
    }

    private int firstToken(String message) {
        int[] prompt = tokenizer.encode(template.prompt(List.of(new ChatMessage(Role.USER, message)), Map.of()));
        return new TextGeneration(Sampling.GREEDY, 1, Set.of(), true)
                .generate(model, prompt, _ -> {})
                .ids()[0];
    }
}
