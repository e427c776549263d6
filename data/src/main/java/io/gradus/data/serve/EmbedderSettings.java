package io.gradus.data.serve;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.gradus.core.WholeFile;
import io.gradus.core.safetensors.AtomicFile;
import io.gradus.nn.model.ModelFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;

/**
 * How a folder of sentence-transformers turns texts into vectors: {@code modules.json}, {@code 1_Pooling/config.json}, {@code
 * sentence_bert_config.json} and {@code config_sentence_transformers.json}.
 *
 * @param network the folder of the network within the folder; empty if it is the same
 * @param pooling of hidden states
 * @param normalize whether vectors get the length 1
 * @param maxLength the most tokens of a text, special ones included; null for the context length of the model
 * @param lowerCase whether texts are read in lower case
 * @param prompt in front of each text, usually empty
 */
public record EmbedderSettings(
        String network,
        Pooling pooling,
        boolean normalize,
        @Nullable Integer maxLength,
        boolean lowerCase,
        String prompt) {
    private static final String MODULES = "modules.json";
    private static final String TRANSFORMER = "sentence_bert_config.json";
    private static final String SETTINGS = "config_sentence_transformers.json";
    private static final String CONFIG = "config.json";
    private static final String MODE = "pooling_mode";
    private static final ObjectMapper JSON = new ObjectMapper();

    /** Mean pooling and a length of 1, with the network in the same folder. */
    public static EmbedderSettings of(int maxLength) {
        return new EmbedderSettings("", Pooling.MEAN, true, maxLength, false, "");
    }

    /** Whether a folder has these files. */
    public static boolean isSavedIn(Path folder) {
        return Files.exists(folder.resolve(MODULES));
    }

    /** What the network reads of a text. */
    public String text(String text) {
        String read = prompt + text.strip();
        return lowerCase ? read.toLowerCase(Locale.ROOT) : read;
    }

    /**
     * Reads the files of a folder. Without {@code modules.json} it is the mean of the hidden states, as in sentence-transformers.
     *
     * @throws IOException if a file is missing or malformed, or has what is not supported; the message names it
     */
    public static EmbedderSettings read(Path folder) throws IOException {
        ModelFolder.open(folder);
        Path file = folder.resolve(MODULES);
        if (!isSavedIn(folder)) {
            return new EmbedderSettings("", Pooling.MEAN, false, null, false, "");
        }
        List<Module> modules = StreamSupport.stream(json(file).spliterator(), false)
                .map(module -> new Module(
                        module.path("type").asText(), module.path("path").asText()))
                .toList();
        List<String> kinds = modules.stream().map(Module::kind).toList();
        boolean normalize = kinds.equals(List.of("Transformer", "Pooling", "Normalize"));
        if (!normalize && !kinds.equals(List.of("Transformer", "Pooling"))) {
            throw new IOException(file + " has the modules " + kinds
                    + "; supported are Transformer and Pooling, and Normalize after them");
        }
        String network = modules.getFirst().path;
        Path transformer = folder.resolve(network).resolve(TRANSFORMER);
        JsonNode reading = Files.exists(transformer) ? json(transformer) : JSON.createObjectNode();
        Path pooling = folder.resolve(modules.get(1).path).resolve(CONFIG);
        return new EmbedderSettings(
                network,
                pooling(pooling),
                normalize,
                reading.path("max_seq_length").isInt()
                        ? (Integer) reading.path("max_seq_length").intValue()
                        : null,
                reading.path("do_lower_case").asBoolean(false),
                prompt(folder.resolve(SETTINGS), pooling));
    }

    /** A part of the model, such as {@code sentence_transformers.models.Pooling}. */
    private record Module(String type, String path) {
        String kind() {
            return type.substring(type.lastIndexOf('.') + 1);
        }
    }

    private static Pooling pooling(Path file) throws IOException {
        JsonNode json = json(file);
        Set<String> modes = new LinkedHashSet<>();
        json.properties().forEach(entry -> {
            if (entry.getKey().startsWith(MODE + "_") && entry.getValue().asBoolean()) {
                modes.add(entry.getKey());
            }
        });
        if (json.has(MODE)) { // newer versions
            modes.add(json.path(MODE).asText());
        }
        for (Pooling pooling : Pooling.values()) {
            if (modes.equals(Set.of(pooling.key())) || modes.equals(Set.of(pooling.toString()))) {
                return pooling;
            }
        }
        throw new IOException(
                file + " has the pooling " + modes + "; supported is one of " + Arrays.toString(Pooling.values()));
    }

    /** The text in front of each text: the prompt with the default name. */
    private static String prompt(Path file, Path pooling) throws IOException {
        JsonNode json = Files.exists(file) ? json(file) : JSON.createObjectNode();
        String name = json.path("default_prompt_name").asText("");
        if (!json.hasNonNull("default_prompt_name")) {
            return "";
        }
        if (!json.path("prompts").has(name)) {
            throw new IOException(file + ": default_prompt_name is '" + name + "', which prompts does not have");
        }
        if (!json(pooling).path("include_prompt").asBoolean(true)) {
            throw new IOException(
                    pooling + ": include_prompt is false, which is not supported with a default_prompt_name");
        }
        return json.path("prompts").path(name).asText();
    }

    private static JsonNode json(Path file) throws IOException {
        try {
            return JSON.readTree(WholeFile.text(file));
        } catch (JsonProcessingException e) {
            throw new IOException(file + ": " + e.getOriginalMessage(), e);
        }
    }

    /**
     * Writes the files.
     *
     * @param dimension of the vectors
     */
    public void write(Path folder, int dimension) throws IOException {
        ArrayNode modules = JSON.createArrayNode();
        add(modules, "Transformer", network);
        add(modules, "Pooling", "1_Pooling");
        if (normalize) {
            add(modules, "Normalize", "2_Normalize");
            Files.createDirectories(folder.resolve("2_Normalize"));
        }
        ObjectNode modes = JSON.createObjectNode().put("word_embedding_dimension", dimension);
        for (Pooling each : Pooling.values()) {
            modes.put(each.key(), each == pooling);
        }
        ObjectNode prompts = JSON.createObjectNode();
        if (!prompt.isEmpty()) {
            prompts.put("default", prompt);
        }
        ObjectNode settings = JSON.createObjectNode();
        settings.set("prompts", prompts);
        settings.put("default_prompt_name", prompt.isEmpty() ? null : "default").put("similarity_fn_name", "cosine");
        ObjectNode reading =
                JSON.createObjectNode().put("max_seq_length", maxLength).put("do_lower_case", lowerCase);
        Files.createDirectories(folder.resolve("1_Pooling"));
        Files.createDirectories(folder.resolve(network));
        write(folder.resolve("1_Pooling").resolve(CONFIG), modes);
        write(folder.resolve(network).resolve(TRANSFORMER), reading);
        write(folder.resolve(SETTINGS), settings);
        write(folder.resolve(MODULES), modules);
    }

    private static void add(ArrayNode modules, String kind, String path) {
        int index = modules.size();
        modules.addObject()
                .put("idx", index)
                .put("name", Integer.toString(index))
                .put("path", path)
                .put("type", "sentence_transformers.models." + kind);
    }

    private static void write(Path file, JsonNode json) throws IOException {
        AtomicFile.write(file, JSON.writerWithDefaultPrettyPrinter().writeValueAsString(json) + "\n");
    }
}
