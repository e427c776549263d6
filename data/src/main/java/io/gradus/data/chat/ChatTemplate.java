package io.gradus.data.chat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.gradus.core.FileNames;
import io.gradus.core.WholeFile;
import io.gradus.core.json.JsonProblem;
import io.gradus.core.safetensors.AtomicFile;
import io.gradus.data.chat.RenderedChat.Span;
import io.gradus.data.jinja.Template;
import io.gradus.data.jinja.Template.Rendering;
import io.gradus.data.jinja.TemplateException;
import io.gradus.data.tokenizer.ChatTemplateText;
import io.gradus.data.tokenizer.Tokenizer;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * How a chat is written as text: a template in Jinja, with the special tokens of a tokenizer. The text, and therefore the tokens,
 * equal those of {@code apply_chat_template} in transformers 5. A model is trained on the assistant's messages and the token that
 * ends each, but not on the headers before them.
 *
 * <p>A model usually has a template of its own, in {@code chat_template.jinja} or {@code tokenizer_config.json}. For other models
 * there are four {@linkplain #BUILT_IN built-in ones}.
 *
 * {@snippet :
 * Tokenizer tokenizer = Tokenizer.load(Path.of("my-llama"));
 * ChatTemplate template = ChatTemplate.choose(null, tokenizer).orElseThrow();
 * String prompt = template.prompt(List.of(new ChatMessage(ChatMessage.Role.USER, "Hello")), Map.of());
 * }
 */
public final class ChatTemplate {
    /**
     * The names of the built-in templates: Llama 2 (Touvron et al. 2023), Llama 3 (Grattafiori et al. 2024), ChatML, and text
     * without special tokens other than bos and eos, for base models. If the tokenizer has no eos, a line break ends an answer of
     * {@code plain}.
     */
    public static final List<String> BUILT_IN = List.of("llama2", "llama3", "chatml", "plain");

    /** The fields of a message that hold what the assistant says or thinks. */
    static final List<String> SAID = List.of("content", "reasoning_content");

    /** Names under which a message has its reasoning; transformers gives it to the template under the first two. */
    private static final List<String> REASONING = List.of("reasoning_content", "thinking", "reasoning");

    private static final String MESSAGES = "messages";
    private static final String TOOLS = "tools";
    private static final String DOCUMENTS = "documents";
    private static final String FILE = "chat_template.jinja";
    private static final String TOKENIZER_CONFIG = "tokenizer_config.json";
    private static final String MORE = "additional_chat_templates";

    private final String description;
    private final boolean own;
    private final Source usual;
    private final Source forTools;
    private final Map<String, String> specialTokens;
    private final LocalDateTime time;

    /** The text of a template, which is parsed when it is needed. */
    private static final class Source {
        private final String text;
        private final String place;
        private final @Nullable String missing;
        private @Nullable Template template;

        private Source(String text, String place, @Nullable String missing) {
            this.text = text;
            this.place = place;
            this.missing = missing;
        }

        Source(String text, String place) {
            this(text, place, null);
        }

        Source(ChatTemplateText file) {
            this(file.text(), file.file());
        }

        /** A template that the model does not have, which matters only if a chat needs it. */
        static Source missing(String why) {
            return new Source("", "the model's own", why);
        }

        synchronized Template template() {
            if (template == null) {
                try {
                    template = Template.parse(text);
                } catch (TemplateException e) {
                    throw failure(e);
                }
            }
            return template;
        }

        /** Whether the template has a word, outside of other words. */
        boolean mentions(String word) {
            return Pattern.compile("\\b" + Pattern.quote(word) + "\\b")
                    .matcher(text)
                    .find();
        }

        IllegalArgumentException failure(TemplateException e) {
            return new IllegalArgumentException(
                    place + (e.line() > 0 ? ":" + e.line() : "") + ": " + e.getMessage(), e);
        }
    }

    private ChatTemplate(
            String description,
            boolean own,
            Source usual,
            Source forTools,
            Map<String, String> specialTokens,
            LocalDateTime time) {
        this.description = description;
        this.own = own;
        this.usual = usual;
        this.forTools = forTools;
        this.specialTokens = specialTokens;
        this.time = time;
    }

    /** With the time at which the template was chosen, so that it is the same for all chats. */
    private ChatTemplate(
            String description, boolean own, Source usual, Source forTools, Map<String, String> specialTokens) {
        this(description, own, usual, forTools, specialTokens, LocalDateTime.now(ZoneId.systemDefault()));
    }

    /**
     * This template at another time.
     *
     * @param time the local time that a template gets from {@code strftime_now}
     */
    public ChatTemplate at(LocalDateTime time) {
        return new ChatTemplate(description, own, usual, forTools, specialTokens, time);
    }

    /** Whether the text of chats may depend on the time, because the template asks for it. */
    public boolean asksForTheTime() {
        return usual.mentions("strftime_now") || forTools.mentions("strftime_now");
    }

    // ---- choosing ----

    /**
     * The template for a tokenizer.
     *
     * @param wanted one of {@link #BUILT_IN}, the name of a template of the model that has several, or a {@code .jinja} file; null
     *     for the model's own template, or else the built-in one whose special tokens the tokenizer has
     * @return empty if nothing is wanted and the model has neither
     * @throws IllegalArgumentException if there is no such template, or it needs special tokens that the tokenizer does not have
     * @throws IOException if a file cannot be read
     */
    public static Optional<ChatTemplate> choose(@Nullable String wanted, Tokenizer tokenizer) throws IOException {
        Map<String, ChatTemplateText> own = tokenizer.chatTemplates();
        if (wanted == null) {
            return own.isEmpty() ? suggested(tokenizer) : Optional.of(own(own, tokenizer));
        }
        String name = wanted.toLowerCase(Locale.ROOT);
        if (BUILT_IN.contains(name)) {
            return Optional.of(builtIn(name, tokenizer, "built in"));
        }
        ChatTemplateText named = own.get(wanted);
        if (named != null) {
            Source source = new Source(named);
            return Optional.of(new ChatTemplate(
                    wanted + " of the model (" + named.file() + ")", false, source, source, tokenizer.specialTokens()));
        }
        if (!name.endsWith(".jinja")) {
            throw new IllegalArgumentException("data.chat_template is " + wanted + "; it must be one of " + BUILT_IN
                    + (own.size() > 1 ? ", one of the model's own " + own.keySet() : "") + ", or a .jinja file");
        }
        Source file = new Source(WholeFile.text(FileNames.path(wanted)), wanted);
        file.template();
        return Optional.of(new ChatTemplate(wanted, false, file, file, tokenizer.specialTokens()));
    }

    private static ChatTemplate own(Map<String, ChatTemplateText> own, Tokenizer tokenizer) {
        ChatTemplateText named = own.get("default");
        Source usual = named != null
                ? new Source(named)
                : Source.missing("the model has the chat templates " + own.keySet()
                        + " and none is named default; set data.chat_template to one of them");
        ChatTemplateText tools = own.get("tool_use");
        return new ChatTemplate(
                "the model's own (" + (named == null ? "none is named default" : named.file()) + ")",
                true,
                usual,
                tools == null ? usual : new Source(tools),
                tokenizer.specialTokens());
    }

    /** The template whose special tokens a tokenizer has: Llama 3 or ChatML; the others have no distinctive tokens. */
    private static Optional<ChatTemplate> suggested(Tokenizer tokenizer) {
        String why = "built in, chosen by the special tokens of the tokenizer";
        if (hasToken(tokenizer, "<|start_header_id|>")) {
            return Optional.of(builtIn("llama3", tokenizer, why));
        }
        return hasToken(tokenizer, "<|im_start|>") ? Optional.of(builtIn("chatml", tokenizer, why)) : Optional.empty();
    }

    private static boolean hasToken(Tokenizer tokenizer, String token) {
        return tokenizer.encode(token).length == 1;
    }

    /**
     * A built-in template.
     *
     * @throws IllegalArgumentException if the tokenizer does not have its special tokens
     */
    public static ChatTemplate builtIn(String name, Tokenizer tokenizer) {
        return builtIn(name, tokenizer, "built in");
    }

    private static ChatTemplate builtIn(String name, Tokenizer tokenizer, String why) {
        Stream<String> needed = switch (name) {
            case "llama3" -> Stream.of("<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>");
            case "chatml" -> Stream.of("<|im_start|>", "<|im_end|>");
            default -> Stream.of();
        };
        String missing = needed.filter(token -> !hasToken(tokenizer, token)).collect(Collectors.joining(" and "));
        if (!missing.isEmpty()) {
            throw new IllegalArgumentException("chat_template " + name + " needs the special token " + missing
                    + ", which the tokenizer (" + tokenizer
                    + ") does not have; use the template of the model's own family,"
                    + " or plain");
        }
        String text = resource(name);
        if (name.equals("plain") && tokenizer.addsBos()) {
            text = "{{- bos_token }}\n" + text;
        }
        Source source = new Source(text, "chat_template " + name);
        return new ChatTemplate(name + " (" + why + ")", false, source, source, tokenizer.specialTokens());
    }

    private static String resource(String name) {
        try (InputStream in = ChatTemplate.class.getResourceAsStream("/io/gradus/data/chat/" + name + ".jinja")) {
            return new String(Objects.requireNonNull(in).readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    // ---- rendering ----

    /**
     * Writes a chat.
     *
     * @param messages at least one
     * @param variables more values for the template, such as {@code tools}
     * @throws IllegalArgumentException if the template cannot write these messages, does not use a part of them, or the answers
     *     cannot be found; names the line of the template or the message
     */
    public RenderedChat render(List<ChatMessage> messages, Map<String, ?> variables) {
        Source source = source(variables);
        requireUsed(messages, variables, source);
        List<Map<String, Object>> passed = passed(messages);
        Rendering whole = render(source, passed, variables, false);
        if (!whole.generated().isEmpty() && !whole.generatedElsewhere()) {
            return new RenderedChat(
                    whole.text(),
                    whole.generated().stream()
                            .filter(part -> part.to() > part.from())
                            .map(part -> new Span(part.from(), part.to()))
                            .toList(),
                    true);
        }
        return new RenderedChat(
                whole.text(),
                Answers.find(
                        passed,
                        whole,
                        (count, prompt) -> render(source, passed.subList(0, count), variables, prompt)
                                .text()),
                false);
    }

    /**
     * Writes a chat up to the beginning of the assistant's next answer, for generation.
     *
     * @throws IllegalArgumentException if the template cannot write these messages, or does not use a part of them
     */
    public String prompt(List<ChatMessage> messages, Map<String, ?> variables) {
        return text(messages, variables, true);
    }

    /**
     * Writes a chat without looking for the answers in it, as {@link #render} does.
     *
     * @throws IllegalArgumentException if the template cannot write these messages, or does not use a part of them
     */
    public String text(List<ChatMessage> messages, Map<String, ?> variables) {
        return text(messages, variables, false);
    }

    private String text(List<ChatMessage> messages, Map<String, ?> variables, boolean prompt) {
        Source source = source(variables);
        requireUsed(messages, variables, source);
        return render(source, passed(messages), variables, prompt).text();
    }

    private Source source(Map<String, ?> variables) {
        Source source = variables.get(TOOLS) == null ? usual : forTools;
        if (source.missing != null) {
            throw new IllegalArgumentException(source.missing);
        }
        return source;
    }

    private Rendering render(
            Source source, List<Map<String, Object>> messages, Map<String, ?> variables, boolean prompt) {
        Map<String, @Nullable Object> all = new HashMap<>(specialTokens);
        all.put(TOOLS, null);
        all.put(DOCUMENTS, null);
        all.putAll(variables);
        all.put(MESSAGES, messages);
        all.put("add_generation_prompt", prompt);
        try {
            return source.template().render(all, time);
        } catch (TemplateException e) {
            throw source.failure(e);
        }
    }

    /** The messages as transformers passes them: without keys that have no value, and with the names of the reasoning. */
    private static List<Map<String, Object>> passed(List<ChatMessage> messages) {
        List<Map<String, Object>> passed = new ArrayList<>(messages.size());
        for (ChatMessage message : messages) {
            Map<String, Object> fields = new LinkedHashMap<>();
            Object reasoning = REASONING.stream()
                    .map(name -> message.fields().get(name))
                    .filter(Objects::nonNull)
                    .findFirst()
                    .orElse(null);
            if (reasoning != null) {
                fields.put("thinking", reasoning);
            }
            message.fields().forEach((name, value) -> {
                if (value != null) {
                    fields.put(name, value);
                }
            });
            if (reasoning != null) {
                fields.put("reasoning_content", reasoning);
            }
            passed.add(fields);
        }
        return passed;
    }

    /** Requires that the template knows everything in the messages. */
    private static void requireUsed(List<ChatMessage> messages, Map<String, ?> variables, Source source) {
        if (messages.isEmpty()) {
            throw new IllegalArgumentException("messages: the list is empty");
        }
        Map<String, Boolean> known = new HashMap<>();
        for (int i = 0; i < messages.size(); i++) {
            for (Map.Entry<String, @Nullable Object> field :
                    messages.get(i).fields().entrySet()) {
                if (field.getValue() != null && !known.computeIfAbsent(field.getKey(), name -> isKnown(name, source))) {
                    throw new IllegalArgumentException("messages[" + i + "]." + JsonProblem.brief(field.getKey())
                            + ": the chat template, "
                            + source.place + ", does not use it; leave it out, or use another template");
                }
            }
        }
        for (String name : List.of(TOOLS, DOCUMENTS)) {
            if (variables.get(name) != null && !source.mentions(name)) {
                throw new IllegalArgumentException(name + ": the chat template, " + source.place
                        + ", does not use them; leave them out, or use another template");
            }
        }
    }

    private static boolean isKnown(String field, Source source) {
        return field.equals("role")
                || field.equals("content")
                || source.mentions(field)
                || (REASONING.contains(field) && REASONING.stream().anyMatch(source::mentions));
    }

    // ---- saving ----

    /**
     * Makes this the template of a saved tokenizer, so that a server writes chats as they were in training. Does nothing for the
     * model's own template, which the tokenizer has saved.
     *
     * @param folder to which the tokenizer was saved
     * @throws IOException if a file cannot be written
     */
    public void save(Path folder) throws IOException {
        if (own) {
            return;
        }
        AtomicFile.write(folder.resolve(FILE), usual.text);
        ObjectMapper mapper = new ObjectMapper();
        Path config = folder.resolve(TOKENIZER_CONFIG);
        if (Files.isRegularFile(config)
                && mapper.readTree(config.toFile()) instanceof ObjectNode settings
                && settings.remove("chat_template") != null) {
            AtomicFile.write(config, mapper.writerWithDefaultPrettyPrinter().writeValueAsString(settings) + "\n");
        }
        Files.deleteIfExists(folder.resolve("chat_template.json"));
        Path others = folder.resolve(MORE);
        if (Files.isDirectory(others)) {
            try (DirectoryStream<Path> files = Files.newDirectoryStream(others, "*.jinja")) {
                for (Path file : files) {
                    Files.delete(file);
                }
            }
            try {
                Files.delete(others);
            } catch (DirectoryNotEmptyException e) {
                // other files
            }
        }
    }

    /** Its name and where it comes from, such as {@code chatml (built in)}. */
    @Override
    public String toString() {
        return description;
    }
}
