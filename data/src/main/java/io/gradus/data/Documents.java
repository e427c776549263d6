package io.gradus.data;

import io.gradus.data.DataFormat.Kind;
import java.io.IOException;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * Reads training text, all of it UTF-8:
 *
 * <ul>
 *   <li>a {@code .jsonl} file has one document per line, <code>{"text": "…"}</code>,
 *       <code>{"prompt": "…", "completion": "…"}</code> or <code>{"messages": [{"role": "user", "content": "…"},
 *       {"role": "assistant", "content": "…"}]}</code>; blank lines are skipped;
 *   <li>a {@code .csv} or {@code .tsv} file has labeled texts ({@link LabeledTexts}), each a prompt and its completion;
 *   <li>any other file is one document, without a byte order mark;
 *   <li>of a folder, all {@code .txt}, {@code .md} and {@code .jsonl} files are read, including those of its subfolders, in
 *       the order of their names. Names that begin with a dot are skipped.
 * </ul>
 *
 * <p>A {@link DataFormat} may require one kind; then others are rejected.
 */
public final class Documents {
    private Documents() {}

    /**
     * Reads a file or a folder.
     *
     * @return at least one document
     * @throws IOException if something is missing, empty, not UTF-8, or malformed; the message names the file and the line
     */
    public static List<Document> read(Path path) throws IOException {
        return read(path, DataFormat.AUTO);
    }

    /**
     * Reads a file or a folder of one format.
     *
     * @return at least one document
     * @throws IOException as {@link #read(Path)}, and if something is of another format, or a chat does not fit its template;
     *     the message also names the field
     */
    public static List<Document> read(Path path, DataFormat format) throws IOException {
        requireExists(path);
        if (format.kind() == Kind.CSV) {
            return labeled(path, format);
        }
        if (!Files.isDirectory(path)) {
            return readFile(path, format);
        }
        var documents = new ArrayList<Document>();
        for (Path file : files(path)) {
            documents.addAll(readFile(file, format));
        }
        if (documents.isEmpty()) {
            throw new IOException(
                    path + ": the folder has no .txt, .md or .jsonl file; data.format=csv reads labeled" + " texts");
        }
        return List.copyOf(documents);
    }

    /**
     * The files that {@link #read(Path, DataFormat)} reads, in this order.
     *
     * @throws IOException if there is no such file or folder
     */
    public static List<Path> files(Path path, DataFormat format) throws IOException {
        requireExists(path);
        if (format.kind() == Kind.CSV) {
            return LabeledTexts.files(path);
        }
        return Files.isDirectory(path) ? files(path) : List.of(path);
    }

    static void requireExists(Path path) throws IOException {
        if (!Files.exists(path)) {
            throw new NoSuchFileException(path.toString(), null, "there is no such file or folder of training text");
        }
    }

    private static List<Document> labeled(Path path, DataFormat format) throws IOException {
        return LabeledTexts.read(path).stream()
                .<Document>map(format.labels()::of)
                .toList();
    }

