package io.gradus.data.tokenizer;

import io.gradus.data.tokenizer.huggingface.Splitting;
import java.io.IOException;
import java.io.Reader;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Reads a text and finds places at which it can be cut into pieces, as {@link LongText} describes. */
final class TextCuts {
    /** A multiple of small numbers, so that a run of one character can be cut if tokens group it from the left. */
    static final int BEFORE = 768;
    /** A prime, so that a run is not cut if tokens group it from the right: groups would not end at both ends of the window. */
    static final int AFTER = 257;

    static final int LONGEST = 1 << 22;

    private static final int WORD_ENDS_TRIED = 16;
    private static final int PLACES_TRIED = 256;

    private final Tokenizer tokenizer;
    private final Splitting splitting;
    private final int longest;
    private final Reader reader;
    private final Set<Long> rejected = new HashSet<>();
    private final StringBuilder text = new StringBuilder(); // from position `base` on, as far as it has been read
    private long base;
    private long checked; // up to this position, surrogates are paired
    private boolean atEnd;

    TextCuts(Tokenizer tokenizer, Reader reader) {
        this.tokenizer = tokenizer;
        this.splitting = splitting(tokenizer);
        this.longest = Math.clamp((long) splitting.longestText() - BEFORE - AFTER, 1, LONGEST);
        this.reader = reader;
    }

    private static Splitting splitting(Tokenizer tokenizer) {
        return tokenizer instanceof HuggingFaceTokenizer file ? file.splitting() : Splitting.ANYWHERE;
    }

    /** Whether a text is short enough to be tokenized at once. */
    static boolean isShort(Tokenizer tokenizer, String text, int pieceSize) {
        return text.length() <= Math.min(pieceSize, splitting(tokenizer).longestText());
    }

    /**
     * A place between two pieces.
     *
     * @param at its position in the text
     * @param before the tokens of the {@link #BEFORE} characters before it
     */
    record Cut(long at, int[] before) {
        static final Cut BEGINNING = new Cut(0, new int[0]);
    }

    /**
     * The next cut; null if the rest of the text is one piece.
     *
     * @param size of the piece, in characters; it is shorter, or longer if there is no cut
     */
    @Nullable Cut after(Cut previous, int size) throws IOException {
        for (int room = Math.min(size, longest); ; room = larger(room, previous)) {
            readTo(previous.at + room + AFTER);
            int first = index(previous.at);
            int last = first + room;
            if (atEnd && last + AFTER >= text.length()) {
                return null;
            }
            Cut cut = wordEnd(last - room / 2, last);
            if (cut == null && room >= BEFORE) {
                cut = verified(first + room / BEFORE * BEFORE);
            }
            if (cut == null) {
                cut = anyPlace(last - room / 2, last);
            }
            if (cut != null) {
                return cut;
            }
        }
    }

    /**
     * Twice the size of a piece.
     *
     * @throws IllegalArgumentException if pieces cannot be larger
     */
    int larger(int size, Cut previous) {
        if (size >= longest) {
            throw cannotCut(previous);
        }
        return Math.min(2 * size, longest);
    }

    IllegalArgumentException cannotCut(Cut previous) {
        return new IllegalArgumentException("the text cannot be tokenized in pieces: in the " + longest
                + " characters after the first " + previous.at + ", all tokens may depend on text that is far away; add"
                + " spaces or line breaks");
    }

    /** The last cut between a letter and a space or line break that a letter follows. */
    private @Nullable Cut wordEnd(int first, int last) {
        int tried = 0;
        for (int i = last; i > first && tried < WORD_ENDS_TRIED; i--) {
            char space = text.charAt(i);
            if ((space == ' ' || space == '\n')
                    && Character.isLetter(text.charAt(i - 1))
                    && Character.isLetter(text.charAt(i + 1))) {
                tried++;
                Cut cut = verified(i);
                if (cut != null) {
                    return cut;
                }
            }
        }
        return null;
    }

    private @Nullable Cut anyPlace(int first, int last) {
        int tried = 0;
        for (int i = last; i > first && tried < PLACES_TRIED; i--) {
            if (mayCut(i)) {
                tried++;
                Cut cut = verified(i);
                if (cut != null) {
                    return cut;
                }
            }
        }
        return null;
    }

    private boolean mayCut(int index) {
        return !isInsideCharacter(index)
                && !rejected.contains(base + index)
                && splitting.allows(text, index, Math.min(text.length(), index + AFTER));
    }

    /** The cut at a place, if it is allowed and the text after it does not change the tokens before it. */
    private @Nullable Cut verified(int index) {
        if (!mayCut(index)) {
            return null;
        }
        int from = contextOf(base + index);
        int to = Math.min(text.length(), index + AFTER);
        to -= isInsideCharacter(to) ? 1 : 0;
        int[] before = tokenizer.encode(text.substring(from, index));
        return (before.length > 0 || splitting.dropsSpace())
                        && startsWith(tokenizer.encode(text.substring(from, to)), before)
                ? new Cut(base + index, before)
                : null;
    }

    static boolean startsWith(int[] ids, int[] beginning) {
        return ids.length >= beginning.length
                && Arrays.equals(ids, 0, beginning.length, beginning, 0, beginning.length);
    }

    private boolean isInsideCharacter(int index) {
        return index > 0
                && index < text.length()
                && Character.isLowSurrogate(text.charAt(index))
                && Character.isHighSurrogate(text.charAt(index - 1));
    }

    /** Never returns this cut again. */
    void reject(Cut cut) {
        rejected.add(cut.at);
    }

    /** The text of a piece, and the {@link #BEFORE} characters before it. */
    String textWithContext(Cut from, @Nullable Cut to) {
        return text.substring(contextOf(from.at), to == null ? text.length() : index(to.at));
    }

    /** Frees the memory of the text before a cut and its context. */
    void forgetBefore(Cut cut) {
        int used = contextOf(cut.at);
        text.delete(0, used);
        base += used;
        rejected.removeIf(at -> at < cut.at);
    }

    private int index(long position) {
        return Math.toIntExact(position - base);
    }

    private int contextOf(long position) {
        int index = Math.max(0, index(position) - BEFORE);
        return isInsideCharacter(index) ? index + 1 : index;
    }

    private void readTo(long position) throws IOException {
        char[] chunk = new char[1 << 13];
        while (!atEnd && base + text.length() <= position) {
            int count = reader.read(chunk);
            atEnd = count < 0;
            text.append(chunk, 0, Math.max(0, count));
            int end = text.length();
            boolean isCut = !atEnd && end > 0 && Character.isHighSurrogate(text.charAt(end - 1));
            end -= isCut ? 1 : 0;
            Surrogates.check(text, index(checked), end, base);
            checked = base + end;
        }
    }
}
