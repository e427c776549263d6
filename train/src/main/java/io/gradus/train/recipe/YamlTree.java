package io.gradus.train.recipe;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.error.Mark;
import org.yaml.snakeyaml.error.MarkedYAMLException;
import org.yaml.snakeyaml.error.YAMLException;
import org.yaml.snakeyaml.events.AliasEvent;
import org.yaml.snakeyaml.events.CollectionEndEvent;
import org.yaml.snakeyaml.events.DocumentEndEvent;
import org.yaml.snakeyaml.events.DocumentStartEvent;
import org.yaml.snakeyaml.events.Event;
import org.yaml.snakeyaml.events.MappingStartEvent;
import org.yaml.snakeyaml.events.NodeEvent;
import org.yaml.snakeyaml.events.ScalarEvent;
import org.yaml.snakeyaml.events.SequenceStartEvent;
import org.yaml.snakeyaml.events.StreamEndEvent;
import org.yaml.snakeyaml.events.StreamStartEvent;
import org.yaml.snakeyaml.parser.Parser;
import org.yaml.snakeyaml.parser.ParserImpl;
import org.yaml.snakeyaml.reader.StreamReader;

/**
 * Reads one YAML document as a tree. Every scalar is text, unless it is null: what a text means depends on the type of its key
 * ({@link RecipeTypes}). Aliases and merge keys are resolved. Tags are rejected, except those that say what is the case anyway.
 */
final class YamlTree {
    private static final int MAX_DEPTH = 20;
    private static final int MAX_VALUES = 10_000;
    private static final String MERGE = "<<";
    private static final String STANDARD = "tag:yaml.org,2002:";
    private static final Set<String> NULL = Set.of("", "~", "null", "Null", "NULL");

    private final Parser events;
    private final Map<String, Anchored> anchors = new HashMap<>();
    private int values;
    private int depth;

    /**
     * A value with an anchor.
     *
     * @param size the number of values in it
     */
    private record Anchored(JsonNode node, int size) {}

    private YamlTree(String yaml) {
        events = new ParserImpl(new StreamReader(yaml), new LoaderOptions());
    }

    /**
     * Reads a document; null if there is none.
     *
     * @throws RecipeException if it is not YAML, or uses a part of YAML that a recipe does not; names the line
     */
    static JsonNode parse(String yaml) {
        try {
            return new YamlTree(yaml).document();
        } catch (MarkedYAMLException e) {
            String problem = e.getProblem() == null ? String.valueOf(e.getContext()) : e.getProblem();
            boolean alias = e.getContext() != null && e.getContext().contains("alias");
            throw error(problem + (alias ? "; text that begins with * needs quotes" : ""), e.getProblemMark());
        } catch (YAMLException e) {
            throw error(String.valueOf(e.getMessage()).lines().findFirst().orElse(""), null);
        }
    }

    /** Whether a plain scalar means that there is no value. */
    static boolean isNull(String plain) {
        return NULL.contains(plain);
    }

    private static RecipeException error(String problem, @Nullable Mark mark) {
        return new RecipeException("not YAML: " + problem
                + (mark == null ? "" : " (line " + (mark.getLine() + 1) + ", column " + (mark.getColumn() + 1) + ")"));
    }

    private JsonNode document() {
        List<JsonNode> roots = new ArrayList<>();
        for (Event event = events.getEvent(); event != null; event = events.getEvent()) {
            switch (event) {
                case StreamStartEvent _, StreamEndEvent _, DocumentEndEvent _ -> {}
                case DocumentStartEvent start -> {
                    if (!roots.isEmpty()) {
                        throw error("a recipe is one document, and a second one begins here", start.getStartMark());
                    }
                }
                default -> roots.add(value(event));
            }
        }
        return roots.isEmpty() ? JsonNodeFactory.instance.nullNode() : roots.getFirst();
    }

