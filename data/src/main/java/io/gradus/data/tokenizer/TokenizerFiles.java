package io.gradus.data.tokenizer;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.gradus.core.safetensors.AtomicFile;
import java.io.IOException;
import java.nio.file.Files;
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
record TokenizerFiles(Path folder, Map<String, byte[]> contents) {
    static final String TOKENIZER = "tokenizer.json";
    static final String TOKENIZER_CONFIG = "tokenizer_config.json";
    static final String SPECIAL_TOKENS_MAP = "special_tokens_map.json";
    static final String GENERATION_CONFIG = "generation_config.json";
    static final String CONFIG = "config.json";

    private static final List<String> SAVED = List.of(
            TOKENIZER,
            TOKENIZER_CONFIG,
            SPECIAL_TOKENS_MAP,
            "added_tokens.json",
            "vocab.json",
            "vocab.txt",
            "merges.txt",
            "tokenizer.model",
            "chat_template.jinja",
            "chat_template.json");

    /** Files of the model, which have more special tokens. */
    private static final List<String> READ = List.of(GENERATION_CONFIG, CONFIG);

    static TokenizerFiles read(Path folder) throws IOException {
        var contents = new LinkedHashMap<String, byte[]>();
        for (String name : Stream.concat(SAVED.stream(), READ.stream()).toList()) {
            Path file = folder.resolve(name);
            if (Files.isRegularFile(file)) {
                contents.put(name, Files.readAllBytes(file));
            }
        }
        return new TokenizerFiles(folder, contents);
    }

    /** These files, with one added or replaced. */
    TokenizerFiles with(String name, byte[] content) {
        var more = new LinkedHashMap<>(contents);
        more.put(name, content);
        return new TokenizerFiles(folder, more);
    }

    /** Writes each file of the tokenizer atomically, byte for byte. */
    void save(Path target) throws IOException {
        for (String name : SAVED) {
            byte[] content = contents.get(name);
            if (content != null) {
                AtomicFile.write(target.resolve(name), content);
            }
        }
    }

    Path path(String name) {
        return folder.resolve(name);
    }

    ObjectNode tokenizer() throws IOException {
        return json(TOKENIZER);
    }

    /** A file as a JSON object; empty if the file does not exist. */
    ObjectNode json(String name) throws IOException {
        byte[] content = contents.get(name);
        ObjectMapper mapper = new ObjectMapper();
        if (content == null) {
            return mapper.createObjectNode();
        }
        try {
            if (mapper.readTree(content) instanceof ObjectNode root) {
                return root;
            }
            throw new IOException(path(name) + ": it is not a JSON object; download or copy it again");
        } catch (JacksonException e) {
            throw new IOException(
                    path(name) + ": it is not JSON: " + e.getOriginalMessage() + "; download or copy it again", e);
        }
    }
}
