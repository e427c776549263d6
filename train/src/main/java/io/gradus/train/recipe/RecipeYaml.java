package io.gradus.train.recipe;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.deser.std.StdScalarDeserializer;
import com.fasterxml.jackson.databind.exc.UnrecognizedPropertyException;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.ser.std.ToStringSerializer;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.gradus.core.FileNames;
import io.gradus.core.json.JsonProblem;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.Type;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Reads and writes recipes as YAML: the defaults, overridden by the keys of a file, overridden by {@code key=value}. Errors are
 * one line that names the key.
 */
final class RecipeYaml {
    private static final int MAX_LEVELS = 5;

    private static final YAMLMapper YAML = YAMLMapper.builder()
            .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
            .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
            .enable(DeserializationFeature.FAIL_ON_NUMBERS_FOR_ENUMS)
            .enable(MapperFeature.ACCEPT_CASE_INSENSITIVE_ENUMS)
            .addModule(new SimpleModule()
                    .addSerializer(Path.class, new ToStringSerializer(Path.class))
                    .addDeserializer(Path.class, new PathDeserializer()))
            .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS) // texts that are numbers have become numbers
            .build();

    private static final ObjectNode DEFAULTS =
            (ObjectNode) RecipeTypes.convert(YamlTree.parse(Recipe.documentation()), Recipe.class, "");

    private RecipeYaml() {}

    // ---- reading ----

    /** The keys read so far; later sources override earlier ones. */
    static final class Keys {
        private final ObjectNode tree = DEFAULTS.deepCopy();

        /** Sets a key, such as {@code data.train}. */
        void set(String key, Object value) {
            merge(nested(key, YAML.valueToTree(value)));
        }

        /** Reads keys from YAML, then {@code key=value}. */
        private Keys read(String yaml, String... overrides) {
            merge(YamlTree.parse(yaml));
            for (String override : overrides) {
                merge(nested(override));
            }
            return this;
        }

        private void merge(JsonNode keys) {
            RecipeYaml.merge(tree, DEFAULTS, keys, "", Recipe.class);
        }

        Recipe recipe() {
            return construct(tree);
        }
    }

    static Recipe parse(String yaml, String... overrides) {
        return new Keys().read(yaml, overrides).recipe();
    }

    /** {@code a.b=value} as the tree {@code {a: {b: value}}}. */
    private static JsonNode nested(String override) {
        int equals = override.indexOf('=');
        if (equals <= 0) {
            throw new RecipeException("'" + override + "' is not key=value");
        }
        String key = override.substring(0, equals).strip();
        return nested(key, value(override.substring(equals + 1), RecipeTypes.of(key)));
    }

    /**
     * The value of a key on the command line. It is YAML, but text and paths are taken literally, so that prompts and paths need
     * no quotes, and a list needs no brackets.
     */
    private static JsonNode value(String text, Optional<Type> type) {
        JsonNode literal = YAML.getNodeFactory().textNode(text);
        if (text.isBlank() || type.isEmpty()) {
            return literal;
        }
        if (YamlTree.isNull(text)) {
            return YAML.nullNode();
        }
        boolean list = RecipeTypes.isList(type.get());
        if (RecipeTypes.isText(type.get()) || list && !text.strip().startsWith("[")) {
            return literal;
        }
        try {
            return YamlTree.parse(text);
        } catch (RecipeException e) {
            if (list) {
                throw e;
            }
            return literal; // reported with its key
        }
    }

    private static JsonNode nested(String key, JsonNode value) {
        String[] keys = key.split("\\.", -1);
        if (keys.length > MAX_LEVELS) {
            throw new RecipeException(
                    "unknown key '" + RecipeException.brief(key) + "'; keys have at most " + MAX_LEVELS + " parts");
        }
        JsonNode node = value;
        for (int i = keys.length - 1; i >= 0; i--) {
            node = YAML.createObjectNode().set(keys[i], node);
        }
        return node;
    }

    /** Overrides keys of a tree that has all known keys. A key without a value gets its default. */
    private static void merge(
            ObjectNode into, JsonNode defaults, JsonNode from, String prefix, @Nullable Type section) {
        if (from.isNull()) {
            return;
        }
        if (!from.isObject()) {
            throw new RecipeException((prefix.isEmpty() ? "it" : "'" + prefix.substring(0, prefix.length() - 1) + "'")
                    + " must be keys with values, not " + brief(from));
        }
        for (Map.Entry<String, JsonNode> entry : from.properties()) {
            String key = entry.getKey();
            JsonNode known = into.get(key);
            if (known == null) {
                throw new RecipeException("unknown key '" + prefix + RecipeException.brief(key) + "'; "
                        + ForeignKeys.hint(key).orElseGet(() -> suggestion(into, prefix, key)));
            }
            @Nullable Type type = section == null ? null : RecipeTypes.member(section, key);
            if (known instanceof ObjectNode inner) {
                merge(inner, defaults.path(key), entry.getValue(), prefix + key + ".", type);
            } else {
                into.set(
                        key,
                        entry.getValue().isNull()
                                ? defaults.path(key)
                                : RecipeTypes.convert(entry.getValue(), type, prefix + key));
            }
        }
    }

    private static Recipe construct(ObjectNode tree) {
        try {
            return YAML.treeToValue(tree, Recipe.class);
        } catch (JsonMappingException e) {
            if (e.getCause() instanceof RecipeException cause) {
                throw cause;
            }
            List<String> path = e.getPath().stream()
                    .map(part -> Objects.requireNonNullElse(part.getFieldName(), String.valueOf(part.getIndex())))
                    .toList();
            String key = String.join(".", path);
            if (e instanceof UnrecognizedPropertyException unknown) {
                throw new RecipeException("unknown key '" + RecipeException.brief(key) + "'; known keys are "
                        + unknown.getKnownPropertyIds().stream()
                                .map(String::valueOf)
                                .sorted()
                                .collect(Collectors.joining(", ")));
            }
            if (e.getCause() instanceof InvalidPathException cause) {
                throw new RecipeException(key + ": " + FileNames.problem(cause));
            }
            if (e.getCause() instanceof IllegalArgumentException cause && !path.isEmpty()) {
                throw new RecipeException(key + ": " + RecipeException.brief(cause.getMessage()));
            }
            JsonNode value = tree.at("/" + String.join("/", path));
            throw new RecipeException(key + " is " + brief(value) + "; it must be "
                    + RecipeTypes.kind(RecipeTypes.of(key).orElseThrow(), value));
        } catch (JsonProcessingException e) {
            throw new RecipeException(JsonProblem.of(e));
        }
    }

    // ---- messages ----

    private static String brief(JsonNode value) {
        return value.isTextual() ? "'" + RecipeException.brief(value.textValue()) + "'" : RecipeException.brief(value);
    }

    /** The most similar key of this section, the same key of another section, or else all keys. */
    private static String suggestion(ObjectNode section, String prefix, String key) {
        List<String> names =
                section.properties().stream().map(Map.Entry::getKey).toList();
        @Nullable String nearest = names.stream()
                .filter(name -> distance(name, key) < Math.min(key.length(), Math.max(3, key.length() / 3)))
                .min(Comparator.comparingInt(name -> distance(name, key)))
                .orElse(null);
        if (nearest != null) {
            return "did you mean '" + prefix + nearest + "'?";
        }
        for (Map.Entry<String, JsonNode> other : section.properties()) {
            if (other.getValue().has(key)) {
                return "did you mean '" + prefix + other.getKey() + "." + key + "'?";
            }
        }
        return "known keys are " + names.stream().map(name -> prefix + name).collect(Collectors.joining(", "));
    }

    /** The edit distance of two words (Levenshtein 1966). */
    private static int distance(String a, String b) {
        int[] row = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            row[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int replaced = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(replaced, 1 + Math.min(row[j], row[j - 1]));
            }
        }
        return row[b.length()];
    }

    /** Reads paths literally; Jackson's own reader takes {@code a:b} for a URI. */
    private static final class PathDeserializer extends StdScalarDeserializer<Path> {
        private static final long serialVersionUID = 1L;

        PathDeserializer() {
            super(Path.class);
        }

        @Override
        public @Nullable Path deserialize(JsonParser parser, DeserializationContext context) throws IOException {
            String text = parser.currentToken().isScalarValue() ? parser.getText() : "";
            return text.isBlank()
                    ? (Path) context.handleWeirdStringValue(Path.class, text, "not a path")
                    : FileNames.path(text);
        }
    }

    // ---- writing ----

    static String write(Recipe recipe) {
        try {
            return YAML.writeValueAsString(recipe);
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException(e);
        }
    }

    static Map<String, String> flatten(Recipe recipe) {
        Map<String, String> map = new TreeMap<>();
        flatten("", YAML.valueToTree(recipe), map);
        return map;
    }

    private static void flatten(String prefix, JsonNode node, Map<String, String> map) {
        node.properties().forEach(entry -> {
            String key = prefix + entry.getKey();
            if (entry.getValue().isObject()) {
                flatten(key + ".", entry.getValue(), map);
            } else {
                map.put(
                        key,
                        entry.getValue().isArray()
                                ? entry.getValue().toString()
                                : entry.getValue().asText());
            }
        });
    }
}