    private JsonNode value(Event event) {
        if (event instanceof AliasEvent alias) {
            return aliased(alias);
        }
        int before = values;
        count(1, event);
        if (++depth > MAX_DEPTH) {
            throw error("the values are nested more than " + MAX_DEPTH + " levels deep", event.getStartMark());
        }
        JsonNode node = switch (event) {
            case ScalarEvent scalar -> scalar(scalar);
            case SequenceStartEvent start -> {
                rejectTag(start, start.getTag(), "seq");
                yield sequence();
            }
            case MappingStartEvent start -> {
                rejectTag(start, start.getTag(), "map");
                yield mapping();
            }
            default -> throw error("a value is missing", event.getStartMark());
        };
        depth--;
        if (event instanceof NodeEvent named && named.getAnchor() != null) {
            anchors.put(named.getAnchor(), new Anchored(node, values - before));
        }
        return node;
    }

    private JsonNode aliased(AliasEvent alias) {
        Anchored anchored = anchors.get(alias.getAnchor());
        if (anchored == null) {
            throw error(
                    "the alias *" + alias.getAnchor() + " repeats a value that is marked with &" + alias.getAnchor()
                            + ", and none before it is; text that begins with * needs quotes",
                    alias.getStartMark());
        }
        count(anchored.size, alias);
        return anchored.node;
    }

    /** Bounds the size of the tree, which aliases can double with every line. */
    private void count(int more, Event event) {
        values += more;
        if (values > MAX_VALUES) {
            throw error("it has more than " + MAX_VALUES + " values", event.getStartMark());
        }
    }

    private static JsonNode scalar(ScalarEvent scalar) {
        String tag = scalar.getTag();
        if (tag != null && !tag.equals("!")) {
            rejectTag(scalar, tag, "str");
        }
        return tag == null && scalar.isPlain() && isNull(scalar.getValue())
                ? JsonNodeFactory.instance.nullNode()
                : JsonNodeFactory.instance.textNode(scalar.getValue());
    }

    private static void rejectTag(Event event, @Nullable String tag, String allowed) {
        if (tag != null && !tag.equals(STANDARD + allowed)) {
            throw error(
                    "the tag " + (tag.startsWith(STANDARD) ? "!!" + tag.substring(STANDARD.length()) : tag)
                            + " has no meaning in a recipe; remove it",
                    event.getStartMark());
        }
    }

    private ArrayNode sequence() {
        ArrayNode list = JsonNodeFactory.instance.arrayNode();
        for (Event event = events.getEvent(); !(event instanceof CollectionEndEvent); event = events.getEvent()) {
            list.add(value(event));
        }
        return list;
    }

    private ObjectNode mapping() {
        ObjectNode map = JsonNodeFactory.instance.objectNode();
        List<JsonNode> merged = new ArrayList<>();
        for (Event event = events.getEvent(); !(event instanceof CollectionEndEvent); event = events.getEvent()) {
            JsonNode key = value(event);
            if (!key.isTextual() && !key.isNull()) {
                throw error("a key must be text", event.getStartMark());
            }
            String name = key.asText();
            boolean merge = event instanceof ScalarEvent scalar && scalar.isPlain() && name.equals(MERGE);
            if (map.has(name) || merge && !merged.isEmpty()) {
                throw error("Duplicate field '" + name + "'", event.getEndMark());
            }
            Event start = events.getEvent();
            JsonNode value = value(start);
            if (merge) {
                merged.addAll(maps(value, start));
            } else {
                map.set(name, value);
            }
        }
        for (JsonNode other : merged) {
            other.properties().forEach(entry -> map.putIfAbsent(entry.getKey(), entry.getValue()));
        }
        return map;
    }

    /** The maps of a merge key, of which earlier ones have precedence. */
    private static List<JsonNode> maps(JsonNode value, Event start) {
        List<JsonNode> maps = new ArrayList<>();
        if (value.isArray()) {
            value.forEach(maps::add);
        } else {
            maps.add(value);
        }
        if (maps.isEmpty() || !maps.stream().allMatch(JsonNode::isObject)) {
            throw error("<< merges a map or a list of maps", start.getStartMark());
        }
        return maps;
    }
}
