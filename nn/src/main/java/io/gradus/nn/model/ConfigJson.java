package io.gradus.nn.model;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.gradus.core.DType;
import io.gradus.core.WholeFile;
import io.gradus.core.json.JsonProblem;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;

/**
 * The contents of {@code config.json}, the file of a Hugging Face folder that describes the network.
 *
 * <p>Errors name the key. A getter without a fallback requires its key; a getter with one returns it if the key is missing or
 * {@code null}. Every getter marks its key as read, so that {@link #unreadKeys} can report settings that a model family does
 * not honor; {@link ConfigKey} lists what a family knows.
 */
public final class ConfigJson {
    /** The file's name. */
    public static final String FILE = "config.json";

    /** A thousand times the largest weights of published models. */
    private static final long MOST_ELEMENTS = 1L << 42;

    private static final int MAX_MESSAGE = 1000;

    private static final ObjectMapper JSON =
            new ObjectMapper().enable(DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY);

    private final ObjectNode json;
    private final String prefix;
    private final Set<String> read = new HashSet<>();
    private final Map<String, ConfigJson> objects = new HashMap<>();

    /** An empty configuration, to be filled with {@link #set}. */
    public ConfigJson() {
        this(JsonNodeFactory.instance.objectNode(), "");
    }

    private ConfigJson(ObjectNode json, String prefix) {
        this.json = json;
        this.prefix = prefix;
    }

    /**
     * Reads the configuration of a folder.
     *
     * @param folder the folder, or the file itself
     * @throws IOException if the file is missing or is not a JSON object
     */
    public static ConfigJson read(Path folder) throws IOException {
        Path file = file(folder);
        if (!Files.isRegularFile(file)) {
            throw new IOException(file + " is missing; a checkpoint is a Hugging Face folder with config.json,"
                    + " model.safetensors and tokenizer.json");
        }
        try {
            return parse(WholeFile.text(file));
        } catch (CharacterCodingException e) {
            throw new IOException(file + " is not UTF-8; save it in that encoding, or download it again", e);
        } catch (IllegalArgumentException e) {
            throw in(file, e);
        }
    }

    /**
     * Reads another file of such a folder, and makes something of it.
     *
     * @param reader whose errors are those of a key
     * @throws IOException if the file is missing or is not a JSON object, or the reader has found an error; names the file
     */
    public static <T> T read(Path file, Function<ConfigJson, T> reader) throws IOException {
        ConfigJson json = read(file);
        try {
            return reader.apply(json);
        } catch (IllegalArgumentException e) {
            throw in(file, e);
        }
    }

    /**
     * Parses the text of a configuration.
     *
     * @throws IllegalArgumentException if the text is not a JSON object
     */
    public static ConfigJson parse(String text) {
        try {
            if (JSON.readTree(text) instanceof ObjectNode object) {
                return new ConfigJson(object, "");
            }
        } catch (JsonProcessingException e) {
            if (text.startsWith("version https://git-lfs")) {
                throw new IllegalArgumentException(
                        FILE + " is a Git LFS pointer, not the file itself; run `git lfs pull` in its folder", e);
            }
            throw new IllegalArgumentException(FILE + " is not JSON: " + JsonProblem.of(e), e);
        }
        throw new IllegalArgumentException(FILE + " is not an object");
    }

    static Path file(Path folder) {
        return Files.isRegularFile(folder) ? folder : folder.resolve(FILE);
    }

    /** The same problem as an error that names the file. */
    static IOException in(Path file, IllegalArgumentException problem) {
        String message = String.valueOf(problem.getMessage());
        if (message.length() > MAX_MESSAGE) { // quotes a long value
            message = message.substring(0, MAX_MESSAGE) + "…";
        }
        String rest = message.startsWith(FILE) ? message.substring(FILE.length()) : ": " + message;
        return new IOException(file + rest, problem);
    }

    // ---- reading ----

    /** The text under a key. */
    public String text(String key, String fallback) {
        JsonNode node = get(key);
        require(isAbsent(node) || node.isTextual(), prefix + key + " is " + node + ", not a text");
        String text = node.asText(fallback);
        require(isWhole(text), prefix + key + " has half a surrogate pair, which is no character");
        return text;
    }

    /** Whether UTF-8 can encode a text, so that it is the same when it is written and read again. */
    private static boolean isWhole(String text) {
        return StandardCharsets.UTF_8.newEncoder().canEncode(text);
    }

