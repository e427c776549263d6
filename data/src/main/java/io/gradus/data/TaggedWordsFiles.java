package io.gradus.data;

import com.fasterxml.jackson.databind.JsonNode;
import io.gradus.core.json.JsonProblem;
import java.io.IOException;
import java.io.LineNumberReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Reads sentences whose words have tags, all of it UTF-8:
 *
 * <ul>
 *   <li>a {@code .jsonl} file, whose lines are objects with two lists of texts, {@code tokens} and {@code tags}, or {@code ner_tags};
 *   <li>any other file is in the format of CoNLL 2003 (Tjong Kim Sang &amp; De Meulder 2003): a word per line, its tag in the last of
 *       the columns, which spaces or tabs separate, and a blank line after each sentence. Lines that begin with {@code -DOCSTART-}
 *       are skipped;
 *   <li>of a folder, all files, in the order of their names.
 * </ul>
 */
public final class TaggedWordsFiles {
    private static final String TOKENS = "tokens";
    private static final List<String> TAGS = List.of("tags", "ner_tags");
    private static final String DOCUMENT = "-DOCSTART-";

    private TaggedWordsFiles() {}

    /**
     * Reads a file or a folder. The sentences take no memory: each iteration reads the files again.
     *
     * @param tags the key of the tags in JSON; null: {@code tags} or {@code ner_tags}
     * @return at least one
     * @throws IOException if something is missing, empty, not UTF-8, or malformed; the message names the file and the line
     */
    public static Collection<TaggedWords> read(Path path, @Nullable String tags) throws IOException {
        return FileRecords.of(
                files(path), file -> Documents.hasExtension(file, ".jsonl") ? new Json(file, tags) : new Columns(file));
    }

    /**
     * The files that {@link #read} reads, in this order; at least one.
     *
     * @throws IOException if there is no such file or folder
     */
    public static List<Path> files(Path path) throws IOException {
        Documents.requireExists(path);
        if (!Files.isDirectory(path)) {
            return List.of(path);
        }
        try (Stream<Path> found = Files.list(path)) {
            List<Path> files = found.filter(file -> Files.isRegularFile(file)
                            && !String.valueOf(file.getFileName()).startsWith("."))
                    .sorted()
                    .toList();
            if (files.isEmpty()) {
                throw new IOException(path + ": the folder has no file with sentences");
            }
            return files;
        }
    }

    // ---- columns ----

    /** The sentences of a file in the format of CoNLL. */
    private static final class Columns implements RecordReader<TaggedWords> {
        private final Path file;
        private final Utf8Reader bytes;
        private final LineNumberReader lines;

        Columns(Path file) throws IOException {
            this.file = file;
            this.bytes = new Utf8Reader(file);
            this.lines = new LineNumberReader(bytes);
        }

        @Override
        public @Nullable TaggedWords next() throws IOException {
            List<String> words = new ArrayList<>();
            List<String> tags = new ArrayList<>();
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (line.isBlank() || line.startsWith(DOCUMENT)) {
                    if (!words.isEmpty()) {
                        break;
                    }
                    continue;
                }
                String[] cells = line.strip().split("\\s+", -1);
                if (cells.length < 2) {
                    throw new IOException(file + ":" + lines.getLineNumber() + ": the line is "
                            + JsonProblem.brief(List.of(line))
                            + "; it must have a word and, in the last column, its tag");
                }
                words.add(cells[0]);
                tags.add(cells[cells.length - 1]);
            }
            return words.isEmpty() ? null : new TaggedWords(words, tags);
        }

        @Override
        public long position() {
            return bytes.position();
        }
    }

    // ---- JSON lines ----

    /** The lines of a JSON Lines file. */
    private static final class Json implements RecordReader<TaggedWords> {
        private final JsonLines.Objects objects;
        private final @Nullable String tags;

        Json(Path file, @Nullable String tags) throws IOException {
            this.objects = new JsonLines.Objects(file);
            this.tags = tags;
        }

        @Override
        public @Nullable TaggedWords next() throws IOException {
            JsonNode object = objects.next();
            if (object == null) {
                return null;
            }
            String key = tags != null
                    ? tags
                    : TAGS.stream().filter(object::has).findFirst().orElse(TAGS.getFirst());
            List<String> words = texts(object, TOKENS);
            List<String> all = texts(object, key);
            if (words.isEmpty() || words.size() != all.size()) {
                throw new IOException(
                        objects.place() + ": \"" + TOKENS + "\" has " + words.size() + " words and \"" + key + "\" has "
                                + all.size() + " tags; there must be one tag for each word, and at least one word");
            }
            return new TaggedWords(words, all);
        }

        private List<String> texts(JsonNode object, String key) throws IOException {
            JsonNode values = object.path(key);
            if (!values.isArray()) {
                throw new IOException(objects.place() + ": \"" + key + "\" "
                        + (values.isMissingNode() ? "is missing" : "is " + JsonProblem.brief(values))
                        + "; it must be a list of texts"
                        + (key.equals(TOKENS) ? "" : ", or name another key with data.label_column"));
            }
            List<String> texts = new ArrayList<>();
            for (JsonNode each : values) {
                if (!each.isTextual() || each.textValue().isBlank()) {
                    throw new IOException(objects.place() + ": \"" + key + "\" has " + JsonProblem.brief(each) + "; "
                            + (each.isNumber() && !key.equals(TOKENS)
                                    ? "write the names of the tags, such as \"B-PER\", instead of their numbers"
                                    : "it must be a text that is not blank"));
                }
                texts.add(each.textValue().strip());
            }
            return texts;
        }

        @Override
        public long position() {
            return objects.position();
        }
    }
}
