package io.gradus.data.tokenizer.huggingface;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What the {@code post_processor} of a {@code tokenizer.json} puts around a text.
 *
 * @param before ids in front of the text
 * @param after ids behind the text
 */
record SpecialTokenTemplate(List<Integer> before, List<Integer> after) {
    static final SpecialTokenTemplate NONE = new SpecialTokenTemplate(List.of(), List.of());

    private static final int MAX_DEPTH = 8;

    /** Checks and reads a post-processor. */
    static SpecialTokenTemplate read(JsonPart part) throws IOException {
        return part.isAbsent() ? NONE : read(part, 0);
    }

    private static SpecialTokenTemplate read(JsonPart part, int depth) throws IOException {
        return switch (part.object().get("type").text()) {
            case "ByteLevel" -> NONE; // moves offsets only
            case "BertProcessing", "RobertaProcessing" ->
                new SpecialTokenTemplate(List.of(pairedId(part.get("cls"))), List.of(pairedId(part.get("sep"))));
            case "TemplateProcessing" -> template(part);
            case "Sequence" -> {
                part.require(depth < MAX_DEPTH, "nested at most " + MAX_DEPTH + " deep");
                SpecialTokenTemplate all = NONE;
                for (JsonPart inner : part.get("processors").list()) {
                    SpecialTokenTemplate next = read(inner, depth + 1);
                    all = new SpecialTokenTemplate(concat(next.before, all.before), concat(all.after, next.after));
                }
                yield all;
            }
            default -> throw PipelineCheck.unknown(part, "post-processor");
        };
    }

    private static List<Integer> concat(List<Integer> first, List<Integer> second) {
        return Stream.concat(first.stream(), second.stream()).toList();
    }

    /** The id in {@code ["[CLS]", 101]}. */
    private static int pairedId(JsonPart part) throws IOException {
        part.require(part.value().isArray() && part.value().size() == 2, "a token and its id");
        part.get(0).text();
        return part.get(1).integer(0, Vocabulary.MAX_ID);
    }

    private static SpecialTokenTemplate template(JsonPart part) throws IOException {
        List<Integer> before = new ArrayList<>();
        List<Integer> after = new ArrayList<>();
        boolean isAfter = false;
        for (JsonPart piece : part.get("single").list()) {
            JsonPart special = piece.get("SpecialToken");
            if (special.isAbsent()) {
                piece.get("Sequence").get("id").oneOf(List.of("A"));
                piece.require(!isAfter, "a special token, because the text is there already");
                isAfter = true;
                continue;
            }
            for (JsonPart id : part.get("special_tokens")
                    .get(special.object().get("id").text())
                    .get("ids")
                    .list()) {
                (isAfter ? after : before).add(id.integer(0, Vocabulary.MAX_ID));
            }
        }
        part.get("single").require(isAfter, "a list with the Sequence A");
        return new SpecialTokenTemplate(before, after);
    }

    /** The ids of a text with special tokens around them. */
    int[] around(int[] ids) {
        return IntStream.concat(
                        before.stream().mapToInt(Integer::intValue),
                        IntStream.concat(IntStream.of(ids), after.stream().mapToInt(Integer::intValue)))
                .toArray();
    }

    /**
     * The post-processor, in its file.
     *
     * @param names of the tokens
     */
    JsonNode toJson(IntFunction<@Nullable String> names) {
        if (equals(NONE)) {
            return JsonNodeFactory.instance.nullNode();
        }
        ObjectNode processor = JsonNodeFactory.instance.objectNode().put("type", "TemplateProcessing");
        ArrayNode single = processor.putArray("single");
        ArrayNode pair = processor.putArray("pair");
        ObjectNode tokens = processor.putObject("special_tokens");
        before.forEach(id -> special(single, String.valueOf(names.apply(id)), id, tokens));
        sequence(single, "A");
        after.forEach(id -> special(single, String.valueOf(names.apply(id)), id, tokens));
        pair.addAll(single.deepCopy());
        sequence(pair, "B");
        return processor;
    }

    private static void sequence(ArrayNode pieces, String id) {
        pieces.addObject().putObject("Sequence").put("id", id).put("type_id", 0);
    }

    private static void special(ArrayNode pieces, String name, int id, ObjectNode tokens) {
        pieces.addObject().putObject("SpecialToken").put("id", name).put("type_id", 0);
        ObjectNode token = tokens.putObject(name).put("id", name);
        token.putArray("ids").add(id);
        token.putArray("tokens").add(name);
    }
}