    /** The boolean under a key. */
    public boolean flag(String key, boolean fallback) {
        JsonNode node = get(key);
        require(isAbsent(node) || node.isBoolean(), prefix + key + " is " + node + ", not true or false");
        return node.asBoolean(fallback);
    }

    /** The texts in the list under a key; none if there is no list. */
    public List<String> texts(String key) {
        JsonNode node = get(key);
        List<JsonNode> elements =
                StreamSupport.stream(node.spliterator(), false).toList();
        require(
                isAbsent(node) || (node.isArray() && elements.stream().allMatch(JsonNode::isTextual)),
                prefix + key + " is " + node + ", not a list of texts");
        List<String> texts = elements.stream().map(JsonNode::asText).toList();
        require(
                texts.stream().allMatch(ConfigJson::isWhole),
                prefix + key + " has half a surrogate pair, which is no character");
        return texts;
    }

    /** The whole numbers in the list under a key; none if there is no list. */
    public List<Integer> integers(String key) {
        JsonNode node = get(key);
        List<JsonNode> elements =
                StreamSupport.stream(node.spliterator(), false).toList();
        require(
                isAbsent(node) || (node.isArray() && elements.stream().allMatch(JsonNode::isInt)),
                prefix + key + " is " + node + ", not a list of whole numbers");
        return elements.stream().map(JsonNode::intValue).toList();
    }

    /** The numbers in the list under a key; none if there is no list. */
    public List<Double> numbers(String key) {
        JsonNode node = get(key);
        List<JsonNode> elements =
                StreamSupport.stream(node.spliterator(), false).toList();
        require(
                isAbsent(node) || (node.isArray() && elements.stream().allMatch(JsonNode::isNumber)),
                prefix + key + " is " + node + ", not a list of numbers");
        return elements.stream().map(JsonNode::doubleValue).toList();
    }

    /** The whole number under a key that must be present. */
    public int integer(String key) {
        require(!isAbsent(get(key)), prefix + key + " is missing");
        return integer(key, 0);
    }

    /** The whole number under a key. */
    public int integer(String key, int fallback) {
        JsonNode node = get(key);
        if (isAbsent(node)) {
            return fallback;
        }
        require(node.isIntegralNumber(), prefix + key + " is " + node + ", not a whole number");
        require(node.canConvertToInt(), prefix + key + " is " + node + "; it must be at most " + Integer.MAX_VALUE);
        return node.intValue();
    }

    /** The size under a key that must be present: a whole number of at least 1. */
    public int size(String key) {
        int size = integer(key);
        requirePositive(prefix + key, size);
        return size;
    }

    /** The size under a key: a whole number of at least 1. The fallback is not checked. */
    public int size(String key, int fallback) {
        return has(key) ? size(key) : fallback;
    }

    /** The number under a key that must be present. */
    public double number(String key) {
        require(!isAbsent(get(key)), prefix + key + " is missing");
        return number(key, 0);
    }

    /** The number under a key. */
    public double number(String key, double fallback) {
        JsonNode node = get(key);
        if (isAbsent(node)) {
            return fallback;
        }
        require(node.isNumber(), prefix + key + " is " + node + ", not a number");
        return node.doubleValue();
    }

    /** The object under a key; an empty one if there is none. */
    public ConfigJson object(String key) {
        JsonNode node = get(key);
        require(isAbsent(node) || node.isObject(), prefix + key + " is " + node + ", not an object");
        return objects.computeIfAbsent(
                key,
                _ -> new ConfigJson(
                        node instanceof ObjectNode object ? object : JsonNodeFactory.instance.objectNode(),
                        prefix + key + "."));
    }

    /** A token's id, or null. Some models list several ids; this is the first. */
    public @Nullable Integer tokenId(String key) {
        JsonNode node = get(key).isArray() ? get(key).path(0) : get(key);
        require(isAbsent(node) || node.isInt(), prefix + key + " is " + node + ", not a token's id");
        return node.isInt() ? node.intValue() : null;
    }

    /** Whether a key is present with a value other than {@code null}. */
    public boolean has(String key) {
        return !isAbsent(get(key));
    }

    /** Whether a key is present, even with {@code null}. */
    public boolean mentions(String key) {
        return !get(key).isMissingNode();
    }

    /** All keys, in the order of the file. */
    public List<String> keys() {
        return json.properties().stream().map(Map.Entry::getKey).toList();
    }

    /** The number of keys. */
    public int size() {
        return json.size();
    }

