package io.gradus.train.recipe;

import com.fasterxml.jackson.annotation.JsonUnwrapped;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.cfg.CoercionAction;
import com.fasterxml.jackson.databind.cfg.CoercionInputShape;
import com.fasterxml.jackson.databind.deser.std.StdScalarDeserializer;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.ser.std.ToStringSerializer;
import com.fasterxml.jackson.databind.type.LogicalType;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Reads and writes recipes as YAML: the defaults, overridden by the keys of a file, overridden by {@code key=value}. Errors are
 * one line that names the key.
 */
final class RecipeYaml {
    private static final YAMLMapper YAML = YAMLMapper.builder()
            .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
            .enable(DeserializationFeature.FAIL_ON_NUMBERS_FOR_ENUMS)
            .enable(MapperFeature.ACCEPT_CASE_INSENSITIVE_ENUMS)
            .addModule(new SimpleModule()
                    .addSerializer(Path.class, new ToStringSerializer(Path.class))
                    .addDeserializer(Path.class, new PathDeserializer()))
            .withCoercionConfigDefaults(
                    config -> config.setCoercion(CoercionInputShape.EmptyString, CoercionAction.Fail))
            .withCoercionConfig(
                    LogicalType.Textual,
                    config -> config.setCoercion(CoercionInputShape.EmptyString, CoercionAction.TryConvert))
            .build();

    private RecipeYaml() {}

    // ---- reading ----

    /** The keys read so far; later sources override earlier ones. */
    static final class Keys {
        private final ObjectNode defaults = documented();
        private final ObjectNode tree = defaults.deepCopy();

        /** Sets a key, such as {@code data.train}. */
        void set(String key, Object value) {
            merge(tree, defaults, nested(key, YAML.valueToTree(value)), "");
        }

        /** Reads keys from YAML, then {@code key=value}. */
        private Keys read(String yaml, String... overrides) {
            try {
                merge(tree, defaults, YAML.readTree(yaml), "");
            } catch (JsonProcessingException e) {
                throw new RecipeException("not YAML: " + problem(e));
            }
            for (String override : overrides) {
                merge(tree, defaults, nested(override), "");
            }
            return this;
        }

        Recipe recipe() {
            return construct(tree);
        }
    }

    static Recipe parse(String yaml, String... overrides) {
        return new Keys().read(yaml, overrides).recipe();
    }

