package io.gradus.data;

import com.fasterxml.jackson.databind.JsonNode;
import io.gradus.core.json.JsonProblem;
import io.gradus.data.ExampleColumns.Labels;
import io.gradus.data.TableReader.Row;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Reads the examples of a classifier, all of it UTF-8:
 *
 * <ul>
 *   <li>a {@code .csv} or {@code .tsv} file, whose first line names the {@link ExampleColumns columns};
 *   <li>a {@code .jsonl} file, whose lines are objects with these keys; a label may be a text, a number or a boolean, and several
 *       are a list;
 *   <li>any other file, with one text per line, whose extension is their label ({@link LabeledTexts}), such as {@code reviews.pos};
 *   <li>of a folder, all {@code .csv}, {@code .tsv} and {@code .jsonl} files or, if there are none, all files, in the order of their
 *       names.
 * </ul>
 */
public final class LabeledExamples {
    private static final String PAIR = "text_pair";
    private static final String LABEL = "label";
    private static final String LABELS = "labels";

    private LabeledExamples() {}

    /**
     * Reads a file or a folder. The examples take no memory: each iteration reads the files again.
     *
     * @return at least one
     * @throws IOException if something is missing, empty, not UTF-8, or malformed; the message names the file, the line and the
     *     column
     */
    public static Collection<LabeledExample> read(Path path, ExampleColumns columns) throws IOException {
        return FileRecords.of(files(path), file -> open(file, columns));
    }

    /**
     * The files that {@link #read} reads, in this order; at least one.
     *
     * @throws IOException if there is no such file or folder
     */
    public static List<Path> files(Path path) throws IOException {
        Documents.requireExists(path);
        if (Files.isDirectory(path)) {
            try (Stream<Path> found = Files.list(path)) {
                List<Path> records = found.filter(
                                file -> Files.isRegularFile(file) && (LabeledTexts.isTable(file) || isJsonLines(file)))
                        .filter(file -> !String.valueOf(file.getFileName()).startsWith("."))
                        .sorted()
                        .toList();
                if (!records.isEmpty()) {
                    return records;
                }
            }
        }
        return LabeledTexts.files(path);
    }

    private static boolean isJsonLines(Path file) {
        return Documents.hasExtension(file, ".jsonl");
    }

    private static RecordReader<LabeledExample> open(Path file, ExampleColumns columns) throws IOException {
        if (LabeledTexts.isTable(file)) {
            return new Table(file, columns);
        }
        return isJsonLines(file) ? new Lines(file, columns) : new Named(LabeledTexts.open(file), columns);
    }

    // ---- tables ----

    /** The rows of a table. */
    private static final class Table implements RecordReader<LabeledExample> {
        private final Path file;
        private final TableReader table;
        private final List<String> names;
        private final ExampleColumns columns;
        private final int text;
        private final int pair;
        private final int label;
        private boolean begun;

        Table(Path file, ExampleColumns columns) throws IOException {
            this.file = file;
            this.columns = columns;
            this.table = new TableReader(file);
            Row header = table.row();
            if (header == null) {
                throw Documents.blank(file);
            }
            names = header.cells().stream().map(LabeledExamples::lower).toList();
            text = column(header, columns.text());
            pair = columns.pair() == null ? names.indexOf(PAIR) : column(header, columns.pair());
            label = columns.labels() == Labels.NONE ? -1 : label(header);
        }

        private int label(Row header) throws IOException {
            boolean several = columns.label() == null && !names.contains(LABEL) && names.contains(LABELS);
            return column(header, several ? LABELS : columns.label() == null ? LABEL : columns.label());
        }

        private int column(Row header, String name) throws IOException {
            int index = names.indexOf(lower(name));
            if (index < 0 || names.lastIndexOf(lower(name)) != index) {
                throw new IOException(header.place() + ": the first line must name the columns, with \"" + name
                        + "\" once; it has " + JsonProblem.brief(names)
                        + "; name others with data.text_column, data.text_pair_column and data.label_column");
            }
            return index;
        }

