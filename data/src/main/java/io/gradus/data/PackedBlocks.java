package io.gradus.data;

import io.gradus.autograd.op.CrossEntropy;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;

/**
 * Several documents per block of T tokens, which do not attend to each other ({@link Packing#DOCUMENTS}). {@link Pieces} says
 * what remains of a document.
 *
 * <p>Blocks are filled best-fit decreasing: starting with the longest, each piece goes to the block with the least room that fits
 * (Johnson 1973: at most 11/9 of the optimum, plus a constant). Blocks are then ordered by their first pieces, so that the
 * first blocks are not longer on average than the others.
 */
final class PackedBlocks extends Blocks {
    private final TokenStore tokens;
    private final Pieces pieces;
    private final Rows rows;
    private final int padding;
    private final long counted;
    private final int maxId;

    /**
     * The pieces of each row, in order.
     *
     * @param starts for each row, the index of its first piece in {@code pieces}; then the number of all pieces
     * @param pieces the pieces, row by row
     */
    private record Rows(int[] starts, int[] pieces) {
        int count() {
            return starts.length - 1;
        }

        IntStream of(int row) {
            return Arrays.stream(pieces, starts[row], starts[row + 1]);
        }

        Rows first(int count) {
            return new Rows(Arrays.copyOf(starts, count + 1), pieces);
        }

        IntStream all() {
            return Arrays.stream(pieces, 0, starts[count()]);
        }
    }

    private PackedBlocks(
            TokenStore tokens, Pieces pieces, Rows rows, int length, int padding, long counted, int maxId) {
        super(length);
        this.tokens = tokens;
        this.pieces = pieces;
        this.rows = rows;
        this.padding = padding;
        this.counted = counted;
        this.maxId = maxId;
    }

    /**
     * Packs pieces.
     *
     * @throws IllegalArgumentException if there is none
     */
    static PackedBlocks of(TokenStore tokens, Pieces pieces, int blockLength, int padding) {
        if (pieces.size() == 0) {
            throw allMasked("of " + pieces.documents() + " documents no token within max_seq_len " + blockLength);
        }
        Rows rows = inOrder(fit(pieces, blockLength));
        int maxId = Math.max(padding, pieces.maxId());
        return new PackedBlocks(tokens, pieces, rows, blockLength, padding, pieces.counted(), maxId);
    }

    // ---- packing ----

    /** The row of each piece. */
    private static int[] fit(Pieces pieces, int length) {
        int[] rowOf = new int[pieces.size()];
        int rows = 0;
        // Rows with the same room are a queue: the first, and for each row the one after it.
        BitSet rooms = new BitSet(length + 1);
        int[] first = new int[length + 1];
        int[] last = new int[length + 1];
        int[] next = new int[pieces.size()];
        for (int piece : longestFirst(pieces, length)) {
            int room = rooms.nextSetBit(pieces.places(piece));
            int row;
            if (room < 0) {
                row = rows++;
                room = length;
            } else {
                row = first[room];
                first[room] = next[row];
                rooms.set(room, row != last[room]);
            }
            rowOf[piece] = row;
            int left = room - pieces.places(piece);
            if (rooms.get(left)) {
                next[last[left]] = row;
            } else {
                first[left] = row;
                rooms.set(left);
            }
            last[left] = row;
        }
        return rowOf;
    }

    /** The pieces by length, and pieces of equal length in their order. */
    private static int[] longestFirst(Pieces pieces, int length) {
        int[] ends = new int[length + 2]; // of the pieces with at least as many places
        for (int piece = 0; piece < pieces.size(); piece++) {
            ends[pieces.places(piece)]++;
        }
        for (int places = length; places >= 0; places--) {
            ends[places] += ends[places + 1];
        }
        int[] sorted = new int[pieces.size()];
        for (int piece = pieces.size() - 1; piece >= 0; piece--) {
            sorted[--ends[pieces.places(piece)]] = piece;
        }
        return sorted;
    }

    /** Numbers rows by their first pieces. */
    private static Rows inOrder(int[] rowOf) {
        int[] numbers = new int[rowOf.length];
        Arrays.fill(numbers, -1);
        int count = 0;
        for (int row : rowOf) {
            if (numbers[row] < 0) {
                numbers[row] = count++;
            }
        }
        int[] starts = new int[count + 1];
        for (int row : rowOf) {
            starts[numbers[row] + 1]++;
        }
        Arrays.parallelPrefix(starts, Integer::sum);
        int[] pieces = new int[rowOf.length];
        int[] ends = starts.clone();
        for (int piece = 0; piece < rowOf.length; piece++) {
            pieces[ends[numbers[rowOf[piece]]]++] = piece;
        }
        return new Rows(starts, pieces);
    }

    // ---- blocks ----

    @Override
    public int size() {
        return rows.count();
    }

    @Override
    public Block get(int index) {
        int[] ids = new int[length()];
        int[] targets = new int[length()];
        Arrays.fill(ids, padding);
        Arrays.fill(targets, CrossEntropy.IGNORE_INDEX);
        IntStream.Builder documents = IntStream.builder();
        int at = 0;
        for (int piece : rows.of(Objects.checkIndex(index, size())).toArray()) {
            documents.add(at);
            int[] read = read(piece);
            for (int i = 0; i + 1 < read.length; i++) {
                ids[at + i] = TokenStore.id(read[i]);
                if (TokenStore.isTarget(read[i + 1])) {
                    targets[at + i] = TokenStore.id(read[i + 1]);
                }
            }
            at += read.length - 1;
        }
        if (at < length()) {
            documents.add(at);
        }
        return new Block(ids, targets, at, documents.build().toArray());
    }

    /** The tokens of a piece, and the one that only is predicted. */
    private int[] read(int piece) {
        return tokens.read(pieces.start(piece), pieces.places(piece) + 1);
    }

    @Override
    public Blocks first(int count) {
        requireCount(count);
        Rows first = rows.first(count);
        long targets = 0;
        int max = padding;
        for (int piece : first.all().toArray()) {
            int[] read = read(piece);
            targets += Arrays.stream(read).skip(1).filter(TokenStore::isTarget).count();
            max = Math.max(max, Arrays.stream(read).map(TokenStore::id).max().orElseThrow());
        }
        return new PackedBlocks(tokens, pieces, first, length(), padding, targets, max);
    }

    @Override
    public long tokens() {
        return rows.all().mapToLong(pieces::places).sum();
    }

    @Override
    public long counted() {
        return counted;
    }

    @Override
    public int maxId() {
        return maxId;
    }

    @Override
    List<String> packingWarnings() {
        return pieces.warnings();
    }
}
