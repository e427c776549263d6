package io.gradus.data;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.MappingIterator;
import com.fasterxml.jackson.dataformat.csv.CsvFactory;
import com.fasterxml.jackson.dataformat.csv.CsvMapper;
import com.fasterxml.jackson.dataformat.csv.CsvParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * Reads texts with their labels, all of it UTF-8:
 *
 * <ul>
 *   <li>a {@code .csv} file (RFC 4180), or {@code .tsv} with tabs: the first line names the columns, among them
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
        if (!Files.isDirectory(path)) {
            return readFile(path);
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
        var texts = new ArrayList<LabeledText>();
        for (Path file : files) {
            texts.addAll(readFile(file));
        }
        if (texts.isEmpty()) {
            throw new IOException(
                    path + ": the folder has no .csv or .tsv file, nor one with a text per line that is named"
                            + " for its label, such as reviews.pos");
        }
        return List.copyOf(texts);
    }

    /** Whether a file is a table, by its extension. */
    static boolean isTable(Path file) {
        return Documents.hasExtension(file, ".csv", ".tsv");
    }

    private static List<LabeledText> readFile(Path file) throws IOException {
        String content = Documents.content(file);
        return isTable(file) ? readTable(file, content) : readLines(file, content);
    }

    // ---- tables ----

    private static List<LabeledText> readTable(Path file, String content) throws IOException {
        CsvMapper mapper = CsvMapper.builder(CsvFactory.builder()
                        .streamReadConstraints(StreamReadConstraints.builder()
                                .maxStringLength(Integer.MAX_VALUE)
                                .build())
                        .build())
                .enable(CsvParser.Feature.WRAP_AS_ARRAY)
                .enable(CsvParser.Feature.SKIP_EMPTY_LINES)
                .enable(CsvParser.Feature.FAIL_ON_MISSING_HEADER_COLUMNS)
                .build();
        var schema = mapper.schema()
                .withColumnSeparator(Documents.hasExtension(file, ".tsv") ? '\t' : ',')
                .withoutHeader();
        var texts = new ArrayList<LabeledText>();
        try (MappingIterator<String[]> rows =
                mapper.readerFor(String[].class).with(schema).readValues(content)) {
            String[] header = rows.next();
            int text = column(file, header, TEXT);
            int label = column(file, header, LABEL);
            while (rows.hasNextValue()) {
                String[] row = rows.nextValue();
                String place =
                        file + ":" + (rows.getParser().currentTokenLocation().getLineNr());
                if (row.length != header.length) {
                    throw new IOException(place + ": it has " + row.length + " columns and the header has "
                            + header.length + "; put a text with commas in it in double quotes");
                }
                texts.add(new LabeledText(cell(row[text], TEXT, place), cell(row[label], LABEL, place)));
            }
        } catch (JacksonException e) {
            throw new IOException(
                    file + ":" + e.getLocation().getLineNr() + ": it is not CSV: " + e.getOriginalMessage(), e);
        }
        if (texts.isEmpty()) {
            throw new IOException(file + ": the file has a header but no rows");
        }
        return texts;
    }

    private static int column(Path file, String[] header, String name) throws IOException {
        List<String> names = Arrays.stream(header)
                .map(column -> column.strip().toLowerCase(Locale.ROOT))
                .toList();
        int index = names.indexOf(name);
        if (index < 0 || names.lastIndexOf(name) != index) {
            throw new IOException(
                    file + ":1: the first line must name the columns, with text and label once each; it has " + names
                            + " (data.format=text reads the file as plain text)");
        }
        return index;
    }

    private static String cell(String value, String column, String place) throws IOException {
        if (value.isBlank()) {
            throw new IOException(place + ": \"" + column + "\" must not be blank");
        }
        return column.equals(LABEL) ? value.strip() : value;
    }

    // ---- a text per line ----

    private static List<LabeledText> readLines(Path file, String content) throws IOException {
        String name = String.valueOf(file.getFileName());
        String label = name.substring(name.lastIndexOf('.') + 1);
        if (!name.contains(".") || label.isBlank()) {
            throw new IOException(file + ": a file of labeled texts is a .csv or .tsv file, or is named for its label,"
                    + " such as reviews.pos");
        }
        return content.lines()
                .filter(line -> !line.isBlank())
                .map(line -> new LabeledText(line.strip(), label))
                .toList();
    }
}
