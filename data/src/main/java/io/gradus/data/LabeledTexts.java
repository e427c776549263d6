package io.gradus.data;

import io.gradus.core.json.JsonProblem;
import io.gradus.data.TableReader.Row;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Reads texts with their labels, all of it UTF-8:
 *
 * <ul>
 *   <li>a {@code .csv} file (RFC 4180), or {@code .tsv} file, which has tabs and no quotes: the first line names the columns, among them
 *       {@code text} and {@code label}; other columns are ignored;
 *   <li>any other file has one text per line, and its extension is their label, such as
 *       {@code reviews.pos} and {@code reviews.neg};
 *   <li>of a folder, all {@code .csv} and {@code .tsv} files are read or, if there are none, all files, in the order of
 *       their names. Names that begin with a dot and subfolders are skipped.
 * </ul>
 */
public final class LabeledTexts {
    private static final String TEXT = "text";
    private static final String LABEL = "label";

    private LabeledTexts() {}

    /**
     * Reads a file or a folder. The texts take no memory: each iteration reads the files again.
     *
     * @return at least one
     * @throws IOException if something is missing, empty, not UTF-8, or malformed; the message names the file, the line and the
     *     column
     */
    public static Collection<LabeledText> read(Path path) throws IOException {
        return FileRecords.of(files(path), LabeledTexts::open);
    }

    /** The files of labeled texts that a path names, at least one. */
    static List<Path> files(Path path) throws IOException {
        Documents.requireExists(path);
        if (!Files.isDirectory(path)) {
            return List.of(path);
        }
        List<Path> files;
        try (Stream<Path> found = Files.list(path)) {
            files = found.filter(file -> Files.isRegularFile(file)
                            && !String.valueOf(file.getFileName()).startsWith("."))
                    .sorted()
                    .toList();
        }
        if (files.stream().anyMatch(LabeledTexts::isTable)) {
            files = files.stream().filter(LabeledTexts::isTable).toList();
        }
        if (files.isEmpty()) {
            throw new IOException(
                    path + ": the folder has no .csv or .tsv file, nor one with a text per line that is named"
                            + " for its label, such as reviews.pos");
        }
        return files;
    }

    /** Whether a file is a table, by its extension. */
    static boolean isTable(Path file) {
        return Documents.hasExtension(file, ".csv", ".tsv");
    }

    /** Opens a file of labeled texts. */
    static RecordReader<LabeledText> open(Path file) throws IOException {
        return isTable(file) ? new Table(file) : new Lines(file);
    }

    // ---- tables ----

    /** The rows of a table. */
    private static final class Table implements RecordReader<LabeledText> {
        private final Path file;
        private final TableReader table;
        private final int columns;
        private final int text;
        private final int label;
        private boolean begun;

        Table(Path file) throws IOException {
            this.file = file;
            this.table = new TableReader(file);
            Row header = table.row();
            if (header == null) {
                throw Documents.blank(file);
            }
            this.columns = header.cells().size();
            this.text = column(header, TEXT);
            this.label = column(header, LABEL);
        }

        @Override
        public @Nullable LabeledText next() throws IOException {
            Row row = table.row();
            if (row == null) {
                if (!begun) {
                    throw new IOException(file + ": the file has a header but no rows");
                }
                return null;
            }
            begun = true;
            if (row.cells().size() != columns) {
                throw new IOException(row.place() + ": it has " + row.cells().size() + " columns and the header has "
                        + columns
                        + (Documents.hasExtension(file, ".tsv")
                                ? "; columns are separated by single tabs, and a text has none"
                                : "; put a text with commas in it in double quotes"));
            }
            return new LabeledText(cell(row, text, TEXT), cell(row, label, LABEL));
        }

        @Override
        public long position() {
            return table.position();
        }
    }

    private static int column(Row header, String name) throws IOException {
        List<String> names = header.cells().stream()
                .map(column -> column.strip().toLowerCase(Locale.ROOT))
                .toList();
        int index = names.indexOf(name);
        if (index < 0 || names.lastIndexOf(name) != index) {
            throw new IOException(header.place()
                    + ": the first line must name the columns, with text and label once each; it has "
                    + JsonProblem.brief(names)
                    + " (columns are separated by commas in .csv files and by tabs in .tsv files; data.format=text reads"
                    + " the file as plain text)");
        }
        return index;
    }

    private static String cell(Row row, int column, String name) throws IOException {
        String value = row.cells().get(column);
        if (value.isBlank()) {
            throw new IOException(row.place() + ": \"" + name + "\" must not be blank");
        }
        return name.equals(LABEL) ? value.strip() : value;
    }

    // ---- a text per line ----

    /** The lines of a file that is named for its label. */
    private static final class Lines implements RecordReader<LabeledText> {
        private final String label;
        private final Utf8Reader bytes;
        private final BufferedReader lines;

        Lines(Path file) throws IOException {
            String name = String.valueOf(file.getFileName());
            label = name.substring(name.lastIndexOf('.') + 1);
            if (!name.contains(".") || label.isBlank()) {
                throw new IOException(
                        file + ": a file of labeled texts is a .csv or .tsv file, or is named for its label,"
                                + " such as reviews.pos");
            }
            bytes = new Utf8Reader(file);
            lines = new BufferedReader(bytes);
        }

        @Override
        public @Nullable LabeledText next() throws IOException {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (!line.isBlank()) {
                    return new LabeledText(line.strip(), label);
                }
            }
            return null;
        }

        @Override
        public long position() {
            return bytes.position();
        }
    }
}