        @Override
        public @Nullable LabeledExample next() throws IOException {
            Row row = table.row();
            if (row == null) {
                if (!begun) {
                    throw new IOException(file + ": the file has a header but no rows");
                }
                return null;
            }
            begun = true;
            if (row.cells().size() != names.size()) {
                throw new IOException(row.place() + ": it has " + row.cells().size() + " columns and the header has "
                        + names.size()
                        + (Documents.hasExtension(file, ".tsv")
                                ? "; columns are separated by single tabs, and a text has none"
                                : "; put a text with commas in it in double quotes"));
            }
            String second = pair < 0 ? null : notBlank(row.cells().get(pair), names.get(pair), row.place());
            return new LabeledExample(
                    notBlank(row.cells().get(text), names.get(text), row.place()), second, labels(row));
        }

        private List<String> labels(Row row) throws IOException {
            if (label < 0) {
                return List.of();
            }
            String cell = row.cells().get(label);
            boolean several = columns.labels() == Labels.SEVERAL
                    || columns.labels() == Labels.AUTO && names.get(label).equals(LABELS);
            return several
                    ? Arrays.stream(cell.split(",", -1))
                            .map(String::strip)
                            .filter(each -> !each.isEmpty())
                            .toList()
                    : List.of(notBlank(cell, names.get(label), row.place()).strip());
        }

        @Override
        public long position() {
            return table.position();
        }
    }

    private static String lower(String name) {
        return name.strip().toLowerCase(Locale.ROOT);
    }

    private static String notBlank(String value, String name, String place) throws IOException {
        if (value.isBlank()) {
            throw new IOException(place + ": \"" + name + "\" must not be blank");
        }
        return value;
    }

    // ---- JSON lines ----

    /** The lines of a JSON Lines file. */
    private static final class Lines implements RecordReader<LabeledExample> {
        private final JsonLines.Objects objects;
        private final ExampleColumns columns;

        Lines(Path file, ExampleColumns columns) throws IOException {
            this.objects = new JsonLines.Objects(file);
            this.columns = columns;
        }

        @Override
        public @Nullable LabeledExample next() throws IOException {
            JsonNode object = objects.next();
            if (object == null) {
                return null;
            }
            String pair = columns.pair() == null ? PAIR : columns.pair();
            boolean isPair = columns.pair() != null || object.hasNonNull(PAIR);
            return new LabeledExample(
                    text(object, columns.text()),
                    isPair ? text(object, pair) : null,
                    columns.labels() == Labels.NONE ? List.of() : labels(object));
        }

        private String text(JsonNode object, String key) throws IOException {
            JsonNode value = object.path(key);
            if (!value.isTextual()) {
                throw new IOException(objects.place() + ": \"" + key + "\" "
                        + (value.isMissingNode()
                                ? "is missing; name another key with data.text_column"
                                : "is " + JsonProblem.brief(value) + "; it must be a string"));
            }
            return notBlank(value.textValue(), key, objects.place());
        }

        private List<String> labels(JsonNode object) throws IOException {
            String key = columns.label() != null ? columns.label() : object.has(LABEL) ? LABEL : LABELS;
            JsonNode value = object.path(key);
            if (value.isMissingNode()) {
                throw new IOException(objects.place() + ": \"" + (columns.label() != null ? key : LABEL)
                        + "\" is missing; name another key with data.label_column");
            }
            boolean several =
                    columns.labels() == Labels.SEVERAL || columns.labels() == Labels.AUTO && key.equals(LABELS);
            if (several != value.isArray()) {
                throw new IOException(objects.place() + ": \"" + key + "\" is " + JsonProblem.brief(value)
                        + "; it must be " + (several ? "a list of labels" : "one label"));
            }
            List<String> labels = new ArrayList<>();
            for (JsonNode each : value.isArray() ? value : List.of(value)) {
                if (!each.isValueNode() || each.isNull()) {
                    throw new IOException(objects.place() + ": \"" + key + "\" has " + JsonProblem.brief(each)
                            + "; a label is a text or a number");
                }
                labels.add(notBlank(each.asText(), key, objects.place()).strip());
            }
            return labels;
        }

        @Override
        public long position() {
            return objects.position();
        }
    }

    // ---- a text per line ----

    /** The lines of a file that is named for its label. */
    private record Named(RecordReader<LabeledText> texts, ExampleColumns columns)
            implements RecordReader<LabeledExample> {
        @Override
        public @Nullable LabeledExample next() throws IOException {
            LabeledText text = texts.next();
            if (text == null) {
                return null;
            }
            return new LabeledExample(
                    text.text(), null, columns.labels() == Labels.NONE ? List.of() : List.of(text.label()));
        }

        @Override
        public long position() {
            return texts.position();
        }
    }
}