    private static ObjectNode documented() {
        try {
            return (ObjectNode) YAML.readTree(Recipe.documentation());
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** {@code a.b=value} as the tree {@code {a: {b: value}}}. */
    private static JsonNode nested(String override) {
        int equals = override.indexOf('=');
        if (equals <= 0) {
            throw new RecipeException("'" + override + "' is not key=value");
        }
        String value = override.substring(equals + 1);
        // As text, which Jackson converts where a number is wanted, so that prompts and paths need no quotes.
        return nested(
                override.substring(0, equals).strip(),
                value.equals("null") ? YAML.nullNode() : YAML.getNodeFactory().textNode(value));
    }

    private static JsonNode nested(String key, JsonNode value) {
        String[] keys = key.split("\\.", -1);
        JsonNode node = value;
        for (int i = keys.length - 1; i >= 0; i--) {
            node = YAML.createObjectNode().set(keys[i], node);
        }
        return node;
    }

    /** Overrides keys of a tree that has all known keys. A key without a value gets its default. */
    private static void merge(ObjectNode into, JsonNode defaults, JsonNode from, String prefix) {
        if (from.isMissingNode() || from.isNull()) {
            return;
        }
        if (!from.isObject()) {
            throw new RecipeException((prefix.isEmpty() ? "it" : "'" + prefix.substring(0, prefix.length() - 1) + "'")
                    + " must be keys with values, not " + oneLine(from));
        }
        for (Map.Entry<String, JsonNode> entry : from.properties()) {
            String key = entry.getKey();
            JsonNode known = into.get(key);
            if (known == null) {
                throw new RecipeException("unknown key '" + prefix + key + "'; "
                        + ForeignKeys.hint(key).orElseGet(() -> suggestion(into, prefix, key)));
            }
            JsonNode fallback = defaults.path(key);
            if (known instanceof ObjectNode section) {
                merge(section, fallback, entry.getValue(), prefix + key + ".");
            } else {
                into.set(key, entry.getValue().isNull() ? fallback : listed(entry.getValue(), fallback));
            }
        }
    }

    /** On the command line, a list is text with commas. */
    private static JsonNode listed(JsonNode value, JsonNode fallback) {
        if (!fallback.isArray() || !value.isTextual()) {
            return value;
        }
        ArrayNode list = YAML.createArrayNode();
        Arrays.stream(value.textValue().split(","))
                .map(String::strip)
                .filter(item -> !item.isEmpty())
                .forEach(list::add);
        return list;
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
            if (e.getCause() instanceof IllegalArgumentException cause && !path.isEmpty()) {
                throw new RecipeException(String.join(".", path) + ": " + cause.getMessage());
            }
            JsonNode value = tree.at("/" + String.join("/", path));
            throw new RecipeException(
                    String.join(".", path) + " is " + oneLine(value) + "; it must be " + kind(path, value));
        } catch (JsonProcessingException e) {
            throw new RecipeException(problem(e));
        }
    }

    // ---- messages ----

    /** The kind of values of a key, from the type of its record component. */
    private static String kind(List<String> path, JsonNode value) {
        Type generic = Recipe.class;
        for (String key : path) {
            generic = generic instanceof ParameterizedType list
                    ? list.getActualTypeArguments()[0]
                    : components((Class<?>) generic)
                            .filter(component -> snakeCase(component).equals(key))
                            .findFirst()
                            .orElseThrow()
                            .getGenericType();
        }
        Class<?> type = generic instanceof Class<?> plain ? plain : List.class;
        if (type.isEnum()) {
            return Arrays.stream(type.getEnumConstants())
                    .map(constant -> constant.toString().toLowerCase(Locale.ROOT))
                    .collect(Collectors.joining(" or "));
        }
        return switch (type.getSimpleName()) {
            case "int", "Integer" -> "a whole number" + (value.asText().matches("-?\\d+") ? " below 2^31" : "");
            case "long" -> "a whole number";
            case "double", "Double" -> "a number";
            case "boolean", "Boolean" -> "true or false";
            case "Path" -> "a path";
            case "Source" -> "a path, or {path: …, weight: …}";
            case "List" -> "a list: [one, two], or one,two on the command line";
            default -> "text; put it in quotes";
        };
    }

    /** The keys of a section, including those of unwrapped records. */
    private static Stream<RecordComponent> components(Class<?> section) {
        return Arrays.stream(section.getRecordComponents())
                .flatMap(component -> component.isAnnotationPresent(JsonUnwrapped.class)
                                || component.getAccessor().isAnnotationPresent(JsonUnwrapped.class)
                        ? components(component.getType())
                        : Stream.of(component));
    }

    private static String snakeCase(RecordComponent component) {
        return component.getName().replaceAll("([A-Z])", "_$1").toLowerCase(Locale.ROOT);
    }

    private static String oneLine(JsonNode value) {
        String text = value.isTextual() ? "'" + value.textValue() + "'" : value.toString();
        return text.replaceAll("\\s*\\R\\s*", " ");
    }

    /** The problem and its position, without an excerpt from the file. */
    private static String problem(JsonProcessingException e) {
        String last = e.getOriginalMessage()
                .lines()
                .filter(line -> !line.isBlank() && !line.startsWith(" "))
                .reduce("", (_, line) -> line);
        return e.getLocation() == null
                ? last
                : last + " (line " + e.getLocation().getLineNr() + ", column "
                        + e.getLocation().getColumnNr() + ")";
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
            try {
                if (!text.isBlank()) {
                    return Path.of(text);
                }
            } catch (InvalidPathException e) {
                // reported below
            }
            return (Path) context.handleWeirdStringValue(Path.class, text, "not a path");
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