    private static List<Path> files(Path folder) throws IOException {
        try (Stream<Path> found = Files.walk(folder, FileVisitOption.FOLLOW_LINKS)) {
            return found.filter(file -> !isHidden(folder.relativize(file)))
                    .filter(file -> hasExtension(file, ".txt", ".md", ".jsonl") && Files.isRegularFile(file))
                    .sorted()
                    .toList();
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }

    private static boolean isHidden(Path relative) {
        for (Path part : relative) {
            if (part.toString().startsWith(".")) {
                return true;
            }
        }
        return false;
    }

    static boolean hasExtension(Path file, String... extensions) {
        String name = String.valueOf(file.getFileName()).toLowerCase(Locale.ROOT);
        return Stream.of(extensions).anyMatch(name::endsWith);
    }

    private static List<Document> readFile(Path file, DataFormat format) throws IOException {
        if (hasExtension(file, ".json")) {
            throw new IOException(
                    file + ": a .json file is neither text nor JSON Lines; write one object per line into a"
                            + " .jsonl file, or rename it to .txt to train on it as plain text");
        }
        if (format.kind() == Kind.AUTO && LabeledTexts.isTable(file)) {
            return labeled(file, format);
        }
        if (hasExtension(file, ".jsonl")) {
            return JsonLines.read(file, format);
        }
        if (format.kind() == Kind.PROMPT_COMPLETION || format.kind() == Kind.CHAT) {
            throw new IOException(file + ": data.format is " + format.kind() + ", which is read from .jsonl files");
        }
        return List.of(new Document.Text(text(file)));
    }

    /** The contents of a file, which must not be blank. */
    private static String text(Path file) throws IOException {
        long size = Files.size(file);
        if (size > Integer.MAX_VALUE - 8) {
            throw new IOException(file + ": it has " + size
                    + " bytes, but a file can have at most 2 GiB; split it and name the folder");
        }
        try (Reader reader = new Utf8Reader(file)) {
            String text = reader.readAllAsString();
            if (text.isBlank()) {
                throw blank(file);
            }
            return text;
        }
    }

    static IOException blank(Path file) {
        return new IOException(file + ": it is empty or has only white space");
    }

    // ---- holding out ----

    /**
     * Training and held-out documents.
     *
     * @param training at least one
     * @param heldOut at least one
     */
    public record Split(List<Document> training, List<Document> heldOut) {
        public Split {
            training = List.copyOf(training);
            heldOut = List.copyOf(heldOut);
        }
    }

    /**
     * Holds out a part of the documents, always the same part. If there are enough documents, evenly spaced ones are held out;
     * otherwise, the end of the text, cut at the end of a line.
     *
     * @param heldOut the part, between 0 and 1
     * @throws IllegalArgumentException if the part is not between 0 and 1, or either side would be empty
     */
    public static Split split(List<Document> documents, double heldOut) {
        if (!(heldOut > 0 && heldOut < 1)) {
            throw new IllegalArgumentException("data.validation_split is " + heldOut + "; it must be between 0 and 1");
        }
        if (documents.isEmpty()) {
            throw new IllegalArgumentException("data: there are no documents");
        }
        return Math.floor(documents.size() * heldOut) >= 1
                ? evenlySpaced(documents, heldOut)
                : lastPart(documents, heldOut);
    }

    /** Document i is held out if (i·h, (i + 1)·h] contains an integer. */
    private static Split evenlySpaced(List<Document> documents, double heldOut) {
        var kept = new ArrayList<Document>();
        var held = new ArrayList<Document>();
        for (int i = 0; i < documents.size(); i++) {
            boolean holds = Math.floor((i + 1) * heldOut) > Math.floor(i * heldOut);
            (holds ? held : kept).add(documents.get(i));
        }
        return new Split(kept, held);
    }

    /** From the end: whole texts while they fit, then a part of one. */
    private static Split lastPart(List<Document> documents, double heldOut) {
        var kept = new ArrayList<Document>();
        var held = new ArrayList<Document>();
        long wanted = Math.round(heldOut
                * documents.stream()
                        .mapToLong(d -> text(d, documents.size(), heldOut).length())
                        .sum());
        for (Document document : documents.reversed()) {
            String text = text(document, documents.size(), heldOut);
            if (wanted >= text.length()) {
                held.addFirst(document);
            } else if (wanted > 0) {
                int cut = cut(text, (int) wanted);
                addUnlessBlank(kept, text.substring(0, cut));
                addUnlessBlank(held, text.substring(cut));
            } else {
                kept.addFirst(document);
            }
            wanted -= Math.min(wanted, text.length());
        }
        if (kept.isEmpty() || held.isEmpty()) {
            throw new IllegalArgumentException(
                    "data.validation_split=" + heldOut + " of so short a text leaves nothing "
                            + (held.isEmpty() ? "to evaluate on" : "to train on")
                            + "; use more text, or set data.eval to a file");
        }
        return new Split(kept, held);
    }

    private static String text(Document document, int documents, double heldOut) {
        return switch (document) {
            case Document.Text plain -> plain.text();
            case Document.PromptCompletion _, Document.Chat _ ->
                throw new IllegalArgumentException("data.validation_split=" + heldOut + " of " + documents
                        + " documents is less than one; add examples, hold out more, or set data.eval to a file");
        };
    }

    private static void addUnlessBlank(List<Document> documents, String text) {
        if (!text.isBlank()) {
            documents.addFirst(new Document.Text(text));
        }
    }

    /** After a line break shortly before the position, else at the position, but never inside a character. */
    private static int cut(String text, int fromEnd) {
        int place = text.length() - fromEnd;
        int line = text.lastIndexOf('\n', place - 1) + 1;
        if (line > place - fromEnd / 2 && line > 0) {
            return line;
        }
        return Character.isLowSurrogate(text.charAt(place)) && Character.isHighSurrogate(text.charAt(place - 1))
                ? place - 1
                : place;
    }
}
