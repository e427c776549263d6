package io.gradus.data;

import io.gradus.core.json.JsonProblem;
import io.gradus.data.TableReader.Row;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

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
     * Reads a file or a folder.
     *
     * @return at least one
     * @throws IOException if something is missing, empty, not UTF-8, or malformed; the message names the file, the line and the
     *     column
     */
    public static List<LabeledText> read(Path path) throws IOException {
        Documents.requireExists(path);
        var texts = new ArrayList<LabeledText>();
        for (Path file : files(path)) {
            texts.addAll(readFile(file));
        }
        if (texts.isEmpty()) {
            throw new IOException(
                    path + ": the folder has no .csv or .tsv file, nor one with a text per line that is named"
                            + " for its label, such as reviews.pos");
        }
        return List.copyOf(texts);
    }

    /** The files that {@link #read} reads, in this order. */
    static List<Path> files(Path path) throws IOException {
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
        return files.stream().anyMatch(LabeledTexts::isTable)
                ? files.stream().filter(LabeledTexts::isTable).toList()
                : files;
    }

    /** Whether a file is a table, by its extension. */
    static boolean isTable(Path file) {
        return Documents.hasExtension(file, ".csv", ".tsv");
    }

    private static List<LabeledText> readFile(Path file) throws IOException {
        List<LabeledText> texts = isTable(file) ? readTable(file) : readLines(file);
        if (texts.isEmpty()) {
            throw Documents.blank(file);
        }
        return texts;
    }

    // ---- tables ----

    private static List<LabeledText> readTable(Path file) throws IOException {
        var texts = new ArrayList<LabeledText>();
        try (TableReader table = new TableReader(file)) {
            Row header = table.row();
            if (header == null) {
                return texts;
            }
            int text = column(header, TEXT);
            int label = column(header, LABEL);
            for (Row row = table.row(); row != null; row = table.row()) {
                int columns = row.cells().size();
                if (columns != header.cells().size()) {
                    throw new IOException(row.place() + ": it has " + columns + " columns and the header has "
                            + header.cells().size()
                            + (Documents.hasExtension(file, ".tsv")
                                    ? "; columns are separated by single tabs, and a text has none"
                                    : "; put a text with commas in it in double quotes"));
                }
                texts.add(new LabeledText(cell(row, text, TEXT), cell(row, label, LABEL)));
            }
        }
        if (texts.isEmpty()) {
            throw new IOException(file + ": the file has a header but no rows");
        }
        return texts;
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

    private static List<LabeledText> readLines(Path file) throws IOException {
        String name = String.valueOf(file.getFileName());
        String label = name.substring(name.lastIndexOf('.') + 1);
        if (!name.contains(".") || label.isBlank()) {
            throw new IOException(file + ": a file of labeled texts is a .csv or .tsv file, or is named for its label,"
                    + " such as reviews.pos");
        }
        try (BufferedReader reader = new BufferedReader(new Utf8Reader(file))) {
            return reader.lines()
                    .filter(line -> !line.isBlank())
                    .map(line -> new LabeledText(line.strip(), label))
                    .toList();
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }
}
