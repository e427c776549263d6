package io.gradus.data;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.io.JsonEOFException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.gradus.core.json.JsonProblem;
import io.gradus.data.ChatMessage.Role;
import java.io.IOException;
import java.io.LineNumberReader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Reads documents from JSON Lines: each line is a JSON object with exactly the keys of one kind of document. */
final class JsonLines implements RecordReader<Document> {
    private static final Set<String> TEXT = Set.of("text");
    private static final Set<String> PROMPT_COMPLETION = Set.of("prompt", "completion");
    private static final Set<String> CHAT = Set.of("messages");
    private static final Set<String> MESSAGE = Set.of("role", "content");
    private static final int MAX_DEPTH = 1000;

    private static final ObjectMapper MAPPER = new ObjectMapper(JsonFactory.builder()
                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                    .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES) // they are the user's
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxNestingDepth(MAX_DEPTH)
                            .maxStringLength(Integer.MAX_VALUE)
                            .build())
                    .build())
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    private final DataFormat format;
    private final Path file;
    private final Utf8Reader bytes;
    private final LineNumberReader lines;
    private String place;

    JsonLines(Path file, DataFormat format) throws IOException {
        this.format = format;
        this.file = file;
        this.place = file.toString();
        this.bytes = new Utf8Reader(file);
        this.lines = new LineNumberReader(bytes);
    }

    @Override
    public @Nullable Document next() throws IOException {
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            if (!line.isBlank()) {
                place = file + ":" + lines.getLineNumber();
                return document(parse(line, place));
            }
        }
        return null;
    }

    @Override
    public long position() {
        return bytes.position();
    }

    // ---- JSON ----

    private static JsonNode parse(String line, String place) throws IOException {
        try {
            return MAPPER.readTree(line);
        } catch (JacksonException e) {
            throw new IOException(place + ": it is not JSON: " + problem(e) + fix(line, e), e);
        }
    }

    /** The problem and its column. */
    private static String problem(JacksonException e) {
        JsonLocation location = e.getLocation();
        return JsonProblem.of(e) + (location == null ? "" : " (column " + location.getColumnNr() + ")");
    }

    private static String fix(String line, JacksonException e) {
        if (line.stripLeading().startsWith("[")) {
            return "; a list must become one object per line: jq -c '.[]' old.json > new.jsonl";
        }
        return e instanceof JsonEOFException
                ? "; an object must end on its line: jq -c . old.json > new.jsonl joins lines"
                : "";
    }

    private static Set<String> keys(JsonNode object) {
        Set<String> keys = new TreeSet<>();
        object.fieldNames().forEachRemaining(keys::add);
        return keys;
    }

    // ---- documents ----

    private Document document(JsonNode object) throws IOException {
        Set<String> keys = keys(object);
        requireKind(keys);
        if (keys.equals(CHAT)) {
            return chat(object.get("messages"), format.chatTemplate());
        }
        if (keys.equals(TEXT)) {
            return new Document.Text(notBlank(object, "text"));
        }
        if (keys.equals(PROMPT_COMPLETION)) {
            return new Document.PromptCompletion(string(object, "prompt"), notBlank(object, "completion"));
        }
        throw new IOException(place + ": a line must be {\"text\": …}, {\"prompt\": …, \"completion\": …} or"
                + " {\"messages\": […]}; "
                + (object.isObject()
                        ? "this one has the keys " + JsonProblem.brief(keys) + rewriting(keys)
                        : "this one is no object"));
    }

    private void requireKind(Set<String> keys) throws IOException {
        Set<String> wanted = switch (format.kind()) {
            case TEXT -> TEXT;
            case PROMPT_COMPLETION -> PROMPT_COMPLETION;
            case CHAT -> CHAT;
            case AUTO, CSV -> keys;
        };
        if (!keys.equals(wanted)) {
            throw new IOException(place + ": data.format is " + format.kind() + ", so a line must have the keys "
                    + new TreeSet<>(wanted) + "; this one has " + JsonProblem.brief(keys) + rewriting(keys));
        }
    }

    /** How lines with other keys become ours. */
    private static String rewriting(Set<String> keys) {
        @Nullable String filter = null;
        if (keys.contains("conversations")) {
            filter =
                    "{messages: [.conversations[] | {role: {human: \"user\", gpt: \"assistant\", system: \"system\"}[.from],"
                            + " content: .value}]}";
        } else if (keys.containsAll(Set.of("instruction", "output"))) {
            filter = "{prompt: (.instruction + \"\\n\" + (.input // \"\") + \"\\n\"), completion: .output}";
        } else if (keys.containsAll(CHAT)) {
            filter = "{messages}";
        } else if (keys.containsAll(PROMPT_COMPLETION)) {
            filter = "{prompt, completion}";
        } else if (keys.containsAll(TEXT)) {
            filter = "{text}";
        }
        return filter == null ? "" : "; rewrite them: jq -c '" + filter + "' old.jsonl > new.jsonl";
    }

    private String notBlank(JsonNode object, String key) throws IOException {
        String value = string(object, key);
        if (value.isBlank()) {
            throw new IOException(place + ": \"" + key + "\" must be a string and must not be blank");
        }
        return value;
    }

    private String string(JsonNode object, String key) throws IOException {
        JsonNode value = object.get(key);
        if (!value.isTextual()) {
            throw new IOException(place + ": \"" + key + "\" must be a string");
        }
        return whole(value.textValue(), "\"" + key + "\"");
    }

    /** Requires a text without unpaired surrogates, which JSON can write but UTF-8 cannot. */
    private String whole(String text, String where) throws IOException {
        for (int i = 0; i < text.length(); i += Character.charCount(text.codePointAt(i))) {
            int character = text.codePointAt(i);
            if (Character.getType(character) == Character.SURROGATE) {
                throw new IOException(place + ": " + where + " has half a character, \\u"
                        + Integer.toHexString(character) + ", at " + i
                        + "; the text was cut inside a character, such as an emoji: leave the half out");
            }
        }
        return text;
    }

    // ---- chats ----

    private Document chat(JsonNode list, @Nullable ChatTemplate template) throws IOException {
        if (template == null) {
            throw new IOException(place + ": it is a chat; set data.chat_template to one of "
                    + Arrays.toString(ChatTemplate.values()));
        }
        if (!list.isArray() || list.isEmpty()) {
            throw new IOException(place + ": \"messages\" must be a list of objects with role and content");
        }
        var messages = new ArrayList<ChatMessage>();
        for (int i = 0; i < list.size(); i++) {
            messages.add(message(list.get(i), "messages[" + i + "]"));
        }
        if (messages.stream().noneMatch(message -> message.role() == Role.ASSISTANT)) {
            throw new IOException(
                    place + ": \"messages\" contains no assistant message, so there is nothing to learn from");
        }
        try {
            template.require(messages);
        } catch (IllegalArgumentException e) {
            throw new IOException(place + ": " + e.getMessage(), e);
        }
        return new Document.Chat(messages);
    }

    private ChatMessage message(JsonNode object, String where) throws IOException {
        Set<String> keys = keys(object);
        if (!keys.equals(MESSAGE)) {
            throw new IOException(place + ": " + where + " must be {\"role\": …, \"content\": …}; "
                    + (object.isObject()
                            ? "it has the keys " + JsonProblem.brief(keys)
                                    + "; leave out the others, and chats that call tools"
                            : "it is no object"));
        }
        Role role = role(object.get("role"), where);
        JsonNode content = object.get("content");
        if (!content.isTextual()) {
            throw new IOException(place + ": " + where + ".content must be a string"
                    + (content.isArray() ? "; join the text of its parts, and leave out chats with images" : ""));
        }
        if (role == Role.ASSISTANT && content.textValue().isBlank()) {
            throw new IOException(place + ": " + where
                    + ".content must be a string and must not be blank; leave out the message or the chat");
        }
        return new ChatMessage(role, whole(content.textValue(), where + ".content"));
    }

    private Role role(JsonNode role, String where) throws IOException {
        return Arrays.stream(Role.values())
                .filter(known -> role.isTextual() && known.word().equals(role.textValue()))
                .findFirst()
                .orElseThrow(() -> new IOException(place + ": " + where + ".role is " + JsonProblem.brief(role)
                        + "; it must be \"system\", \"user\" or \"assistant\""));
    }
}