    /** Whether there are no keys. */
    public boolean isEmpty() {
        return json.isEmpty();
    }

    /**
     * Requires that keys are missing or have a value.
     *
     * @throws IllegalArgumentException if one is {@code null}
     */
    public void requireNotNull(String... keys) {
        for (String key : keys) {
            require(!json.path(key).isNull(), prefix + key + " is null; give it a value, or remove the key");
        }
    }

    /** Whether a key is missing, null, a value, or a list of only that value. */
    boolean isAtMost(String key, @Nullable Object value) {
        JsonNode node = get(key);
        if (isAbsent(node) || value == null) {
            return isAbsent(node);
        }
        JsonNode accepted = JSON.valueToTree(value);
        return node.equals(accepted)
                || (node.isArray()
                        && StreamSupport.stream(node.spliterator(), false).allMatch(accepted::equals));
    }

    /** The value under a key as JSON, for an error. */
    String shown(String key) {
        String text = get(key).toString();
        return text.length() <= 100 ? text : text.substring(0, 100) + "…";
    }

    /** Marks keys as read that the family knows to have no effect on the network. */
    public void ignore(String... keys) {
        read.addAll(List.of(keys));
    }

    private JsonNode get(String key) {
        read.add(key);
        return json.path(key);
    }

    private static boolean isAbsent(JsonNode node) {
        return node.isMissingNode() || node.isNull();
    }

    /**
     * The keys that no getter has read, in alphabetical order. Left out are keys that do not describe the network, such as
     * {@code transformers_version}, and those that switch nothing on: {@code null}, {@code false}, 0, an empty text or list.
     */
    public Set<String> unreadKeys() {
        Set<String> unread = new TreeSet<>();
        json.properties().forEach(entry -> {
            if (isOn(entry.getValue())) {
                unread.add(entry.getKey());
            }
        });
        unread.removeAll(read);
        ConfigKey.COMMON.forEach(key -> unread.remove(key.name()));
        objects.forEach((name, object) -> object.unreadKeys().forEach(key -> unread.add(name + "." + key)));
        return unread;
    }

    private static boolean isOn(JsonNode node) {
        return switch (node.getNodeType()) {
            case BOOLEAN -> node.booleanValue();
            case NUMBER -> node.doubleValue() != 0;
            case STRING -> !node.textValue().isEmpty();
            case ARRAY, OBJECT -> !node.isEmpty();
            default -> false;
        };
    }

    // ---- checking ----

    /** @throws IllegalArgumentException with the problem, unless the condition holds */
    public static void require(boolean condition, String problem) {
        if (!condition) {
            throw new IllegalArgumentException(FILE + ": " + problem);
        }
    }

    /** @throws IllegalArgumentException if the value is below 1 */
    public static void requirePositive(String key, int value) {
        require(value > 0, key + " is " + value + "; it must be at least 1");
    }

    /**
     * Limits the size of a tensor, so that a sum over all tensors of a model, in bytes, is a {@code long}.
     *
     * @param keys whose values are multiplied, such as {@code vocab_size × hidden_size}
     * @throws IllegalArgumentException if the product is larger than that of any tensor
     */
    public static void requireTensor(String keys, long rows, long columns) {
        require(
                rows <= MOST_ELEMENTS / columns,
                keys + " is " + rows + " × " + columns + ", more elements than a tensor can have");
    }

    // ---- writing ----

    /**
     * Sets a key.
     *
     * @param value a number, text, boolean, list or another {@code ConfigJson}; null writes {@code null}
     * @return this
     */
    public ConfigJson set(String key, @Nullable Object value) {
        json.set(key, JSON.valueToTree(value instanceof ConfigJson object ? object.json : value));
        return this;
    }

    /**
     * Sets the dtype of the weights, under the key of transformers 4, of transformers 5, or both, as before.
     *
     * @return whether the configuration had another dtype or none
     */
    public boolean setDtype(DType dtype) {
        String name = switch (dtype) {
            case BF16 -> "bfloat16";
            case F16 -> "float16";
            case F64 -> "float64";
            default -> "float32";
        };
        List<String> told = Stream.of("torch_dtype", "dtype").filter(this::has).toList();
        boolean changed = false;
        for (String key : told.isEmpty() ? List.of("torch_dtype") : told) {
            changed |= !name.equals(json.path(key).asText());
            json.put(key, name);
        }
        return changed;
    }

    /** The JSON text, indented. */
    @Override
    public String toString() {
        return json.toPrettyString();
    }
}
