package io.gradus.data;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.gradus.data.ChatMessage.Role;
import io.gradus.data.DataFormat.Kind;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Reads training text, all of it UTF-8:
 *
 * <ul>
 *   <li>a {@code .jsonl} file has one document per line, <code>{"text": "…"}</code>,
 *       <code>{"prompt": "…", "completion": "…"}</code> or <code>{"messages": [{"role": "user", "content": "…"},
 *       {"role": "assistant", "content": "…"}]}</code>; empty lines are skipped;
 *   <li>a {@code .csv} or {@code .tsv} file has labeled texts ({@link LabeledTexts}), each a prompt and its completion;
 *   <li>any other file is one document, without a byte order mark;
 *   <li>of a folder, all {@code .txt}, {@code .md} and {@code .jsonl} files are read, including those of its subfolders, in
 *       the order of their names. Names that begin with a dot are skipped.
 * </ul>
 *
 * <p>A {@link DataFormat} may require one kind; then others are rejected.
 */
public final class Documents {
    private static final Set<String> TEXT = Set.of("text");
    private static final Set<String> PROMPT_COMPLETION = Set.of("prompt", "completion");
    private static final Set<String> CHAT = Set.of("messages");
    private static final Set<String> MESSAGE = Set.of("role", "content");

    private Documents() {}

    /**
     * Reads a file or a folder.
     *
     * @return at least one document
     * @throws IOException if something is missing, empty, not UTF-8, or malformed; the message names the file and the line or
     *     byte
     */
    public static List<Document> read(Path path) throws IOException {
        return read(path, DataFormat.AUTO);
    }

    /**
     * Reads a file or a folder of one format.
     *
     * @return at least one document
     * @throws IOException as {@link #read(Path)}, and if something is of another format, or a chat does not fit its template;
     *     the message also names the field
     */
    public static List<Document> read(Path path, DataFormat format) throws IOException {
        requireExists(path);
        if (format.kind() == Kind.CSV) {
            return labeled(path, format);
        }
        if (!Files.isDirectory(path)) {
            return readFile(path, format);
        }
        var documents = new ArrayList<Document>();
        for (Path file : files(path)) {
            documents.addAll(readFile(file, format));
        }
        if (documents.isEmpty()) {
            throw new IOException(path + ": the folder has no .txt, .md or .jsonl file");
        }
        return List.copyOf(documents);
    }

    static void requireExists(Path path) throws IOException {
        if (!Files.exists(path)) {
            throw new NoSuchFileException(path.toString(), null, "there is no such file or folder of training text");
        }
    }

    private static List<Document> labeled(Path path, DataFormat format) throws IOException {
        return LabeledTexts.read(path).stream()
                .<Document>map(format.labels()::of)
                .toList();
    }

