package io.gradus.data;

import io.gradus.data.DataFormat.Kind;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Reads training text, all of it UTF-8:
 *
 * <ul>
 *   <li>a {@code .jsonl} file has one document per line, <code>{"text": "…"}</code>,
 *       <code>{"prompt": "…", "completion": "…"}</code> or <code>{"messages": [{"role": "user", "content": "…"},
 *       {"role": "assistant", "content": "…"}]}</code>; blank lines are skipped;
 *   <li>a {@code .csv} or {@code .tsv} file has labeled texts ({@link LabeledTexts}), each a prompt and its completion;
 *   <li>any other file is one document, without a byte order mark: a {@link Document.Text}, or a {@link Document.TextFile} if
 *       it has more than 16 MiB;
 *   <li>of a folder, all {@code .txt}, {@code .md}, {@code .jsonl}, {@code .csv} and {@code .tsv} files are read, including
 *       those of its subfolders, in the order of their names. Names that begin with a dot are skipped.
 * </ul>
 *
 * <p>A {@link DataFormat} may require one kind; then others are rejected, and tables in folders are not read.
 */
public final class Documents {
    private Documents() {}

    /**
     * Reads a file or a folder.
     *
     * @return at least one document
     * @throws IOException if something is missing, empty, not UTF-8, or malformed; the message names the file and the line
     */
    public static Collection<Document> read(Path path) throws IOException {
        return read(path, DataFormat.AUTO);
    }

    /**
     * Reads a file or a folder of one format. The documents take no memory: this method reads the files to find errors, and each
     * iteration reads them again.
     *
     * @return at least one document
     * @throws IOException as {@link #read(Path)}, and if something is of another format, or a chat does not fit its template;
     *     the message also names the field
     */
    public static Collection<Document> read(Path path, DataFormat format) throws IOException {
        return FileRecords.of(files(path, format), file -> open(file, format));
    }

    /**
     * The files that {@link #read(Path, DataFormat)} reads, in this order; at least one.
     *
     * @throws IOException if there is no such file or folder
     */
    public static List<Path> files(Path path, DataFormat format) throws IOException {
        requireExists(path);
        return switch (format.kind()) {
            case CSV -> LabeledTexts.files(path);
            case AUTO -> files(path, ".txt", ".md", ".jsonl", ".csv", ".tsv");
            case TEXT, PROMPT_COMPLETION, CHAT -> files(path, ".txt", ".md", ".jsonl");
        };
    }

    /** The documents of several collections, without a copy of them. */
    public static Collection<Document> concat(List<? extends Collection<Document>> collections) {
        return new Concatenation(collections);
    }

    static void requireExists(Path path) throws IOException {
        if (!Files.exists(path)) {
            throw new NoSuchFileException(path.toString(), null, "there is no such file or folder of training text");
        }
    }

    private static List<Path> files(Path path, String... extensions) throws IOException {
        if (!Files.isDirectory(path)) {
            return List.of(path);
        }
        try (Stream<Path> found = Files.walk(path, FileVisitOption.FOLLOW_LINKS)) {
            List<Path> files = found.filter(file -> !isHidden(path.relativize(file)))
                    .filter(file -> hasExtension(file, extensions) && Files.isRegularFile(file))
                    .sorted()
                    .toList();
            if (files.isEmpty()) {
                throw new IOException(path + ": the folder has no .txt, .md or .jsonl file, nor a table that"
                        + " data.format allows; data.format=csv reads files that are named for their labels");
            }
            return files;
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

    private static RecordReader<Document> open(Path file, DataFormat format) throws IOException {
        if (format.kind() == Kind.CSV || (format.kind() == Kind.AUTO && LabeledTexts.isTable(file))) {
            return new LabeledDocuments(LabeledTexts.open(file), format.labels());
        }
        if (hasExtension(file, ".json")) {
            throw new IOException(
                    file + ": a .json file is neither text nor JSON Lines; write one object per line into a"
                            + " .jsonl file, or rename it to .txt to train on it as plain text");
        }
        if (hasExtension(file, ".jsonl")) {
            return new JsonLines(file, format);
        }
        if (format.kind() == Kind.PROMPT_COMPLETION || format.kind() == Kind.CHAT) {
            throw new IOException(file + ": data.format is " + format.kind() + ", which is read from .jsonl files");
        }
        return new PlainText(file);
    }

    /** Labeled texts as documents. */
    private record LabeledDocuments(RecordReader<LabeledText> texts, LabelTemplate template)
            implements RecordReader<Document> {
        @Override
        public @Nullable Document next() throws IOException {
            LabeledText text = texts.next();
            return text == null ? null : template.of(text);
        }

        @Override
        public long position() {
            return texts.position();
        }
    }

    static IOException blank(Path file) {
        return new IOException(file + ": it is empty or has only white space");
    }
}
