package io.gradus.data.tokenizer.huggingface;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.gradus.core.WholeFile;
import io.gradus.core.json.JsonProblem;
import io.gradus.core.safetensors.AtomicFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * The files of a Hugging Face tokenizer, as they were when it was loaded, so that a checkpoint gets them even if the folder has
 * changed since or is being replaced.
 *
 * @param folder their folder
 * @param contents of the existing files, by name
 */
public record TokenizerFiles(Path folder, Map<String, byte[]> contents) {
    public static final String TOKENIZER = "tokenizer.json";
    public static final String TOKENIZER_CONFIG = "tokenizer_config.json";
    public static final String SPECIAL_TOKENS_MAP = "special_tokens_map.json";
    public static final String GENERATION_CONFIG = "generation_config.json";
    public static final String CONFIG = "config.json";

    public static final String CHAT_TEMPLATE = "chat_template.jinja";

    static final String VOCABULARY = "vocab.json";
    static final String WORDS = "vocab.txt";
    static final String MERGES = "merges.txt";

    private static final List<String> SAVED = List.of(
            TOKENIZER,
            TOKENIZER_CONFIG,
            SPECIAL_TOKENS_MAP,
            TokenSettings.ADDED_TOKENS,
            VOCABULARY,
            WORDS,
            MERGES,
            "tokenizer.model",
            CHAT_TEMPLATE,
            "chat_template.json");

    /** The folder of chat templates other than the usual one, as in {@code additional_chat_templates/tool_use.jinja}. */
    public static final String CHAT_TEMPLATES = "additional_chat_templates/";

    /** Files of the model, which have more special tokens. */
    private static final List<String> READ = List.of(GENERATION_CONFIG, CONFIG);

    /** More than any tokenizer has. */
    private static final long MAX_SIZE = 500_000_000;

    private static final ObjectMapper MAPPER =
            new ObjectMapper().enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS);

    /**
     * Reads the files of a folder.
     *
     * @throws IOException if one cannot be read
     */
    public static TokenizerFiles read(Path folder) throws IOException {
        var contents = new LinkedHashMap<String, byte[]>();
        for (String name : Stream.of(SAVED, READ, chatTemplates(folder))
                .flatMap(List::stream)
                .toList()) {
            Path file = folder.resolve(name);
            if (Files.isRegularFile(file)) {
                if (Files.size(file) > MAX_SIZE) {
                    throw new IOException(file + ": it has " + Files.size(file)
                            + " bytes, more than the file of any tokenizer; download or copy it again");
                }
                contents.put(name, WholeFile.bytes(file));
            }
        }
        return new TokenizerFiles(folder, contents);
    }

    /** The names of the files in the folder of chat templates. */
    private static List<String> chatTemplates(Path folder) throws IOException {
        Path templates = folder.resolve(CHAT_TEMPLATES);
        if (!Files.isDirectory(templates)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(templates)) {
            return files.map(file -> String.valueOf(file.getFileName()))
                    .filter(name -> name.endsWith(".jinja"))
                    .sorted()
                    .map(name -> CHAT_TEMPLATES + name)
                    .toList();
        }
    }

    public boolean has(String name) {
        return contents.containsKey(name);
    }

    /** These files, with one added or replaced. */
    TokenizerFiles with(String name, byte[] content) {
        var more = new LinkedHashMap<>(contents);
        more.put(name, content);
        return new TokenizerFiles(folder, more);
    }

    /**
     * Writes each file of the tokenizer atomically, byte for byte.
     *
     * @throws IOException if a file cannot be written
     */
    public void save(Path target) throws IOException {
        for (Map.Entry<String, byte[]> file : contents.entrySet()) {
            if (!READ.contains(file.getKey())) {
                AtomicFile.write(target.resolve(file.getKey()), file.getValue());
            }
        }
    }

    /** The path of a file. */
    public Path path(String name) {
        return folder.resolve(name);
    }

    /** A file as a JSON object, with its path; empty if the file does not exist. */
    JsonPart part(String name) throws IOException {
        return new JsonPart(path(name), "", json(name));
    }

    /**
     * A file as a JSON object; empty if the file does not exist.
     *
     * @throws IOException if it is not a JSON object; the message names it
     */
    public ObjectNode json(String name) throws IOException {
        byte[] content = contents.get(name);
        if (content == null) {
            return MAPPER.createObjectNode();
        }
        try {
            if (MAPPER.readTree(text(name)) instanceof ObjectNode root) {
                return root;
            }
            throw new IOException(path(name) + ": it is not a JSON object; download or copy it again");
        } catch (JacksonException e) {
            throw new IOException(
                    path(name) + ": it is not JSON: " + JsonProblem.of(e) + "; download or copy it again", e);
        }
    }

    /**
     * A file as text.
     *
     * @throws IOException if it does not exist, or is not UTF-8; the message names it
     */
    public String text(String name) throws IOException {
        byte[] content = contents.get(name);
        if (content == null) {
            throw new NoSuchFileException(path(name).toString());
        }
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(content))
                    .toString();
        } catch (CharacterCodingException e) {
            throw new IOException(path(name) + ": it is not UTF-8; download or copy it again", e);
        }
    }
}
