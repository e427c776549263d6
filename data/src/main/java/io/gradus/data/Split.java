package io.gradus.data;

import io.gradus.data.Document.Text;
import io.gradus.data.Document.TextFile;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.Reader;
import java.io.StringReader;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Training and held-out documents.
 *
 * @param training at least one
 * @param heldOut at least one
 */
public record Split(Collection<Document> training, Collection<Document> heldOut) {
    private static final int CHUNK = 1 << 13;

    /**
     * Holds out a part of the documents, always the same part. If there are enough documents, evenly spaced ones are held out;
     * otherwise, the end of the text, cut at the end of a line. Both sides take no memory: they iterate over the documents.
     *
     * @param heldOut the part, between 0 and 1
     * @throws IllegalArgumentException if the part is not between 0 and 1, or either side would be empty
     * @throws UncheckedIOException if a file cannot be read
     */
    public static Split of(Collection<Document> documents, double heldOut) {
        if (!(heldOut > 0 && heldOut < 1)) {
            throw new IllegalArgumentException("data.validation_split is " + heldOut + "; it must be between 0 and 1");
        }
        if (documents.isEmpty()) {
            throw new IllegalArgumentException("data: there are no documents");
        }
        Split split = Math.floor(documents.size() * heldOut) >= 1
                ? evenlySpaced(documents, heldOut)
                : lastPart(documents, heldOut);
        if (split.training.isEmpty() || split.heldOut.isEmpty()) {
            throw new IllegalArgumentException(
                    "data.validation_split=" + heldOut + " of so short a text leaves nothing "
                            + (split.heldOut.isEmpty() ? "to evaluate on" : "to train on")
                            + "; use more text, or set data.eval to a file");
        }
        return split;
    }

    /** Document i is held out if (i·h, (i + 1)·h] contains an integer. */
    private static Split evenlySpaced(Collection<Document> documents, double heldOut) {
        int held = (int) Math.floor(documents.size() * heldOut);
        return new Split(
                new Selection(documents, documents.size() - held, (i, document) -> holds(i, heldOut) ? null : document),
                new Selection(documents, held, (i, document) -> holds(i, heldOut) ? document : null));
    }

    private static boolean holds(int index, double heldOut) {
        return Math.floor((index + 1) * heldOut) > Math.floor(index * heldOut);
    }

    // ---- the end of the text ----

    /** From the end: whole texts while they fit, then a part of one. */
    private static Split lastPart(Collection<Document> documents, double heldOut) {
        try {
            List<Long> lengths = new ArrayList<>();
            for (Document document : documents) {
                if (!(document instanceof Text || document instanceof TextFile)) {
                    throw new IllegalArgumentException("data.validation_split=" + heldOut + " of " + documents.size()
                            + " documents is less than one; add examples, hold out more, or set data.eval to a file");
                }
                lengths.add(length(open(document)));
            }
            long wanted = Math.round(
                    heldOut * lengths.stream().mapToLong(Long::longValue).sum());
            int held = lengths.size(); // the first document that is held out as a whole
            while (held > 0 && wanted >= lengths.get(held - 1)) {
                wanted -= lengths.get(--held);
            }
            if (held == 0 || wanted == 0) {
                return split(documents, held, null);
            }
            int last = held - 1;
            Document document = documents.stream().skip(last).findFirst().orElseThrow();
            Place place = cut(open(document), lengths.get(last) - wanted, wanted);
            return split(documents, held, halves(document, place));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The two parts of a document, each of which is null if it is blank. */
    private record Halves(
            @Nullable Document first, @Nullable Document second) {}

    /** Splits between two documents, of which the last one before may be cut. */
    private static Split split(Collection<Document> documents, int held, @Nullable Halves last) {
        int kept = last == null ? held : held - 1;
        int first = last == null || last.first == null ? 0 : 1;
        int second = last == null || last.second == null ? 0 : 1;
        return new Split(
                new Selection(
                        documents,
                        kept + first,
                        (i, document) -> i < kept ? document : i < held && last != null ? last.first : null),
                new Selection(
                        documents,
                        documents.size() - held + second,
                        (i, document) -> i >= held ? document : i >= kept && last != null ? last.second : null));
    }

    private static Halves halves(Document document, Place place) throws IOException {
        return switch (document) {
            case Text plain -> {
                int at = Math.toIntExact(place.characters);
                yield new Halves(
                        unlessBlank(new Text(plain.text().substring(0, at))),
                        unlessBlank(new Text(plain.text().substring(at))));
            }
            case TextFile file -> {
                long at = file.from() + place.bytes;
                yield new Halves(
                        unlessBlank(new TextFile(file.file(), file.from(), at)),
                        unlessBlank(new TextFile(file.file(), at, file.to())));
            }
            case Document.PromptCompletion _, Document.Chat _ ->
                throw new IllegalArgumentException(document + " is no text");
        };
    }

    private static @Nullable Document unlessBlank(Document text) throws IOException {
        Reader reader = open(text);
        char[] chunk = new char[CHUNK];
        for (int count = reader.read(chunk); count >= 0; count = reader.read(chunk)) {
            if (!String.valueOf(chunk, 0, count).isBlank()) {
                return text;
            }
        }
        return null;
    }

    // ---- characters ----

    private static Reader open(Document text) {
        return switch (text) {
            case Text plain -> new StringReader(plain.text());
            case TextFile file -> file.open();
            case Document.PromptCompletion _, Document.Chat _ ->
                throw new IllegalArgumentException(text + " is no text");
        };
    }

    private static long length(Reader text) throws IOException {
        char[] chunk = new char[CHUNK];
        long length = 0;
        for (int count = text.read(chunk); count >= 0; count = text.read(chunk)) {
            length += count;
        }
        return length;
    }

    /**
     * A position in a text.
     *
     * @param characters before it, in UTF-16
     * @param bytes before it, in UTF-8
     */
    private record Place(long characters, long bytes) {}

    /** After a line break shortly before the position, else at the position, but never inside a character. */
    private static Place cut(Reader text, long position, long fromEnd) throws IOException {
        Reader reader = new BufferedReader(text, CHUNK);
        Place line = new Place(0, 0);
        long bytes = 0;
        char last = 0;
        for (long i = 0; i < position; i++) {
            last = (char) reader.read();
            bytes += last < 0x80 ? 1 : last < 0x800 || Character.isSurrogate(last) ? 2 : 3;
            if (last == '\n') {
                line = new Place(i + 1, bytes);
            }
        }
        if (line.characters > position - fromEnd / 2 && line.characters > 0) {
            return line;
        }
        boolean inside = Character.isHighSurrogate(last) && Character.isLowSurrogate((char) reader.read());
        return inside ? new Place(position - 1, bytes - 2) : new Place(position, bytes);
    }
}
