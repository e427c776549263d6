package io.gradus.data.chat;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.gradus.data.Document;
import io.gradus.data.TokenizedDocument;
import io.gradus.data.tokenizer.ByteTokenizer;
import io.gradus.data.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The training text of a chat is, token for token, {@code apply_chat_template(chat, tokenize=True)} of transformers, with tokenizers
 * and templates of many models. {@code token_ids.py} beside the fixture made it.
 */
class ChatTokenIdsTest {
    private static final Path FIXTURES = Path.of("src/test/fixtures");
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    private Path folder;

    private Tokenizer tokenizer(String name, String template) throws IOException {
        Path copy = Files.createDirectories(folder.resolve(name));
        try (Stream<Path> files = Files.list(FIXTURES.resolve("tokenizers").resolve(name))) {
            for (Path file : (Iterable<Path>) files::iterator) {
                Files.copy(file, copy.resolve(file.getFileName()));
            }
        }
        Files.writeString(copy.resolve("chat_template.jinja"), template);
        return Tokenizer.load(copy);
    }

    @Test
    void idsOfChatsEqualThoseOfTransformers() throws IOException {
        JsonNode fixture = JSON.readTree(FIXTURES.resolve("chat/token_ids.json").toFile());
        List<String> wrong = new ArrayList<>();
        int compared = 0;
        for (JsonNode row : fixture.get("rows")) {
            String name = row.get("folder").textValue();
            Tokenizer tokenizer = tokenizer(name, row.get("template").textValue());
            ChatTemplate template = ChatTemplate.choose(null, tokenizer).orElseThrow();
            for (int i = 0; i < fixture.get("chats").size(); i++) {
                List<Map<String, Object>> fields = JSON.convertValue(
                        fixture.get("chats").get(i), new TypeReference<List<Map<String, Object>>>() {});
                Document.Chat chat =
                        new Document.Chat(fields.stream().map(ChatMessage::new).toList());
                JsonNode expected = row.get("ids").get(i);
                String found;
                try {
                    found = JSON.writeValueAsString(
                            TokenizedDocument.of(chat, tokenizer, template).ids());
                } catch (IllegalArgumentException e) {
                    found = "null: " + e.getMessage();
                }
                compared++;
                if (expected.isNull() ? !found.startsWith("null") : !found.equals(expected.toString())) {
                    wrong.add(name + " " + chat + "\n  is  " + found + "\n  not " + expected);
                }
            }
        }
        assertThat(wrong).isEmpty();
        assertThat(compared).isEqualTo(60);
    }

    /** By hand: one token per byte, 256 ends a message. The answer and its end are trained on, and nothing else. */
    @Test
    void idsAndTargetsAreThoseWrittenByHand() throws IOException {
        new ByteTokenizer().save(folder);
        Files.writeString(
                folder.resolve("chat_template.jinja"),
                "{% for m in messages %}{{ m.role[0] }}:{{ m.content }}{{ eos_token }}{% endfor %}"
                        + "{% if add_generation_prompt %}a:{% endif %}");
        Tokenizer tokenizer = Tokenizer.load(folder);
        ChatTemplate template = ChatTemplate.choose(null, tokenizer).orElseThrow();
        Document.Chat chat = new Document.Chat(List.of(
                new ChatMessage(ChatMessage.Role.SYSTEM, "S"),
                new ChatMessage(ChatMessage.Role.USER, "Hi"),
                new ChatMessage(ChatMessage.Role.ASSISTANT, "Yo!"),
                new ChatMessage(ChatMessage.Role.USER, "?"),
                new ChatMessage(ChatMessage.Role.ASSISTANT, "é")));
        TokenizedDocument tokens = TokenizedDocument.of(chat, tokenizer, template);
        assertThat(tokens.ids())
                .containsExactly(
                        's', ':', 'S', 256, 'u', ':', 'H', 'i', 256, 'a', ':', 'Y', 'o', '!', 256, 'u', ':', '?', 256,
                        'a', ':', 0xC3, 0xA9, 256);
        boolean[] counts = tokens.counts();
        assertThat(IntStream.range(0, counts.length).filter(i -> counts[i]))
                .containsExactly(11, 12, 13, 14, 21, 22, 23);
    }
}
