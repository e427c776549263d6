package io.gradus.train.recipe;

import com.fasterxml.jackson.annotation.JsonUnwrapped;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.math.BigInteger;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What the text of a value means, by the type of its key: the record component of {@link Recipe}. Numbers and booleans are those
 * of YAML 1.2's core schema; digits may be grouped, as in {@code 1_000}.
 */
final class RecipeTypes {
    private static final Pattern DECIMAL = Pattern.compile("[-+]?(0|[1-9][0-9]*)");
    private static final Pattern HEXADECIMAL = Pattern.compile("0x[0-9a-fA-F]+");
    private static final Pattern OCTAL = Pattern.compile("0o[0-7]+");
    private static final Pattern FLOAT = Pattern.compile("[-+]?(\\.[0-9]+|[0-9]+(\\.[0-9]*)?)([eE][-+]?[0-9]+)?");
    private static final Pattern INFINITY = Pattern.compile("[-+]?(\\.inf|\\.Inf|\\.INF|Infinity)");
    private static final Pattern NAN = Pattern.compile("\\.nan|\\.NaN|\\.NAN|NaN");
    private static final Pattern TRUE = Pattern.compile("true|True|TRUE");
    private static final Pattern FALSE = Pattern.compile("false|False|FALSE");
    private static final Pattern GROUPING = Pattern.compile("(?<=[0-9])_(?=[0-9])");

    /** The types of the keys of each section; none of a class that is no section. */
    private static final ClassValue<Map<String, Type>> MEMBERS = new ClassValue<>() {
        @Override
        protected Map<String, Type> computeValue(Class<?> section) {
            return section.isRecord()
                    ? components(section)
                            .collect(Collectors.toMap(RecipeTypes::snakeCase, RecordComponent::getGenericType))
                    : Map.of();
        }
    };

    private RecipeTypes() {}

    // ---- types ----

    /** The type of a key with dots; empty if the key is unknown. */
    static Optional<Type> of(String key) {
        Type type = Recipe.class;
        for (String part : key.split("\\.", -1)) {
            @Nullable Type inner = member(type, part);
            if (inner == null) {
                return Optional.empty();
            }
            type = inner;
        }
        return Optional.of(type);
    }

    /** The type of a key of a section, or of an element of a list. */
    static @Nullable Type member(Type type, String key) {
        if (type instanceof ParameterizedType list) {
            return list.getActualTypeArguments()[0];
        }
        return type instanceof Class<?> section ? MEMBERS.get(section).get(key) : null;
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

    static boolean isList(Type type) {
        return type instanceof ParameterizedType;
    }

    /** Whether values are text or paths, in which every character counts. */
    static boolean isText(Type type) {
        return type == String.class || type == Path.class;
    }

    /** The values that a key accepts, in words. */
    static String kind(Type type, JsonNode value) {
        if (isList(type)) {
            return "a list: [one, two], or one,two on the command line";
        }
        Class<?> plain = (Class<?>) type;
        if (plain.isEnum()) {
            return Arrays.stream(plain.getEnumConstants())
                    .map(constant -> constant.toString().toLowerCase(Locale.ROOT))
                    .collect(Collectors.joining(" or "));
        }
        return switch (plain.getSimpleName()) {
            case "int", "Integer" -> "a whole number" + limit(value.asText(), Integer.SIZE);
            case "long" -> "a whole number" + limit(value.asText(), Long.SIZE);
            case "double", "Double" -> "a number";
            case "boolean", "Boolean" -> "true or false";
            case "Path" -> "a path";
            case "Source" -> "a path, or {path: …, weight: …}";
            case "String" -> "text; put it in quotes";
            default -> "keys with values";
        };
    }

    /** Why digits are no whole number. YAML 1.1 reads zeros in front as octal, and YAML 1.2 as decimal. */
    private static String limit(String text, int bits) {
        return text.matches("[-+]?0[0-9]+")
                ? " without zeros in front; octal begins with 0o"
                : text.matches("[-+]?[0-9]+") ? " below 2^" + (bits - 1) : "";
    }

    // ---- values ----

    /**
     * A value with numbers and booleans in place of the texts that mean some. Other texts stay, and are reported later.
     *
     * @param key for messages
     */
    static JsonNode convert(JsonNode value, @Nullable Type type, String key) {
        if (type == null) {
            return value;
        }
        if (isList(type)) {
            return list(value, type, key);
        }
        if (value instanceof ObjectNode object) {
            ObjectNode converted = JsonNodeFactory.instance.objectNode();
            object.properties()
                    .forEach(entry -> converted.set(
                            entry.getKey(),
                            convert(entry.getValue(), member(type, entry.getKey()), key + "." + entry.getKey())));
            return converted;
        }
        if (!value.isTextual()) {
            return value;
        }
        @Nullable JsonNode scalar = scalar(GROUPING.matcher(value.textValue()).replaceAll(""), (Class<?>) type);
        return scalar == null ? value : scalar;
    }

    /** A list; a text has its elements with commas between them. */
    private static JsonNode list(JsonNode value, Type type, String key) {
        ArrayNode list = JsonNodeFactory.instance.arrayNode();
        if (value.isTextual()) {
            Arrays.stream(value.textValue().split(","))
                    .map(String::strip)
                    .filter(item -> !item.isEmpty())
                    .forEach(list::add);
        } else if (value.isArray()) {
            for (JsonNode item : value) {
                if (item.isNull()) {
                    throw new RecipeException(key + "." + list.size() + " has no value; remove it from the list");
                }
                list.add(convert(item, member(type, ""), key));
            }
        } else {
            return value;
        }
        return list;
    }

    private static @Nullable JsonNode scalar(String text, Class<?> type) {
        if (type == boolean.class || type == Boolean.class) {
            return TRUE.matcher(text).matches()
                    ? JsonNodeFactory.instance.booleanNode(true)
                    : FALSE.matcher(text).matches() ? JsonNodeFactory.instance.booleanNode(false) : null;
        }
        if (type == double.class || type == Double.class) {
            @Nullable Double number = decimal(text);
            return number == null ? null : JsonNodeFactory.instance.numberNode(number);
        }
        if (List.of(int.class, Integer.class, long.class).contains(type)) {
            @Nullable BigInteger number = integer(text);
            int bits = type == long.class ? Long.SIZE : Integer.SIZE;
            return number == null || number.bitLength() >= bits
                    ? null
                    : JsonNodeFactory.instance.numberNode(number.longValue());
        }
        return null;
    }

    private static @Nullable BigInteger integer(String text) {
        if (text.length() > Long.SIZE) {
            return null;
        }
        if (DECIMAL.matcher(text).matches()) {
            return new BigInteger(text);
        }
        if (HEXADECIMAL.matcher(text).matches()) {
            return new BigInteger(text.substring(2), 16);
        }
        return OCTAL.matcher(text).matches() ? new BigInteger(text.substring(2), 8) : null;
    }

    private static @Nullable Double decimal(String text) {
        if (NAN.matcher(text).matches()) {
            return Double.NaN;
        }
        if (INFINITY.matcher(text).matches()) {
            return text.startsWith("-") ? Double.NEGATIVE_INFINITY : Double.POSITIVE_INFINITY;
        }
        @Nullable BigInteger whole = integer(text);
        double number = whole != null
                ? whole.doubleValue()
                : FLOAT.matcher(text).matches() ? Double.parseDouble(text) : Double.POSITIVE_INFINITY;
        return Double.isFinite(number) ? number : null; // a number too large for a double is none
    }
}