    private static List<Path> files(Path folder) throws IOException {
        try (Stream<Path> found = Files.walk(folder, FileVisitOption.FOLLOW_LINKS)) {
            return found.filter(file -> !isHidden(folder.relativize(file)))
                    .filter(file -> hasExtension(file, ".txt", ".md", ".jsonl") && Files.isRegularFile(file))
                    .sorted()
                    .toList();
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }

    private static boolean isHidden(Path relative) {
        for (Path part : relative) {
            if (part.toString().startsWith(".")) {
                return true;
            }
        }
        return false;
    }

    static boolean hasExtension(Path file, String... extensions) {
        String name = String.valueOf(file.getFileName()).toLowerCase(Locale.ROOT);
        return Stream.of(extensions).anyMatch(name::endsWith);
    }

    private static List<Document> readFile(Path file, DataFormat format) throws IOException {
        if (hasExtension(file, ".json")) {
            throw new IOException(
                    file + ": a .json file is neither text nor JSON Lines; write one object per line into a"
                            + " .jsonl file, or rename it to .txt to train on it as plain text");
        }
        if (format.kind() == Kind.AUTO && LabeledTexts.isTable(file)) {
            return labeled(file, format);
        }
        String text = content(file);
        if (hasExtension(file, ".jsonl")) {
            return readLines(file, text, format);
        }
        if (format.kind() == Kind.PROMPT_COMPLETION || format.kind() == Kind.CHAT) {
            throw new IOException(file + ": data.format is " + format.kind() + ", which is read from .jsonl files");
        }
        return List.of(new Document.Text(text));
    }

    /** The contents of a file, which must not be blank. */
    static String content(Path file) throws IOException {
        String text = decode(file);
        if (text.isBlank()) {
            throw new IOException(file + ": it " + (text.isEmpty() ? "is empty" : "has only white space"));
        }
        return text;
    }

    // ---- characters ----

    private static String decode(Path file) throws IOException {
        long size = Files.size(file);
        if (size > Integer.MAX_VALUE - 8) {
            throw new IOException(file + ": it has " + size
                    + " bytes, but a file can have at most 2 GiB; split it and name the folder");
        }
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file));
        try {
            String text = StandardCharsets.UTF_8.newDecoder().decode(bytes).toString(); // rejects malformed bytes
            return text.startsWith("\uFEFF") ? text.substring(1) : text;
        } catch (CharacterCodingException e) {
            int place = bytes.position();
            throw new IOException(
                    file
                            + String.format(
                                    Locale.ROOT,
                                    ": it is not UTF-8: byte 0x%02X at %d; convert it, or leave it out",
                                    bytes.get(place),
                                    place),
                    e);
        }
    }

    // ---- JSON Lines ----

    private static List<Document> readLines(Path file, String text, DataFormat format) throws IOException {
        ObjectMapper mapper = new ObjectMapper(JsonFactory.builder()
                        .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                        .streamReadConstraints(StreamReadConstraints.builder()
                                .maxStringLength(Integer.MAX_VALUE)
                                .build())
                        .build())
                .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);
        var documents = new ArrayList<Document>();
        int number = 0;
        for (String line : text.split("\n", -1)) {
            number++;
            if (!line.isBlank()) {
                documents.add(document(mapper, line, file + ":" + number, format));
            }
        }
        return documents;
    }

    private static Document document(ObjectMapper mapper, String line, String place, DataFormat format)
            throws IOException {
        JsonNode object;
        try {
            object = mapper.readTree(line);
        } catch (JacksonException e) {
            throw new IOException(
                    place + ": it is not JSON: " + e.getOriginalMessage() + " (column "
                            + e.getLocation().getColumnNr() + ")",
                    e);
        }
        Set<String> keys = new TreeSet<>();
        object.fieldNames().forEachRemaining(keys::add);
        requireKind(keys, format.kind(), place);
        if (keys.equals(CHAT)) {
            return chat(object.get("messages"), format.chatTemplate(), place);
        }
        if (keys.equals(TEXT)) {
            return new Document.Text(text(object, "text", place));
        }
        if (keys.equals(PROMPT_COMPLETION)) {
            if (!object.get("prompt").isTextual()) {
                throw new IOException(place + ": \"prompt\" must be a string");
            }
            return new Document.PromptCompletion(object.get("prompt").textValue(), text(object, "completion", place));
        }
        throw new IOException(place + ": a line must be {\"text\": …}, {\"prompt\": …, \"completion\": …} or"
                + " {\"messages\": […]}; "
                + (object.isObject() ? "this one has the keys " + keys : "this one is no object"));
    }

    private static void requireKind(Set<String> keys, Kind kind, String place) throws IOException {
        Set<String> wanted = switch (kind) {
            case TEXT -> TEXT;
            case PROMPT_COMPLETION -> PROMPT_COMPLETION;
            case CHAT -> CHAT;
            case AUTO, CSV -> keys;
        };
        if (!keys.equals(wanted)) {
            throw new IOException(place + ": data.format is " + kind + ", so a line must have the keys "
                    + new TreeSet<>(wanted) + "; this one has " + keys);
        }
    }

    private static Document.Chat chat(JsonNode list, @Nullable ChatTemplate template, String place) throws IOException {
        if (template == null) {
            throw new IOException(place + ": it is a chat; set data.chat_template to one of "
                    + Arrays.toString(ChatTemplate.values()));
        }
        if (!list.isArray() || list.isEmpty()) {
            throw new IOException(place + ": \"messages\" must be a list of objects with role and content");
        }
        var messages = new ArrayList<ChatMessage>();
        for (int i = 0; i < list.size(); i++) {
            messages.add(message(list.get(i), place + ": messages[" + i + "]"));
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

    private static ChatMessage message(JsonNode object, String place) throws IOException {
        Set<String> keys = new TreeSet<>();
        object.fieldNames().forEachRemaining(keys::add);
        if (!keys.equals(MESSAGE)) {
            throw new IOException(place + " must be {\"role\": …, \"content\": …}; "
                    + (object.isObject() ? "it has the keys " + keys : "it is no object"));
        }
        JsonNode role = object.get("role");
        Role speaker = Arrays.stream(Role.values())
                .filter(known -> role.isTextual() && known.word().equals(role.textValue()))
                .findFirst()
                .orElseThrow(() -> new IOException(
                        place + ".role is " + role + "; it must be \"system\", \"user\" or \"assistant\""));
        JsonNode content = object.get("content");
        if (!content.isTextual()
                || (speaker == Role.ASSISTANT && content.textValue().isBlank())) {
            throw new IOException(
                    place + ".content must be a string" + (content.isTextual() ? " and must not be blank" : ""));
        }
        return new ChatMessage(speaker, content.textValue());
    }

    private static String text(JsonNode object, String key, String place) throws IOException {
        JsonNode value = object.get(key);
        if (!value.isTextual() || value.textValue().isBlank()) {
            throw new IOException(
                    place + ": \"" + key + "\" must be a string" + (value.isTextual() ? " and must not be blank" : ""));
        }
        return value.textValue();
    }

    // ---- holding out ----

    /**
     * Training and held-out documents.
     *
     * @param training at least one
     * @param heldOut at least one
     */
    public record Split(List<Document> training, List<Document> heldOut) {
        public Split {
            training = List.copyOf(training);
            heldOut = List.copyOf(heldOut);
        }
    }

    /**
     * Holds out a part of the documents, always the same part. If there are enough documents, evenly spaced ones are held out;
     * otherwise, the end of the text, cut at the end of a line.
     *
     * @param heldOut the part, between 0 and 1
     * @throws IllegalArgumentException if the part is not between 0 and 1, or either side would be empty
     */
    public static Split split(List<Document> documents, double heldOut) {
        if (!(heldOut > 0 && heldOut < 1)) {
            throw new IllegalArgumentException("data.validation_split is " + heldOut + "; it must be between 0 and 1");
        }
        if (documents.isEmpty()) {
            throw new IllegalArgumentException("data: there are no documents");
        }
        return Math.floor(documents.size() * heldOut) >= 1
                ? evenlySpaced(documents, heldOut)
                : lastPart(documents, heldOut);
    }

    /** Document i is held out if (i·h, (i + 1)·h] contains an integer. */
    private static Split evenlySpaced(List<Document> documents, double heldOut) {
        var kept = new ArrayList<Document>();
        var held = new ArrayList<Document>();
        for (int i = 0; i < documents.size(); i++) {
            boolean holds = Math.floor((i + 1) * heldOut) > Math.floor(i * heldOut);
            (holds ? held : kept).add(documents.get(i));
        }
        return new Split(kept, held);
    }

    /** From the end: whole texts while they fit, then a part of one. */
    private static Split lastPart(List<Document> documents, double heldOut) {
        var kept = new ArrayList<Document>();
        var held = new ArrayList<Document>();
        long wanted = Math.round(heldOut
                * documents.stream()
                        .mapToLong(d -> text(d, documents.size(), heldOut).length())
                        .sum());
        for (Document document : documents.reversed()) {
            String text = text(document, documents.size(), heldOut);
            if (wanted >= text.length()) {
                held.addFirst(document);
            } else if (wanted > 0) {
                int cut = cut(text, (int) wanted);
                addUnlessBlank(kept, text.substring(0, cut));
                addUnlessBlank(held, text.substring(cut));
            } else {
                kept.addFirst(document);
            }
            wanted -= Math.min(wanted, text.length());
        }
        if (kept.isEmpty() || held.isEmpty()) {
            throw new IllegalArgumentException(
                    "data.validation_split=" + heldOut + " of so short a text leaves nothing "
                            + (held.isEmpty() ? "to evaluate on" : "to train on")
                            + "; use more text, or set data.eval to a file");
        }
        return new Split(kept, held);
    }

    private static String text(Document document, int documents, double heldOut) {
        return switch (document) {
            case Document.Text plain -> plain.text();
            case Document.PromptCompletion _, Document.Chat _ ->
                throw new IllegalArgumentException("data.validation_split=" + heldOut + " of " + documents
                        + " documents is less than one; add examples, hold out more, or set data.eval to a file");
        };
    }

    private static void addUnlessBlank(List<Document> documents, String text) {
        if (!text.isBlank()) {
            documents.addFirst(new Document.Text(text));
        }
    }

    /** After a line break shortly before the position, else at the position, but never inside a character. */
    private static int cut(String text, int fromEnd) {
        int place = text.length() - fromEnd;
        int line = text.lastIndexOf('\n', place - 1) + 1;
        if (line > place - fromEnd / 2 && line > 0) {
            return line;
        }
        return Character.isLowSurrogate(text.charAt(place)) && Character.isHighSurrogate(text.charAt(place - 1))
                ? place - 1
                : place;
    }
}
