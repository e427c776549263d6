package io.gradus.data.chat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.gradus.data.Document;
import io.gradus.data.TokenizedDocument;
import io.gradus.data.chat.ChatMessage.Role;
import io.gradus.data.tokenizer.ByteTokenizer;
import io.gradus.data.tokenizer.DelegatingTokenizer;
import io.gradus.data.tokenizer.TokenPlaces;
import io.gradus.data.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
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
            Tokenizer tokenizer = tokenizer(
                    expected.get("bos").textValue(), expected.get("eos").textValue());
            ChatTemplate template = ChatTemplate.builtIn(name, tokenizer);
            assertThat(template.render(messages, Map.of()).text())
                    .as(name)
                    .isEqualTo(expected.get("text").textValue());
            assertThat(template.prompt(messages, Map.of()))
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

    private static final Tokenizer BYTES = new ByteTokenizer();

    private static String rendered(ChatTemplate template, List<ChatMessage> messages) {
        return template.render(messages, Map.of()).text();
    }

    @Test
    void plainTemplateEndsAnswersWithEndOfText() {
        ChatTemplate plain = ChatTemplate.builtIn("plain", BYTES);
        assertThat(rendered(plain, chat(Role.USER, "a", "b", "c", "d")))
                .isEqualTo("User: a\nAssistant: b<|endoftext|>\nUser: c\nAssistant: d<|endoftext|>");
        assertThat(targets(plain, BYTES, chat(Role.USER, "a", "b", "c", "d")))
                .containsExactly(" b<|endoftext|>", " d<|endoftext|>");
    }

    /** The parts of a chat that are trained on. */
    private static List<String> targets(ChatTemplate template, Tokenizer tokenizer, List<ChatMessage> messages) {
        TokenizedDocument tokens = TokenizedDocument.of(new Document.Chat(messages), tokenizer, template);
        List<String> parts = new ArrayList<>();
        for (int i = 0; i < tokens.ids().length; i++) {
            if (tokens.counts()[i]) {
                int from = i;
                while (i < tokens.ids().length && tokens.counts()[i]) {
                    i++;
                }
                parts.add(tokenizer.spell(Arrays.copyOfRange(tokens.ids(), from, i)));
            }
        }
        return parts;
    }

    @Test
    void missingSpecialTokenIsNamed() throws IOException {
        List<ChatMessage> chat = chat(Role.USER, "a", "b");
        assertThatThrownBy(() -> ChatTemplate.builtIn("chatml", BYTES))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("chat_template chatml", "<|im_start|> and <|im_end|>", "bytes, 257 tokens");
        assertThatThrownBy(() -> ChatTemplate.builtIn("llama3", BYTES))
                .hasMessageContainingAll("<|start_header_id|> and <|end_header_id|> and <|eot_id|>");
        Files.copy(FIXTURES.resolve("tokenizer.json"), folder.resolve("tokenizer.json"));
        Tokenizer without = Tokenizer.load(folder);
        assertThatThrownBy(() -> rendered(ChatTemplate.builtIn("llama2", without), chat))
                .hasMessageContainingAll("llama2 needs bos_token and eos_token", "tokenizer_config.json");
    }

    @Test
    void templateIsChosenBySpecialTokensIfTheModelHasNone() throws IOException {
        assertThat(ChatTemplate.choose(null, tokenizer("<s>", "</s>")))
                .hasToString("Optional[llama3 (built in, chosen by the special tokens of the tokenizer)]");
        assertThat(ChatTemplate.choose(null, BYTES)).isEmpty();
        assertThatThrownBy(() -> ChatTemplate.choose("vicuna", BYTES))
                .hasMessageContainingAll(
                        "data.chat_template is vicuna", "[llama2, llama3, chatml, plain]", "a .jinja file");
    }

    @Test
    void rolesOutOfOrderAreRejectedWithTheirIndex() throws IOException {
        List<ChatMessage> two = new ArrayList<>(chat(Role.USER, "a", "b"));
        two.add(new ChatMessage(Role.SYSTEM, "late"));
        assertThatThrownBy(() -> rendered(ChatTemplate.builtIn("plain", BYTES), two))
                .hasMessageContaining("messages[2].role is system");
        ChatTemplate llama2 = ChatTemplate.builtIn("llama2", BYTES);
        assertThatThrownBy(() -> rendered(llama2, chat(Role.ASSISTANT, "a", "b")))
                .hasMessageContaining("messages[0].role is assistant where llama2 needs user");
        assertThatThrownBy(() -> rendered(llama2, List.of(new ChatMessage(Role.SYSTEM, "a"))))
                .hasMessageContaining("messages: llama2 writes the system message into the user message");
        assertThatThrownBy(() -> rendered(llama2, List.of())).hasMessageContaining("the list is empty");
        assertThatThrownBy(() -> TokenizedDocument.of(new Document.Chat(chat(Role.USER, "a", "b")), BYTES))
                .hasMessageContainingAll("data.chat_template", "[llama2, llama3, chatml, plain]");
    }

    // ---- the model's own template ----

    private static final String OWN = """
            {%- if messages[0].role != 'system' %}{{ bos_token }}<sys>be kind</sys>
            {% endif %}
            {%- for m in messages %}
            {{- '[' + m.role + ']' + m.content | trim + '<|im_end|>' }}
            {% endfor %}
            {%- if add_generation_prompt %}[assistant]{% endif %}
            """;

    private ChatTemplate own(String template) throws IOException {
        tokenizer("<s>", "</s>");
        Files.writeString(folder.resolve("chat_template.jinja"), template);
        return ChatTemplate.choose(null, Tokenizer.load(folder)).orElseThrow();
    }

    @Test
    void ownTemplateWritesItsDefaultSystemMessage() throws IOException {
        ChatTemplate own = own(OWN);
        assertThat(own).hasToString("the model's own (" + folder.resolve("chat_template.jinja") + ")");
        List<ChatMessage> messages = chat(Role.USER, " a", "b\n", "c", "d");
        assertThat(rendered(own, messages)).isEqualTo("""
                        <s><sys>be kind</sys>
                        [user]a<|im_end|>
                        [assistant]b<|im_end|>
                        [user]c<|im_end|>
                        [assistant]d<|im_end|>
                        """);
        assertThat(targets(own, Tokenizer.load(folder), messages)).containsExactly("b<|im_end|>", "d<|im_end|>");
    }

    @Test
    void generationBlocksAreTheTargets() throws IOException {
        ChatTemplate own =
                own("{% for m in messages %}{{ m.role }}:{% generation %}{{ m.content if m.role == 'assistant' }}"
                        + "{% endgeneration %};{% endfor %}");
        assertThat(targets(own, Tokenizer.load(folder), chat(Role.USER, "a", "b", "c", "d")))
                .containsExactly("b", "d");
    }

    @Test
    void templatesOfTokenizerConfigAreRead() throws IOException {
        tokenizer("<s>", "</s>");
        Path config = folder.resolve("tokenizer_config.json");
        Files.writeString(config, "{\"chat_template\": \"{{ messages[0].content }}\"}");
        assertThat(rendered(ChatTemplate.choose(null, Tokenizer.load(folder)).orElseThrow(), chat(Role.USER, "a")))
                .isEqualTo("a");
        Files.writeString(
                config,
                "{\"chat_template\": [{\"name\": \"default\", \"template\": \"D\"},"
                        + " {\"name\": \"tool_use\", \"template\": \"T {{ tools | length }}\"}]}");
        ChatTemplate named = ChatTemplate.choose(null, Tokenizer.load(folder)).orElseThrow();
        assertThat(rendered(named, chat(Role.USER, "a"))).isEqualTo("D");
        assertThat(named.render(chat(Role.USER, "a"), Map.of("tools", List.of(Map.of())))
                        .text())
                .isEqualTo("T 1");
        Files.createDirectories(folder.resolve("additional_chat_templates"));
        Files.writeString(folder.resolve("additional_chat_templates/rag.jinja"), "R");
        Files.writeString(folder.resolve("chat_template.jinja"), "J");
        Tokenizer both = Tokenizer.load(folder);
        assertThat(rendered(ChatTemplate.choose(null, both).orElseThrow(), chat(Role.USER, "a")))
                .isEqualTo("J");
        assertThat(rendered(ChatTemplate.choose("rag", both).orElseThrow(), chat(Role.USER, "a")))
                .isEqualTo("R");
    }

    @Test
    void templatesWithoutADefaultAreRejectedOnlyWhenAChatNeedsIt() throws IOException {
        tokenizer("<s>", "</s>");
        Files.writeString(
                folder.resolve("tokenizer_config.json"),
                "{\"chat_template\": [{\"name\": \"rag\", \"template\": \"R\"}, {\"name\": \"tool_use\", \"template\": \"T\"}]}");
        ChatTemplate template =
                ChatTemplate.choose(null, Tokenizer.load(folder)).orElseThrow();
        assertThatThrownBy(() -> rendered(template, chat(Role.USER, "a")))
                .hasMessage("the model has the chat templates [rag, tool_use] and none is named default;"
                        + " set data.chat_template to one of them");
        assertThat(template.asksForTheTime()).isFalse();
    }

    @Test
    void anotherTemplateReplacesTheModelsOwnInTheSavedFolder() throws IOException {
        own(OWN);
        Tokenizer tokenizer = Tokenizer.load(folder);
        Path saved = folder.resolve("saved");
        tokenizer.save(saved);
        ChatTemplate.builtIn("chatml", tokenizer).save(saved);
        ChatTemplate read = ChatTemplate.choose(null, Tokenizer.load(saved)).orElseThrow();
        assertThat(rendered(read, chat(Role.USER, "a", "b")))
                .isEqualTo("<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\nb<|im_end|>\n");
        ChatTemplate.choose(null, tokenizer).orElseThrow().save(saved);
    }

    @Test
    void errorOfATemplateNamesFileAndLine() throws IOException {
        Path file = folder.resolve("chat_template.jinja");
        assertThatThrownBy(
                        () -> rendered(own("a\n{{ raise_exception('roles must alternate') }}"), chat(Role.USER, "a")))
                .hasMessage(file + ":2: roles must alternate");
        assertThatThrownBy(() -> rendered(own("{% if %}"), chat(Role.USER, "a")))
                .hasMessageStartingWith(file + ":1: Expected an expression");
    }

    @Test
    void fieldThatTheTemplateDoesNotUseIsRejected() throws IOException {
        ChatTemplate own = own(OWN);
        Map<String, Object> named = Map.of("role", "user", "content", "a", "name", "bob");
        assertThatThrownBy(() -> rendered(own, List.of(new ChatMessage(named))))
                .hasMessageContaining("messages[0].name: the chat template");
        assertThatThrownBy(() -> own.render(chat(Role.USER, "a"), Map.of("tools", List.of(Map.of()))))
                .hasMessageContaining("tools: the chat template");
    }

    @Test
    void answerThatTheTemplateShortensIsRejected() throws IOException {
        ChatTemplate own = own("{% for m in messages %}[{{ m.role }}]{{ m.content if loop.last else m.content[:1] }}"
                + "<|im_end|>{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}");
        assertThatThrownBy(() -> rendered(own, chat(Role.USER, "a", "b c", "d", "e")))
                .hasMessageContaining("messages[1].content: the template leaves out a part of this answer");
    }

    @Test
    void emptyThoughtsOfTheTemplateAreNotTargets() throws IOException {
        ChatTemplate own =
                own("{% for m in messages %}[{{ m.role }}]{{ '<think>\n\n</think>\n\n' if m.role == 'assistant' }}"
                        + "{{ m.content }}<|im_end|>{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}");
        assertThat(targets(own, Tokenizer.load(folder), chat(Role.USER, "a", "b")))
                .containsExactly("b<|im_end|>");
    }

    @Test
    void templateWithoutALoopOverTheMessagesHasTheSameTargets() throws IOException {
        ChatTemplate own =
                own("{% for i in range(messages | length) %}[{{ messages[i].role }}]{{ messages[i].content }}"
                        + "<|im_end|>{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}");
        assertThat(targets(own, Tokenizer.load(folder), chat(Role.USER, "a", "b", "c", "d")))
                .containsExactly("b<|im_end|>", "d<|im_end|>");
    }

    @Test
    void longChatIsEncodedOnce() {
        int[] calls = new int[2];
        Tokenizer counting = new DelegatingTokenizer(BYTES) {
            @Override
            public int[] encode(String text) {
                calls[0]++;
                calls[1] += text.length();
                return super.encode(text);
            }

            @Override
            public TokenPlaces places(String text) {
                calls[0]++;
                calls[1] += text.length();
                return BYTES.places(text);
            }
        };
        for (int turns : new int[] {200, 400, 800}) {
            String[] contents = new String[turns];
            Arrays.fill(contents, "a few words");
            List<ChatMessage> messages = chat(Role.USER, contents);
            ChatTemplate plain = ChatTemplate.builtIn("plain", counting);
            Arrays.fill(calls, 0);
            TokenizedDocument.of(new Document.Chat(messages), counting, plain);
            assertThat(calls).containsExactly(1, rendered(plain, messages).length());
        }
    }
}
