package io.gradus.data;

import io.gradus.autograd.op.CrossEntropy;
import io.gradus.data.tokenizer.Tokenizer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Several documents per block of T tokens, which do not attend to each other ({@link Packing#DOCUMENTS}). Tokens after the last
 * target are cut off. The last token is only predicted, so n tokens take n − 1 positions.
 *
 * <p>A text longer than a block becomes several documents; each token is still predicted once. A longer example is truncated, and
 * left out if no target remains. {@link #warnings} counts both.
 *
 * <p>Blocks are filled best-fit decreasing: starting with the longest, each document goes to the block with the least room that
 * fits (Johnson 1973: at most 11/9 of the optimum, plus a constant). Blocks are then ordered by their first documents, so
 * that the first blocks are not longer on average than the others.
 */
final class PackedBlocks extends Blocks {
    private final List<Row> rows;
    private final int padding;
    private final List<String> warnings;

    /**
     * A piece of a document.
     *
     * @param order its index among all pieces
     * @param from the index of its first token
     * @param places the number of tokens that are read; one more is predicted
     */
    private record Piece(int order, TokenizedDocument document, int from, int places) {}

    /** The pieces of one block, in order. */
    private record Row(List<Piece> pieces) {
        int places() {
            return pieces.stream().mapToInt(Piece::places).sum();
        }
    }

    private PackedBlocks(int length, List<Row> rows, int padding, List<String> warnings) {
        super(length);
        this.rows = rows;
        this.padding = padding;
        this.warnings = warnings;
    }

    static PackedBlocks of(
            List<? extends Document> documents, Tokenizer tokenizer, int blockLength, @Nullable ChatTemplate template) {
        requireLength(blockLength);
        var pieces = new ArrayList<Piece>();
        int cut = 0;
        int leftOut = 0;
        for (Document document : documents) {
            TokenizedDocument tokens = TokenizedDocument.of(document, tokenizer, template);
            boolean text = document instanceof Document.Text;
            int places = lastCounted(tokens, tokens.ids().length - 1);
            if (places > blockLength && !text) {
                places = lastCounted(tokens, blockLength);
                cut += places > 0 ? 1 : 0;
            }
            leftOut += places == 0 ? 1 : 0;
            for (int from = 0; from < places; from += blockLength) {
                pieces.add(new Piece(pieces.size(), tokens, from, Math.min(blockLength, places - from)));
            }
        }
        if (pieces.isEmpty()) {
            throw allMasked("of " + documents.size() + " documents no token within max_seq_len " + blockLength);
        }
        var warnings = new ArrayList<String>();
        if (cut > 0) {
            warnings.add(cut + " of " + documents.size() + " examples are longer than max_seq_len, " + blockLength
                    + "; they were truncated");
        }
        if (leftOut > 0) {
            warnings.add(leftOut + " of " + documents.size() + " examples were left out: no token that counts is among"
                    + " their first " + (blockLength + 1L));
        }
        return new PackedBlocks(
                blockLength, fit(pieces, blockLength), tokenizer.eos().orElse(0), List.copyOf(warnings));
    }

    /** The position of the last target, at most {@code limit}; 0 if there is none. */
    private static int lastCounted(TokenizedDocument tokens, int limit) {
        return IntStream.iterate(Math.min(limit, tokens.ids().length - 1), i -> i > 0, i -> i - 1)
                .filter(i -> tokens.counts()[i])
                .findFirst()
                .orElse(0);
    }

    private static List<Row> fit(List<Piece> pieces, int length) {
        var rows = new ArrayList<Row>();
        var byRoom = new TreeMap<Integer, Deque<Row>>();
        List<Piece> longestFirst = pieces.stream()
                .sorted(Comparator.comparingInt(Piece::places).reversed()) // stable, so equal lengths keep their order
                .toList();
        for (Piece piece : longestFirst) {
            Map.Entry<Integer, Deque<Row>> tightest = byRoom.ceilingEntry(piece.places);
            Row row;
            int room;
            if (tightest == null) {
                row = new Row(new ArrayList<>());
                rows.add(row);
                room = length;
            } else {
                row = tightest.getValue().removeFirst();
                room = tightest.getKey();
                if (tightest.getValue().isEmpty()) {
                    byRoom.remove(room);
                }
            }
            row.pieces.add(piece);
            byRoom.computeIfAbsent(room - piece.places, _ -> new ArrayDeque<>()).addLast(row);
        }
        rows.forEach(row -> row.pieces.sort(Comparator.comparingInt(Piece::order)));
        rows.sort(Comparator.comparingInt(row -> row.pieces.getFirst().order));
        return List.copyOf(rows);
    }

    @Override
    public int size() {
        return rows.size();
    }

    @Override
    public Block get(int index) {
        Row row = rows.get(Objects.checkIndex(index, rows.size()));
        int[] ids = new int[length()];
        int[] targets = new int[length()];
        Arrays.fill(ids, padding);
        Arrays.fill(targets, CrossEntropy.IGNORE_INDEX);
        IntStream.Builder documents = IntStream.builder();
        int at = 0;
        for (Piece piece : row.pieces) {
            documents.add(at);
            System.arraycopy(piece.document.ids(), piece.from, ids, at, piece.places);
            for (int i = 0; i < piece.places; i++) {
                int next = piece.from + i + 1;
                if (piece.document.counts()[next]) {
                    targets[at + i] = piece.document.ids()[next];
                }
            }
            at += piece.places;
        }
        if (at < length()) {
            documents.add(at);
        }
        return new Block(ids, targets, at, documents.build().toArray());
    }

    @Override
    public Blocks first(int count) {
        requireCount(count);
        return new PackedBlocks(length(), rows.subList(0, count), padding, warnings);
    }

    @Override
    public long tokens() {
        return rows.stream().mapToLong(Row::places).sum();
    }

    @Override
    public long counted() {
        return rows.stream()
                .flatMap(row -> row.pieces.stream())
                .mapToLong(piece -> IntStream.rangeClosed(piece.from + 1, piece.from + piece.places)
                        .filter(i -> piece.document.counts()[i])
                        .count())
                .sum();
    }

    @Override
    public int maxId() {
        return rows.stream()
                .flatMap(row -> row.pieces.stream())
                .flatMapToInt(piece -> Arrays.stream(piece.document.ids(), piece.from, piece.from + piece.places + 1))
                .reduce(padding, Math::max);
    }

    @Override
    public List<String> warnings() {
        return warnings;
    }
}
