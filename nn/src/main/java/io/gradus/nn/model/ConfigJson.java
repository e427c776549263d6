package io.gradus.nn.model;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Reads {@code config.json}, which says what model a checkpoint folder holds. A problem is told by the file and the key. */
public final class ConfigJson {
    public static final ObjectMapper JSON =
            new ObjectMapper().enable(DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY);

    private static final String FILE = "config.json";

    private ConfigJson() {}

    /**
     * The family of the model in a folder, as {@code llama} or {@code gpt2}; {@code llama} where the file is silent.
     *
     * @throws IOException when the file is missing or is not JSON
     */
    public static String modelType(Path folder) throws IOException {
        return read(folder, json -> json.path("model_type").asText("llama"));
    }

    /**
     * What the file of a folder says.
     *
     * @param folder or the file itself
     * @param parse throws {@link IllegalArgumentException}, as {@link #check} does, when the file makes no sense
     * @throws IOException when the file is missing, is not JSON, or makes no sense
     */
    public static <C> C read(Path folder, Function<JsonNode, C> parse) throws IOException {
        Path file = Files.isRegularFile(folder) ? folder : folder.resolve(FILE);
        if (!Files.isRegularFile(file)) {
            throw new IOException(file + " is missing; a checkpoint is a Hugging Face folder with config.json,"
                    + " model.safetensors and tokenizer.json");
        }
        try {
            return parse.apply(JSON.readTree(file.toFile()));
        } catch (JsonProcessingException e) {
            throw new IOException(file + " is not JSON: " + e.getOriginalMessage(), e);
        } catch (IllegalArgumentException e) {
            throw new IOException(file + ": " + e.getMessage().replace(FILE + ": ", ""), e);
        }
    }

    public static void check(boolean condition, String problem) {
        if (!condition) {
            throw new IllegalArgumentException(FILE + ": " + problem);
        }
    }

    public static void positive(String key, int value) {
        check(value > 0, key + " is " + value + "; it must be at least 1");
    }

    /** A whole number; without a fall-back it must be there. */
    public static int integer(JsonNode json, String key, @Nullable Integer fallback) {
        JsonNode node = json.path(key);
        if (node.isMissingNode() || node.isNull()) {
            check(fallback != null, key + " is missing");
            return fallback == null ? 0 : fallback;
        }
        check(node.isIntegralNumber() && node.canConvertToInt(), key + " is " + node + ", not a whole number");
        return node.intValue();
    }

    /** A number; without a fall-back it must be there. */
    public static double number(JsonNode json, String key, @Nullable Double fallback) {
        JsonNode node = json.path(key);
        if (node.isMissingNode() || node.isNull()) {
            check(fallback != null, key + " is missing");
            return fallback == null ? 0 : fallback;
        }
        check(node.isNumber(), key + " is " + node + ", not a number");
        return node.doubleValue();
    }
}
