package io.gradus.data.tokenizer;

import io.gradus.data.parallel.ParallelMap;
import io.gradus.data.tokenizer.TextCuts.Cut;
import java.io.IOException;
import java.io.Reader;
import java.io.StringReader;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Tokenizes text of any length in pieces, in bounded memory and in time proportional to the length. The ids of the pieces, one
 * after another, are those of the whole text.
 *
 * <p>The text is cut only where this has been verified:
 *
 * <ol>
 *   <li>The text after the cut does not change the tokens before it: {@code encode(before + after)} begins with {@code
 *       encode(before)}, for the {@value TextCuts#BEFORE} characters before the cut, with the next {@value TextCuts#AFTER}
 *       characters and with the whole next piece. So a piece is tokenized together with the characters before it, whose tokens are
 *       then removed. It gets no prefix that only the beginning of a text has.
 *   <li>The piece that ends at the cut ends with the same tokens as {@code encode(before)}.
 * </ol>
 *
 * <p>Then any two neighboring tokens of the result are neighbors in the tokens of one piece. For byte-pair encoding (Sennrich et al.
 * 2016) this is enough: a merge across a cut would also be made in that piece. WordPiece and word models look at one word at a
 * time. A Unigram model is cut only where no piece of its vocabulary could be; if its scores have more digits than those of
 * SentencePiece, which are float32, rounding may still decide differently between equally likely tokens of a longer piece.
 *
 * <p>Ends of words are tried first. Where tokens depend on text that is far away, a piece is longer, up to
 * {@value TextCuts#LONGEST} characters: for example, a Unigram model must see the end of a run of one letter. A longer run is an
 * error.
 *
 * <p>Pieces are tokenized on several threads, with the same result for any number of them.
 */
public final class LongText {
    private static final int PIECE = 1 << 16;
    private static final int PIECES_PER_PROCESSOR = 2;
    private static final int PROCESSORS = Runtime.getRuntime().availableProcessors();
    private static final int LONGEST_ENDING = 8;
    private static final int FAILURES_PER_SIZE = 32;

    private final Tokenizer tokenizer;
    private final TextCuts cuts;
    private final int usualSize;
    private int size;
    private int failures; // since the last piece
    private Cut from = Cut.BEGINNING;
    private @Nullable Cut previous;
    /** The ids of the piece from {@link #previous} to {@link #from}, which the next piece confirms. */
    private int[] pending = new int[0];

    private LongText(Tokenizer tokenizer, Reader text, int usualSize) {
        this.tokenizer = tokenizer;
        this.cuts = new TextCuts(tokenizer, text);
        this.usualSize = usualSize;
        this.size = usualSize;
    }

    /** Receives the ids of a text, in order. */
    @FunctionalInterface
    public interface Sink {
        void accept(int[] ids) throws IOException;
    }

    /**
     * Tokenizes a text, without added bos or eos.
     *
     * @param text is read to its end
     * @param ids receives the ids, piece by piece
     * @throws IOException if reading fails, or {@code ids} throws it
     * @throws IllegalArgumentException if the text has an unpaired surrogate, or cannot be cut for too long; the message has the
     *     position
     */
    public static void encode(Tokenizer tokenizer, Reader text, Sink ids) throws IOException {
        encode(tokenizer, text, PIECE, ids);
    }

    /**
     * The tokens of a text, without added bos or eos.
     *
     * @throws IllegalArgumentException if the text has an unpaired surrogate, or cannot be cut for too long
     */
    public static int[] encode(Tokenizer tokenizer, String text) {
        return TextCuts.isShort(tokenizer, text, PIECE)
                ? tokenizer.encode(text)
                : encode(tokenizer, new StringReader(text));
    }

    /**
     * The tokens of a text, without added bos or eos.
     *
     * @param text is read to its end
     * @throws UncheckedIOException if reading fails
     * @throws IllegalArgumentException if the text has an unpaired surrogate, or cannot be cut for too long
     */
    public static int[] encode(Tokenizer tokenizer, Reader text) {
        IntStream.Builder all = IntStream.builder();
        try {
            encode(tokenizer, text, ids -> Arrays.stream(ids).forEach(all));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return all.build().toArray();
    }

    /** {@link #encode(Tokenizer, Reader, Sink)} in pieces of about this many characters. */
    static void encode(Tokenizer tokenizer, Reader text, int pieceSize, Sink ids) throws IOException {
        new LongText(tokenizer, text, pieceSize).run(ids);
    }

    /**
     * A part of the text.
     *
     * @param to null at the end of the text
     */
    private record Piece(Cut from, @Nullable Cut to) {}

    private void run(Sink sink) throws IOException {
        boolean done = false;
        while (!done) {
            List<Piece> pieces = plan(failures == 0 ? PIECES_PER_PROCESSOR * PROCESSORS : 1);
            List<int[]> windows =
                    ParallelMap.of(pieces, piece -> tokenizer.encode(cuts.textWithContext(piece.from, piece.to)));
            int i = 0;
            while (i < pieces.size() && isRight(pieces.get(i), windows.get(i))) {
                accept(pieces.get(i), windows.get(i), sink);
                done = pieces.get(i).to == null;
                i++;
            }
            cuts.forgetBefore(previous == null ? from : previous);
        }
        sink.accept(pending);
    }

    /** The next pieces, at least one. */
    private List<Piece> plan(int count) throws IOException {
        List<Piece> pieces = new ArrayList<>();
        for (Cut next = from; next != null && pieces.size() < count; next = pieces.getLast().to) {
            pieces.add(new Piece(next, cuts.after(next, size)));
        }
        return pieces;
    }

    /** Whether the tokens of a piece fit to both cuts. Otherwise rejects the cut, so that another one is tried. */
    private boolean isRight(Piece piece, int[] ids) {
        if (!TextCuts.startsWith(ids, piece.from.before())) {
            cuts.reject(piece.from);
            if (previous == null) {
                throw cuts.cannotCut(piece.from);
            }
            from = previous; // the piece before it must be longer
            previous = null;
            pending = new int[0];
            size = cuts.larger(size, from);
            failures++;
            return false;
        }
        if (piece.to != null && !endsLike(ids, piece.to.before())) {
            cuts.reject(piece.to);
            failures++;
            size = failures % FAILURES_PER_SIZE == 0 ? cuts.larger(size, from) : size;
            return false;
        }
        return true;
    }

    /** Whether the last ids are equal. The first ids of the ending are not compared, because they have no context. */
    private static boolean endsLike(int[] ids, int[] ending) {
        int count = Math.min(ending.length, Math.clamp(ending.length / 2, 1, LONGEST_ENDING));
        return ids.length >= count
                && Arrays.equals(ids, ids.length - count, ids.length, ending, ending.length - count, ending.length);
    }

    private void accept(Piece piece, int[] ids, Sink sink) throws IOException {
        sink.accept(pending);
        pending = Arrays.copyOfRange(ids, piece.from.before().length, ids.length);
        if (piece.to != null) {
            previous = from;
            from = piece.to;
        }
        failures = 0;
        size = usualSize;
    }
}
