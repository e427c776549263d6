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
import io.gradus.data.chat.ChatMessage;
import io.gradus.data.chat.ChatTemplate;
import java.io.IOException;
import java.io.LineNumberReader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Reads documents from JSON Lines: each line is a JSON object with exactly the keys of one kind of document. */
final class JsonLines implements RecordReader<Document> {
    private static final Set<String> TEXT = Set.of("text");
    private static final Set<String> PROMPT_COMPLETION = Set.of("prompt", "completion");
    private static final Set<String> CHAT = Set.of("messages");
    /** What a chat may have besides its messages. */
    private static final List<String> CHAT_VARIABLES = List.of("tools", "documents");

    private static final int MAX_DEPTH = 1000;
    private static final int MAX_PROBLEM = 1000;

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
    private final Objects objects;
    private String place;

    JsonLines(Path file, DataFormat format) throws IOException {
        this.format = format;
        this.objects = new Objects(file);
        this.place = objects.place();
    }

    @Override
    public @Nullable Document next() throws IOException {
        JsonNode object = objects.next();
        place = objects.place();
        return object == null ? null : document(object);
    }

    @Override
    public long position() {
        return objects.position();
    }

    // ---- JSON ----

    /** The values of the lines that are not blank. */
    static final class Objects implements RecordReader<JsonNode> {
        private final Path file;
        private final Utf8Reader bytes;
        private final LineNumberReader lines;
        private String place;

        Objects(Path file) throws IOException {
            this.file = file;
            this.place = file.toString();
            this.bytes = new Utf8Reader(file);
            this.lines = new LineNumberReader(bytes);
        }

        @Override
        public @Nullable JsonNode next() throws IOException {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (!line.isBlank()) {
                    place = file + ":" + lines.getLineNumber();
                    return parse(line, place);
                }
            }
            return null;
        }

        /** The file and the line of the latest value. */
        String place() {
            return place;
        }

        @Override
        public long position() {
            return bytes.position();
        }
    }

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
        if (isChat(keys)) {
            return chat(object);
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

    /** Whether a line is a chat, possibly with tools or documents. */
    private static boolean isChat(Set<String> keys) {
        Set<String> others = new TreeSet<>(keys);
        others.removeAll(CHAT_VARIABLES);
        return others.equals(CHAT);
    }

    private void requireKind(Set<String> keys) throws IOException {
        Set<String> wanted = switch (format.kind()) {
            case TEXT -> TEXT;
            case PROMPT_COMPLETION -> PROMPT_COMPLETION;
            case CHAT -> CHAT;
            case AUTO, CSV -> keys;
        };
        if (!keys.equals(wanted) && !(wanted.equals(CHAT) && isChat(keys))) {
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
                throw new IOException(place + ": " + JsonProblem.brief(where) + " has half a character, \\u"
                        + Integer.toHexString(character) + ", at " + i
                        + "; the text was cut inside a character, such as an emoji: leave the half out");
            }
        }
        return text;
    }

    // ---- chats ----

    private Document chat(JsonNode object) throws IOException {
        ChatTemplate template = format.chatTemplate();
        if (template == null) {
            throw new IOException(place + ": it is a chat, and the model has no chat template of its own; set"
                    + " data.chat_template to one of " + ChatTemplate.BUILT_IN + ", or to a .jinja file");
        }
        JsonNode list = object.get("messages");
        if (!list.isArray() || list.isEmpty()) {
            throw new IOException(place + ": \"messages\" must be a list of objects with role and content");
        }
        var messages = new ArrayList<ChatMessage>();
        for (int i = 0; i < list.size(); i++) {
            messages.add(message(list.get(i), "messages[" + i + "]"));
        }
        if (messages.stream().noneMatch(ChatMessage::isAssistant)) {
            throw new IOException(
                    place + ": \"messages\" contains no assistant message, so there is nothing to learn from");
        }
        Map<String, Object> variables = new LinkedHashMap<>();
        for (String name : CHAT_VARIABLES) {
            JsonNode value = object.path(name);
            if (!value.isMissingNode() && !value.isNull()) {
                requireObjects(value, name);
                variables.put(name, value(value, name));
            }
        }
        try {
            template.render(messages, variables);
        } catch (IllegalArgumentException e) {
            String problem = String.valueOf(e.getMessage());
            boolean isShort = problem.length() <= MAX_PROBLEM; // a template may quote a long value
            throw new IOException(place + ": " + (isShort ? problem : problem.substring(0, MAX_PROBLEM) + "…"), e);
        }
        return new Document.Chat(messages, variables);
    }

    private void requireObjects(JsonNode list, String where) throws IOException {
        boolean objects = list.isArray();
        for (JsonNode item : list) {
            objects &= item.isObject();
        }
        if (!objects) {
            throw new IOException(place + ": " + where + " must be a list of objects");
        }
    }

    private ChatMessage message(JsonNode object, String where) throws IOException {
        JsonNode role = object.path("role");
        JsonNode content = object.path("content");
        boolean empty = content.isMissingNode() && object.size() < 2;
        if (role.isMissingNode() || empty) {
            throw new IOException(place + ": " + where + " must be {\"role\": …, \"content\": …}; "
                    + (object.isObject() ? "it has the keys " + JsonProblem.brief(keys(object)) : "it is no object"));
        }
        if (!role.isTextual()) {
            throw new IOException(
                    place + ": " + where + ".role is " + JsonProblem.brief(role) + "; it must be a string");
        }
        if (content.isArray()) {
            requireObjects(content, where + ".content");
        } else if (!content.isTextual() && !content.isMissingNode() && (!content.isNull() || object.size() == 2)) {
            throw new IOException(place + ": " + where + ".content must be a string, or a list of parts");
        }
        Map<String, @Nullable Object> fields = new LinkedHashMap<>();
        for (Map.Entry<String, JsonNode> field : object.properties()) {
            fields.put(field.getKey(), value(field.getValue(), where + "." + field.getKey()));
        }
        return new ChatMessage(fields);
    }

    /** A value as chat templates read it. */
    private @Nullable Object value(JsonNode node, String where) throws IOException {
        if (node.isObject()) {
            Map<String, @Nullable Object> map = new LinkedHashMap<>();
            for (Map.Entry<String, JsonNode> entry : node.properties()) {
                map.put(whole(entry.getKey(), where), value(entry.getValue(), where + "." + entry.getKey()));
            }
            return map;
        }
        if (node.isArray()) {
            List<@Nullable Object> list = new ArrayList<>();
            for (int i = 0; i < node.size(); i++) {
                list.add(value(node.get(i), where + "[" + i + "]"));
            }
            return list;
        }
        if (node.isTextual()) {
            return whole(node.textValue(), where);
        }
        return node.isBoolean()
                ? (Object) node.booleanValue()
                : node.isIntegralNumber() ? node.bigIntegerValue() : node.isNumber() ? node.doubleValue() : null;
    }
}
