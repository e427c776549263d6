package io.gradus.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.gradus.data.ChatMessage.Role;
import io.gradus.data.tokenizer.ByteTokenizer;
import io.gradus.data.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Chats are written as transformers writes them with the published templates, and the same tokens count. */
class ChatTemplateTest {
    private static final Path FIXTURES = Path.of("src/test/fixtures/chat");

    @TempDir
    private Path folder;

    private Tokenizer tokenizer(String bos, String eos) throws IOException {
        Files.copy(
                FIXTURES.resolve("tokenizer.json"),
                folder.resolve("tokenizer.json"),
                StandardCopyOption.REPLACE_EXISTING);
        Files.writeString(
                folder.resolve("tokenizer_config.json"),
                "{\"bos_token\": \"%s\", \"eos_token\": \"%s\", \"add_bos_token\": false}".formatted(bos, eos));
        return Tokenizer.load(folder);
    }

    private static List<ChatMessage> messages(JsonNode list) {
        return StreamSupport.stream(list.spliterator(), false)
                .map(message -> new ChatMessage(
                        Role.valueOf(message.get("role").textValue().toUpperCase(Locale.ROOT)),
                        message.get("content").textValue()))
                .toList();
    }

    private static List<ChatMessage> chat(Role first, String... contents) {
        List<ChatMessage> messages = new ArrayList<>();
        for (int i = 0; i < contents.length; i++) {
            messages.add(new ChatMessage(Role.values()[(first.ordinal() + i - 1) % 2 + 1], contents[i]));
        }
        return messages;
    }

    @Test
    void chatTextAndTargetsEqualThoseOfTransformers() throws IOException {
        JsonNode cases =
                new ObjectMapper().readTree(FIXTURES.resolve("chats.json").toFile());
        assertThat(cases.size()).isEqualTo(24);
        for (JsonNode expected : cases) {
            String name = expected.get("template").textValue();
            List<ChatMessage> messages = messages(expected.get("messages"));
            ChatTemplate template = ChatTemplate.valueOf(name.toUpperCase(Locale.ROOT));
            Tokenizer tokenizer = tokenizer(
                    expected.get("bos").textValue(), expected.get("eos").textValue());
            assertThat(template.render(messages, tokenizer).text())
                    .as(name)
                    .isEqualTo(expected.get("text").textValue());
            assertThat(template.renderPrompt(messages, tokenizer).text())
                    .as(name)
                    .isEqualTo(expected.get("prompt").textValue());
            TokenizedDocument tokens = TokenizedDocument.of(new Document.Chat(messages), tokenizer, template);
            assertThat(tokens.ids()).as(name).isEqualTo(ints(expected.get("ids")));
            assertThat(IntStream.range(0, tokens.ids().length)
                            .map(i -> tokens.counts()[i] ? 1 : 0)
                            .toArray())
                    .as("%s: %s", name, expected.get("text"))
                    .isEqualTo(ints(expected.get("mask")));
        }
    }

    private static int[] ints(JsonNode list) {
        return StreamSupport.stream(list.spliterator(), false)
                .mapToInt(JsonNode::intValue)
                .toArray();
    }

    @Test
    void plainTemplateEndsAnswersWithEndOfText() {
        var rendered = ChatTemplate.PLAIN.render(chat(Role.USER, "a", "b", "c", "d"), new ByteTokenizer());
        assertThat(rendered.text()).isEqualTo("User: a\nAssistant: b<|endoftext|>\nUser: c\nAssistant: d<|endoftext|>");
        assertThat(rendered.answers().stream().map(span -> rendered.text().substring(span.from(), span.to())))
                .containsExactly(" b<|endoftext|>", " d<|endoftext|>");
        TokenizedDocument tokens = TokenizedDocument.of(
                new Document.Chat(chat(Role.USER, "a", "b")), new ByteTokenizer(), ChatTemplate.PLAIN);
        assertThat(tokens.ids()[tokens.ids().length - 1]).isEqualTo(256);
        assertThat(IntStream.range(0, tokens.ids().length).filter(i -> tokens.counts()[i]))
                .containsExactly(18, 19, 20);
    }

    @Test
    void missingSpecialTokenIsNamed() throws IOException {
        List<ChatMessage> chat = chat(Role.USER, "a", "b");
        assertThatThrownBy(() -> ChatTemplate.CHATML.render(chat, new ByteTokenizer()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("chat_template chatml", "<|im_start|> and <|im_end|>", "bytes, 257 tokens");
        assertThatThrownBy(() -> ChatTemplate.LLAMA3.render(chat, new ByteTokenizer()))
                .hasMessageContainingAll("<|start_header_id|> and <|end_header_id|> and <|eot_id|>");
        Files.copy(FIXTURES.resolve("tokenizer.json"), folder.resolve("tokenizer.json"));
        Tokenizer without = Tokenizer.load(folder);
        assertThatThrownBy(() -> ChatTemplate.LLAMA2.render(chat, without))
                .hasMessageContainingAll("llama2 needs a token for bos", "bos_token in tokenizer_config.json");
    }

    @Test
    void templateIsChosenBySpecialTokens() throws IOException {
        assertThat(ChatTemplate.suggestedBy(tokenizer("<s>", "</s>"))).contains(ChatTemplate.LLAMA3);
        assertThat(ChatTemplate.suggestedBy(new ByteTokenizer())).isEmpty();
    }

    @Test
    void rolesOutOfOrderAreRejectedWithTheirIndex() {
        ByteTokenizer bytes = new ByteTokenizer();
        List<ChatMessage> two = new ArrayList<>(chat(Role.USER, "a", "b"));
        two.add(new ChatMessage(Role.SYSTEM, "late"));
        assertThatThrownBy(() -> ChatTemplate.PLAIN.render(two, bytes))
                .hasMessageContaining("messages[2].role is system");
        assertThatThrownBy(() -> ChatTemplate.LLAMA2.render(chat(Role.ASSISTANT, "a", "b"), bytes))
                .hasMessageContaining("messages[0].role is assistant where chat_template llama2 needs user");
        assertThatThrownBy(() -> ChatTemplate.LLAMA2.render(List.of(new ChatMessage(Role.SYSTEM, "a")), bytes))
                .hasMessageContaining("messages: chat_template llama2 writes the system message into the user message");
        assertThatThrownBy(() -> ChatTemplate.PLAIN.render(List.of(), bytes)).hasMessageContaining("the list is empty");
        assertThatThrownBy(() -> TokenizedDocument.of(new Document.Chat(chat(Role.USER, "a", "b")), bytes))
                .hasMessageContainingAll("data.chat_template", "[llama2, llama3, chatml, plain]");
    }
}
