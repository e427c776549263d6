package io.gradus.it.fuzz;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.util.RawValue;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;

/** Changes of JSON that keep it JSON, or nearly. */
final class Json {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    /** Values that programs tend to handle badly. */
    static final List<String> ODD_VALUES = List.of(
            "0",
            "-0",
            "1",
            "-1",
            "2",
            "3",
            "7",
            "1.5",
            "-0.5",
            "1e-5",
            "1e400",
            "-1e400",
            "1e-400",
            "1e99999999",
            "1e-99999999",
            "255",
            "4096",
            "65536",
            "2147483647",
            "2147483648",
            "-2147483648",
            "4294967296",
            "9007199254740993",
            "9223372036854775807",
            "9223372036854775808",
            "-9223372036854775808",
            "18446744073709551615",
            "9".repeat(400),
            "9".repeat(2000),
            "0." + "1".repeat(2000),
            "null",
            "true",
            "false",
            "\"\"",
            "\" \"",
            "\"a\"",
            "\"1\"",
            "\"true\"",
            "\"null\"",
            "\"\\ud800\"",
            "\"\\u0000\"",
            "\"\\u001b[31m\"",
            "\"\\n\"",
            "\"../../x\"",
            "\"/dev/zero\"",
            "\"." + "x".repeat(300) + "\"",
            "\"" + "é".repeat(3000) + "\"",
            "[]",
            "[0]",
            "[-1]",
            "[null]",
            "[0,0]",
            "[1,2,3]",
            "[2147483648,2147483648]",
            "[[]]",
            "[\"a\"]",
            "{}",
            "{\"a\":1}",
            "[".repeat(70) + "]".repeat(70),
            "[".repeat(1500) + "]".repeat(1500),
            "{\"a\":".repeat(1500) + "1" + "}".repeat(1500),
            "NaN",
            "Infinity",
            "-Infinity",
            "1.",
            ".5",
            "01",
            "+1",
            "0x10",
            "'a'",
            "");

    private Json() {}

    static JsonNode parse(String text) {
        try {
            return MAPPER.readTree(text);
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A value of an object or an array. */
    private record Place(JsonNode parent, String key, int index) {
        JsonNode value() {
            return parent instanceof ObjectNode object ? object.get(key) : parent.get(index);
        }

        void set(JsonNode value) {
            if (parent instanceof ObjectNode object) {
                object.set(key, value);
            } else {
                ((ArrayNode) parent).set(index, value);
            }
        }
    }

    private static List<Place> places(JsonNode node) {
        List<Place> places = new ArrayList<>();
        collect(node, places);
        return places;
    }

    private static void collect(JsonNode node, List<Place> places) {
        if (node instanceof ObjectNode object) {
            object.properties().forEach(entry -> {
                places.add(new Place(node, entry.getKey(), 0));
                collect(entry.getValue(), places);
            });
        } else if (node instanceof ArrayNode) {
            for (int i = 0; i < node.size(); i++) {
                places.add(new Place(node, "", i));
                collect(node.get(i), places);
            }
        }
    }

    /**
     * One or several changes: values replaced, exchanged, copied, removed, renamed or repeated, and numbers changed a little.
     *
     * @param values of the format, to replace others with, as JSON
     */
    static String mutate(JsonNode json, List<String> values, RandomGenerator random) {
        JsonNode root = json.deepCopy();
        do {
            List<Place> places = places(root);
            if (places.isEmpty()) {
                break;
            }
            change(places.get(random.nextInt(places.size())), places, values, random);
        } while (random.nextInt(3) == 0);
        return root.toString();
    }

    private static void change(Place place, List<Place> places, List<String> values, RandomGenerator random) {
        JsonNode parent = place.parent;
        JsonNode value = place.value();
        JsonNode other = places.get(random.nextInt(places.size())).value();
        switch (random.nextInt(9)) {
            case 0, 1 -> place.set(raw(ODD_VALUES.get(random.nextInt(ODD_VALUES.size()))));
            case 2 -> place.set(raw(values.isEmpty() ? "0" : values.get(random.nextInt(values.size()))));
            case 3, 4 -> place.set(value.isIntegralNumber() ? near(value.longValue(), random) : other.deepCopy());
            case 5 -> {
                if (parent instanceof ObjectNode object) {
                    object.remove(place.key);
                } else {
                    ((ArrayNode) parent).remove(place.index);
                }
            }
            case 6 -> {
                if (parent instanceof ObjectNode object) {
                    object.remove(place.key);
                    object.set(name(place, places, random), value);
                } else {
                    ((ArrayNode) parent).insert(place.index, value.deepCopy());
                }
            }
            case 7 -> { // the same name twice
                if (parent instanceof ObjectNode object && value.isContainerNode() && !value.isEmpty()) {
                    String text = value.toString();
                    String inner = text.substring(1, text.length() - 1);
                    object.set(place.key, raw(text.charAt(0) + inner + "," + inner + text.charAt(text.length() - 1)));
                } else if (parent instanceof ObjectNode object) {
                    object.set(place.key, raw(value + ",\"" + place.key + "\":" + other));
                }
            }
            default -> {
                if (parent instanceof ObjectNode object) {
                    object.set(name(place, places, random), other.deepCopy());
                } else {
                    ((ArrayNode) parent).add(other.deepCopy());
                }
            }
        }
    }

    private static String name(Place place, List<Place> places, RandomGenerator random) {
        return switch (random.nextInt(5)) {
            case 0 -> "";
            case 1 -> place.key + "x";
            case 2 -> "a\u0000\u001b[31m\n\"é";
            case 3 -> "k".repeat(20_000);
            default -> places.get(random.nextInt(places.size())).key;
        };
    }

    private static JsonNode near(long number, RandomGenerator random) {
        long changed = switch (random.nextInt(7)) {
            case 0 -> number + 1;
            case 1 -> number - 1;
            case 2 -> number * 2;
            case 3 -> number / 2;
            case 4 -> -number;
            case 5 -> number + random.nextInt(-64, 64);
            default -> number << random.nextInt(40);
        };
        return MAPPER.getNodeFactory().numberNode(changed);
    }

    private static JsonNode raw(String text) {
        return MAPPER.getNodeFactory().rawValueNode(new RawValue(text));
    }
}
