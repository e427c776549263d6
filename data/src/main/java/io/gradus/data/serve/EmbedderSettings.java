package io.gradus.data.serve;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.gradus.core.json.JsonProblem;
import io.gradus.core.safetensors.AtomicFile;
import io.gradus.nn.model.ConfigJson;
import io.gradus.nn.model.SentenceModules;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * How a folder of sentence-transformers turns texts into vectors: {@code modules.json}, {@code 1_Pooling/config.json}, {@code
 * sentence_bert_config.json} and {@code config_sentence_transformers.json}.
 *
 * @param pooling of hidden states
 * @param normalize whether vectors get the length 1
 * @param maxLength the most tokens of a text, special ones included; null for the context length of the model
 * @param lowerCase whether texts are read in lower case
 * @param prompt in front of each text, usually empty
 */
public record EmbedderSettings(
        Pooling pooling, boolean normalize, @Nullable Integer maxLength, boolean lowerCase, String prompt) {
    private static final String TRANSFORMER = "sentence_bert_config.json";
    private static final String SETTINGS = "config_sentence_transformers.json";
    private static final String CONFIG = "config.json";
    private static final String MODE = "pooling_mode";
    private static final ObjectMapper JSON = new ObjectMapper();

    /** Mean pooling and a length of 1, for texts of a length. */
    public static EmbedderSettings of(int maxLength) {
        return new EmbedderSettings(Pooling.MEAN, true, maxLength, false, "");
    }

    /** What the network reads of a text. */
    public String text(String text) {
        String read = prompt + text.strip();
        return lowerCase ? read.toLowerCase(Locale.ROOT) : read;
    }

    /**
     * Reads the files of a folder, or if it is that of a network, also of the folder around it. Without {@code modules.json} it is
     * the mean of the hidden states, as in sentence-transformers.
     *
     * @throws IOException if a file is missing or malformed, or has what is not supported; the message names it
     */
    public static EmbedderSettings read(Path network) throws IOException {
        return saved(network).orElse(new EmbedderSettings(Pooling.MEAN, false, null, false, ""));
    }

    /**
     * {@link #read} of the files that are there.
     *
     * @return empty if there is no {@code modules.json}
     */
    public static Optional<EmbedderSettings> saved(Path network) throws IOException {
        Path folder = SentenceModules.around(network);
        if (!SentenceModules.areIn(folder)) {
            return Optional.empty();
        }
        List<SentenceModules> modules = SentenceModules.read(folder);
        List<String> kinds = modules.stream().map(SentenceModules::kind).toList();
        boolean normalize = kinds.equals(List.of("Transformer", "Pooling", "Normalize"));
        if (!normalize && !kinds.equals(List.of("Transformer", "Pooling"))) {
            throw new IOException(folder.resolve(SentenceModules.FILE) + " has the modules " + JsonProblem.brief(kinds)
                    + "; supported are Transformer and Pooling, and Normalize after them");
        }
        Path pooling = modules.get(1).folder().resolve(CONFIG);
        Pooling kind = ConfigJson.read(pooling, EmbedderSettings::pooling);
        String prompt = readIfPresent(folder.resolve(SETTINGS), EmbedderSettings::prompt);
        if (!prompt.isEmpty() && !ConfigJson.read(pooling, json -> json.flag("include_prompt", true))) {
            throw new IOException(
                    pooling + ": include_prompt is false, which is not supported with a default_prompt_name");
        }
        return Optional.of(readIfPresent(
                modules.getFirst().folder().resolve(TRANSFORMER),
                json -> new EmbedderSettings(
                        kind,
                        normalize,
                        json.has("max_seq_length") ? (Integer) json.size("max_seq_length") : null,
                        json.flag("do_lower_case", false),
                        prompt)));
    }

    private static <T> T readIfPresent(Path file, Function<ConfigJson, T> reader) throws IOException {
        return Files.exists(file) ? ConfigJson.read(file, reader) : reader.apply(new ConfigJson());
    }

    private static Pooling pooling(ConfigJson json) {
        Set<String> modes = new LinkedHashSet<>();
        for (String key : json.keys()) {
            if (key.startsWith(MODE + "_") && json.flag(key, false)) {
                modes.add(key);
            }
        }
        if (json.has(MODE)) { // newer versions
            modes.add(json.text(MODE, ""));
        }
        return Arrays.stream(Pooling.values())
                .filter(pooling -> modes.equals(Set.of(pooling.key())) || modes.equals(Set.of(pooling.toString())))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("the pooling is " + JsonProblem.brief(modes)
                        + "; supported is one of " + Arrays.toString(Pooling.values())));
    }

    /** The text in front of each text: the prompt with the default name. */
    private static String prompt(ConfigJson json) {
        if (!json.has("default_prompt_name")) {
            return "";
        }
        String name = json.text("default_prompt_name", "");
        if (!json.object("prompts").has(name)) {
            throw new IllegalArgumentException(
                    "default_prompt_name is " + JsonProblem.brief("'" + name + "'") + ", which prompts does not have");
        }
        return json.object("prompts").text(name, "");
    }

    /**
     * Writes the files, for a network in the same folder.
     *
     * @param dimension of the vectors
     */
    public void write(Path folder, int dimension) throws IOException {
        ArrayNode modules = JSON.createArrayNode();
        add(modules, "Transformer", "");
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
        write(folder.resolve("1_Pooling").resolve(CONFIG), modes);
        write(folder.resolve(TRANSFORMER), reading);
        write(folder.resolve(SETTINGS), settings);
        write(folder.resolve(SentenceModules.FILE), modules);
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
