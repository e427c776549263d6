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
 * What the {@code post_processor} of a {@code tokenizer.json} puts around a text, or two.
 *
 * @param before ids in front of the text
 * @param after ids behind the text
 * @param pair two texts and the tokens around them; empty if the post-processor does not say how
 */
record SpecialTokenTemplate(List<Integer> before, List<Integer> after, List<Piece> pair) {
    private static final String FIRST = "A";
    private static final String SECOND = "B";
    private static final int MAX_DEPTH = 8;

    static final SpecialTokenTemplate NONE = around(List.of(), List.of(), 1);

    /**
     * A part of a pair.
     *
     * @param text {@code A} or {@code B}; null for a special token
     * @param id of the special token
     * @param type the type of its tokens
     */
    record Piece(@Nullable String text, int id, int type) {
        static Piece text(String name, int type) {
            return new Piece(name, -1, type);
        }

        static Piece token(int id, int type) {
            return new Piece(null, id, type);
        }
    }

    /** {@code [CLS] A [SEP]}, and {@code [CLS] A [SEP] B [SEP]} with type 1 from B on. */
    static SpecialTokenTemplate bert(int cls, int sep) {
        return new SpecialTokenTemplate(
                List.of(cls),
                List.of(sep),
                List.of(
                        Piece.token(cls, 0),
                        Piece.text(FIRST, 0),
                        Piece.token(sep, 0),
                        Piece.text(SECOND, 1),
                        Piece.token(sep, 1)));
    }

    /** {@code <s> A </s>}, and {@code <s> A </s></s> B </s>}, all of type 0. */
    static SpecialTokenTemplate roberta(int cls, int sep) {
        return new SpecialTokenTemplate(
                List.of(cls),
                List.of(sep),
                List.of(
                        Piece.token(cls, 0),
                        Piece.text(FIRST, 0),
                        Piece.token(sep, 0),
                        Piece.token(sep, 0),
                        Piece.text(SECOND, 0),
                        Piece.token(sep, 0)));
    }

    /** The same tokens around both texts of a pair. */
    static SpecialTokenTemplate around(List<Integer> before, List<Integer> after, int typeOfSecond) {
        List<Piece> pair = new ArrayList<>();
        for (String text : List.of(FIRST, SECOND)) {
            int type = text.equals(FIRST) ? 0 : typeOfSecond;
            before.forEach(id -> pair.add(Piece.token(id, type)));
            pair.add(Piece.text(text, type));
            after.forEach(id -> pair.add(Piece.token(id, type)));
        }
        return new SpecialTokenTemplate(before, after, pair);
    }

    /** Checks and reads a post-processor. */
    static SpecialTokenTemplate read(JsonPart part) throws IOException {
        return part.isAbsent() ? NONE : read(part, 0);
    }

    private static SpecialTokenTemplate read(JsonPart part, int depth) throws IOException {
        return switch (part.object().get("type").text()) {
            case "ByteLevel" -> NONE; // moves offsets only
            case "BertProcessing" -> bert(pairedId(part.get("cls")), pairedId(part.get("sep")));
            case "RobertaProcessing" -> roberta(pairedId(part.get("cls")), pairedId(part.get("sep")));
            case "TemplateProcessing" -> template(part);
            case "Sequence" -> {
                part.require(depth < MAX_DEPTH, "nested at most " + MAX_DEPTH + " deep");
                SpecialTokenTemplate all = NONE;
                for (JsonPart inner : part.get("processors").list()) {
                    all = read(inner, depth + 1).outside(all);
                }
                yield all;
            }
            default -> throw PipelineCheck.unknown(part, "post-processor");
        };
    }

    /** This template around what another one makes; of pairs, only one of the two may say something. */
    private SpecialTokenTemplate outside(SpecialTokenTemplate inner) {
        List<Piece> both = equals(NONE) ? inner.pair : inner.equals(NONE) ? pair : List.of();
        return new SpecialTokenTemplate(concat(before, inner.before), concat(inner.after, after), both);
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
                piece.get("Sequence").get("id").oneOf(List.of(FIRST));
                piece.require(!isAfter, "a special token, because the text is there already");
                isAfter = true;
                continue;
            }
            (isAfter ? after : before).addAll(ids(part, special));
        }
        part.get("single").require(isAfter, "a list with the Sequence A");
        return new SpecialTokenTemplate(before, after, pair(part));
    }

    /** The ids of a special token, which may stand for several. */
    private static List<Integer> ids(JsonPart part, JsonPart special) throws IOException {
        List<Integer> ids = new ArrayList<>();
        for (JsonPart id : part.get("special_tokens")
                .get(special.object().get("id").text())
                .get("ids")
                .list()) {
            ids.add(id.integer(0, Vocabulary.MAX_ID));
        }
        return ids;
    }

    /** The pieces of a pair, or none unless both texts are there once. */
    private static List<Piece> pair(JsonPart part) throws IOException {
        if (part.get("pair").isAbsent()) {
            return List.of();
        }
        List<Piece> pieces = new ArrayList<>();
        for (JsonPart piece : part.get("pair").list()) {
            JsonPart special = piece.get("SpecialToken");
            if (special.isAbsent()) {
                JsonPart text = piece.get("Sequence");
                String name = text.get("id").text();
                pieces.add(Piece.text(name, type(text)));
            } else {
                ids(part, special).forEach(id -> pieces.add(Piece.token(id, type(special))));
            }
        }
        List<String> texts =
                pieces.stream().map(Piece::text).flatMap(Stream::ofNullable).toList();
        return texts.equals(List.of(FIRST, SECOND)) ? pieces : List.of();
    }

    private static int type(JsonPart piece) {
        return piece.value().path("type_id").asInt(0);
    }

    /** The ids of a text with special tokens around them. */
    int[] around(int[] ids) {
        return IntStream.concat(
                        before.stream().mapToInt(Integer::intValue),
                        IntStream.concat(IntStream.of(ids), after.stream().mapToInt(Integer::intValue)))
                .toArray();
    }

    /** Two texts with special tokens around them. */
    TypedIds around(int[] first, int[] second) {
        IntStream.Builder ids = IntStream.builder();
        IntStream.Builder types = IntStream.builder();
        for (Piece piece : pair) {
            int[] tokens = piece.text == null ? new int[] {piece.id} : piece.text.equals(FIRST) ? first : second;
            for (int id : tokens) {
                ids.add(id);
                types.add(piece.type);
            }
        }
        return new TypedIds(ids.build().toArray(), types.build().toArray());
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
        ArrayNode both = processor.putArray("pair");
        ObjectNode tokens = processor.putObject("special_tokens");
        before.forEach(id -> special(single, String.valueOf(names.apply(id)), id, 0, tokens));
        sequence(single, FIRST, 0);
        after.forEach(id -> special(single, String.valueOf(names.apply(id)), id, 0, tokens));
        for (Piece piece : pair) {
            if (piece.text == null) {
                special(both, String.valueOf(names.apply(piece.id)), piece.id, piece.type, tokens);
            } else {
                sequence(both, piece.text, piece.type);
            }
        }
        return processor;
    }

    private static void sequence(ArrayNode pieces, String id, int type) {
        pieces.addObject().putObject("Sequence").put("id", id).put("type_id", type);
    }

    private static void special(ArrayNode pieces, String name, int id, int type, ObjectNode tokens) {
        pieces.addObject().putObject("SpecialToken").put("id", name).put("type_id", type);
        ObjectNode token = tokens.putObject(name).put("id", name);
        token.putArray("ids").add(id);
        token.putArray("tokens").add(name);
    }
}
