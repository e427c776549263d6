package io.gradus.data.chat;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.gradus.data.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Chats with many templates are, character by character, what {@code apply_chat_template} of transformers writes. */
class ChatTextsTest {
    private static final Path FIXTURES = Path.of("src/test/fixtures/chat");
    private static final ObjectMapper JSON = new ObjectMapper().enable(DeserializationFeature.USE_BIG_INTEGER_FOR_INTS);

    @TempDir
    private Path folder;

    @Test
    void promptsEqualThoseOfTransformers() throws IOException {
        JsonNode fixture = JSON.readTree(FIXTURES.resolve("rendered.json").toFile());
        Files.copy(FIXTURES.resolve("tokenizer.json"), folder.resolve("tokenizer.json"));
        Files.writeString(folder.resolve("tokenizer_config.json"), "{\"bos_token\": \"<s>\", \"eos_token\": \"</s>\"}");
        List<String> wrong = new ArrayList<>();
        int compared = 0;
        for (JsonNode row : fixture.get("templates")) {
            Files.writeString(
                    folder.resolve("chat_template.jinja"), row.get("template").textValue());
            ChatTemplate template =
                    ChatTemplate.choose(null, Tokenizer.load(folder)).orElseThrow();
            for (int i = 0; i < fixture.get("chats").size(); i++) {
                JsonNode chat = fixture.get("chats").get(i);
                String expected = row.get("texts").get(2 * i + 1).textValue();
                List<Map<String, Object>> fields =
                        JSON.convertValue(chat.get("messages"), new TypeReference<List<Map<String, Object>>>() {});
                List<ChatMessage> messages =
                        fields.stream().map(ChatMessage::new).toList();
                Map<String, Object> variables = chat.has("tools")
                        ? Map.of("tools", JSON.convertValue(chat.get("tools"), Object.class))
                        : Map.of();
                String text;
                try {
                    text = template.prompt(messages, variables);
                } catch (IllegalArgumentException e) {
                    if (String.valueOf(e.getMessage()).contains("does not use")) {
                        continue; // transformers ignores what a template does not use
                    }
                    text = null;
                }
                compared++;
                if (text == null ? expected != null : !text.equals(expected)) {
                    wrong.add(row.get("name").textValue() + " " + chat + "\n  is  " + text + "\n  not " + expected);
                }
            }
        }
        assertThat(wrong).isEmpty();
        assertThat(compared).isGreaterThan(700);
    }
}
