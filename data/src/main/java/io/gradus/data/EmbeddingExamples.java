package io.gradus.data;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.gradus.core.json.JsonProblem;
import io.gradus.data.TableReader.Row;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Reads pairs of texts for an embedder, all of it UTF-8, from {@code .csv} and {@code .tsv} files whose first line names the columns,
 * {@code .jsonl} files whose lines are objects with these keys, and folders of these. An example has
 *
 * <ul>
 *   <li>{@code anchor} and {@code positive}, and perhaps {@code negative};
 *   <li>or {@code text}, {@code text_pair} and {@code label}, or {@code sentence1}, {@code sentence2} and {@code score}: a number from 0
 *       to 1.
 * </ul>
 *
 * Others are ignored.
 */
public final class EmbeddingExamples {
    private static final String ANCHOR = "anchor";
    private static final String POSITIVE = "positive";
    private static final String NEGATIVE = "negative";
    private static final String[] EXTENSIONS = {".csv", ".tsv", ".jsonl"};

    /** The names of two texts and of their score. */
    private record Scored(String text, String other, String score) {}

    private static final List<Scored> SCORED =
            List.of(new Scored("text", "text_pair", "label"), new Scored("sentence1", "sentence2", "score"));

    private EmbeddingExamples() {}

    /**
     * Reads a file or a folder. The examples take no memory: each iteration reads the files again.
     *
     * @return at least one
     * @throws IOException if something is missing, empty, not UTF-8, or malformed; the message names the file, the line and the
     *     column
     */
    public static Collection<EmbeddingExample> read(Path path) throws IOException {
        return FileRecords.of(files(path), file -> Documents.hasExtension(file, ".jsonl") ? lines(file) : rows(file));
    }

    /**
     * The files that {@link #read} reads, in this order; at least one.
     *
     * @throws IOException if there is no such file or folder, or it is of another kind
     */
    public static List<Path> files(Path path) throws IOException {
        Documents.requireExists(path);
        if (!Files.isDirectory(path)) {
            if (!Documents.hasExtension(path, EXTENSIONS)) {
                throw new IOException(path + ": pairs of texts are read from .csv, .tsv and .jsonl files");
            }
            return List.of(path);
        }
        try (Stream<Path> found = Files.list(path)) {
            List<Path> files = found.filter(
                            file -> Files.isRegularFile(file) && Documents.hasExtension(file, EXTENSIONS))
                    .filter(file -> !String.valueOf(file.getFileName()).startsWith("."))
                    .sorted()
                    .toList();
            if (files.isEmpty()) {
                throw new IOException(path + ": the folder has no .csv, .tsv or .jsonl file with pairs of texts");
            }
            return files;
        }
    }

    private static Examples lines(Path file) throws IOException {
        JsonLines.Objects lines = new JsonLines.Objects(file);
        return new Examples(lines, lines::place);
    }

    private static Examples rows(Path file) throws IOException {
        Table table = new Table(file);
        return new Examples(table, table::place);
    }

    // ---- tables ----

    /** The rows of a table, as objects with the names of the columns; an empty cell is none. */
    private static final class Table implements RecordReader<JsonNode> {
        private final TableReader table;
        private final List<String> names;
        private Row row;

        Table(Path file) throws IOException {
            this.table = new TableReader(file);
            Row header = table.row();
            if (header == null) {
                throw Documents.blank(file);
            }
            this.row = header;
            this.names = header.cells().stream()
                    .map(name -> name.strip().toLowerCase(Locale.ROOT))
                    .toList();
            Set<String> seen = new HashSet<>();
            for (String name : names) {
                if (!seen.add(name)) {
                    throw new IOException(header.place() + ": the first line names the column \"" + name
                            + "\" twice; rename or remove one of them");
                }
            }
        }

        @Override
        public @Nullable JsonNode next() throws IOException {
            Row next = table.row();
            if (next == null) {
                return null;
            }
            row = next;
            if (next.cells().size() != names.size()) {
                throw new IOException(next.place() + ": it has " + next.cells().size()
                        + " columns and the header has " + names.size()
                        + "; put a text with commas in it in double quotes in a .csv file, and use single tabs between"
                        + " columns in a .tsv file");
            }
            ObjectNode object = JsonNodeFactory.instance.objectNode();
            for (int i = 0; i < names.size(); i++) {
                String cell = next.cells().get(i);
                object.put(names.get(i), cell.isBlank() ? null : cell);
            }
            return object;
        }

        /** The file and the line of the latest row. */
        String place() {
            return row.place();
        }

        @Override
        public long position() {
            return table.position();
        }
    }

    // ---- examples ----

    /** The examples of a file. */
    private static final class Examples implements RecordReader<EmbeddingExample> {
        private final RecordReader<JsonNode> objects;
        private final Supplier<String> place;
        private boolean begun;

        /** @param place the file and the line of the latest object */
        Examples(RecordReader<JsonNode> objects, Supplier<String> place) {
            this.objects = objects;
            this.place = place;
        }

        @Override
        public @Nullable EmbeddingExample next() throws IOException {
            JsonNode object = objects.next();
            if (object == null) {
                if (!begun) {
                    throw new IOException(place.get() + ": the file has no pair of texts");
                }
                return null;
            }
            begun = true;
            if (object.has(ANCHOR)) {
                return new EmbeddingExample(
                        text(object, ANCHOR),
                        text(object, POSITIVE),
                        object.hasNonNull(NEGATIVE) ? text(object, NEGATIVE) : null,
                        null);
            }
            for (Scored names : SCORED) {
                if (object.has(names.text)) {
                    return new EmbeddingExample(
                            text(object, names.text), text(object, names.other), null, score(object, names.score));
                }
            }
            Set<String> keys = new TreeSet<>();
            object.fieldNames().forEachRemaining(keys::add);
            throw new IOException(place.get() + ": an example has \"anchor\" and \"positive\", and perhaps"
                    + " \"negative\", or \"text\", \"text_pair\" and \"label\"; this one has "
                    + JsonProblem.brief(keys));
        }

        private String text(JsonNode object, String key) throws IOException {
            JsonNode value = object.path(key);
            if (!value.isTextual() || value.textValue().isBlank()) {
                throw new IOException(place.get() + ": \"" + key + "\" "
                        + (value.isMissingNode() || value.isNull() ? "is missing" : "is " + JsonProblem.brief(value))
                        + "; it must be a text that is not blank");
            }
            return value.textValue();
        }

        private double score(JsonNode object, String key) throws IOException {
            JsonNode value = object.path(key);
            double score = value.isNumber() || value.isTextual() ? value.asDouble(Double.NaN) : Double.NaN;
            if (!(score >= 0 && score <= 1)) {
                throw new IOException(place.get() + ": \"" + key + "\" "
                        + (value.isMissingNode() || value.isNull() ? "is missing" : "is " + JsonProblem.brief(value))
                        + "; it must be a number from 0 to 1: divide scores from 0 to 5 by 5");
            }
            return score;
        }

        @Override
        public long position() {
            return objects.position();
        }
    }
}
