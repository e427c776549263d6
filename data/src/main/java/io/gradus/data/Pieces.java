package io.gradus.data;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The pieces of documents that become the contents of blocks of T tokens, in order. Tokens after the last target are cut off. A
 * text longer than a block becomes several pieces, and each token is still predicted once. A longer example is truncated, and
 * left out if no target remains. The last token of a piece is only predicted, so n tokens take n − 1 places.
 */
final class Pieces implements Tokenization.Receiver {
    private final TokenStore.Builder tokens;
    private final int blockLength;
    private long[] starts = new long[16];
    private int[] places = new int[16];
    private int size;

    private int documents;
    private int truncated;
    private int leftOut;

    private long counted;
    private int maxId;

    // The current document
    private long start;
    private int max;
    private Targets all = Targets.NONE;
    private Targets inBlock = Targets.NONE; // among the tokens of one block

    /**
     * The targets at the beginning of a document.
     *
     * @param count their number
     * @param last the index of the last one, 0 if there is none
     * @param maxId the largest id up to the last one
     */
    private record Targets(long count, long last, int maxId) {
        static final Targets NONE = new Targets(0, 0, 0);
    }

    /**
     * @param tokens receives the tokens of all documents
     * @param blockLength T
     */
    Pieces(TokenStore.Builder tokens, int blockLength) {
        this.tokens = tokens;
        this.blockLength = blockLength;
    }

    @Override
    public void add(TokenizedDocument part) throws IOException {
        long from = tokens.size() - start;
        tokens.add(part);
        for (int i = 0; i < part.counts().length; i++) {
            max = Math.max(max, part.ids()[i]);
            if (part.counts()[i] && from + i > 0) {
                all = new Targets(all.count + 1, from + i, max);
                inBlock = all.last <= blockLength ? all : inBlock;
            }
        }
    }

    @Override
    public void end(Document document) {
        boolean text = document instanceof Document.Text || document instanceof Document.TextFile;
        boolean truncates = !text && all.last > blockLength;
        Targets kept = truncates ? inBlock : all;
        truncated += truncates && kept.count > 0 ? 1 : 0;
        leftOut += kept.count == 0 ? 1 : 0;
        for (long from = 0; from < kept.last; from += blockLength) {
            add(start + from, (int) Math.min(blockLength, kept.last - from));
        }
        counted += kept.count;
        maxId = Math.max(maxId, kept.maxId);
        documents++;
        start = tokens.size();
        max = 0;
        all = Targets.NONE;
        inBlock = Targets.NONE;
    }

    private void add(long from, int count) {
        if (size == starts.length) {
            starts = Arrays.copyOf(starts, 2 * size);
            places = Arrays.copyOf(places, 2 * size);
        }
        starts[size] = from;
        places[size++] = count;
    }

    /** The number of pieces. */
    int size() {
        return size;
    }

    /** The number of documents. */
    int documents() {
        return documents;
    }

    /** The index of the first token of a piece. */
    long start(int piece) {
        return starts[piece];
    }

    /** The number of tokens of a piece that are read, from 1 to T; one more is predicted. */
    int places(int piece) {
        return places[piece];
    }

    /** The number of targets. */
    long counted() {
        return counted;
    }

    /** The largest id. */
    int maxId() {
        return maxId;
    }

    /** A sentence for each kind of loss; often empty. */
    List<String> warnings() {
        List<String> warnings = new ArrayList<>();
        if (truncated > 0) {
            warnings.add(truncated + " of " + documents + " examples are longer than max_seq_len, " + blockLength
                    + "; they were truncated");
        }
        if (leftOut > 0) {
            warnings.add(leftOut + " of " + documents + " examples were left out: no token that counts is among"
                    + " their first " + (blockLength + 1L));
        }
        return List.copyOf(warnings);
    }
}
