package io.gradus.train.checkpoint;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import io.gradus.core.FileNames;
import io.gradus.core.safetensors.SafetensorsCheckpoint;
import io.gradus.data.DataFormat;
import io.gradus.data.Document;
import io.gradus.data.Documents;
import io.gradus.data.EmbeddingExamples;
import io.gradus.data.LabeledExamples;
import io.gradus.data.TaggedWordsFiles;
import io.gradus.train.recipe.Recipe;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What a run reads: the texts and the model, by size and hash. A resumed run must read the same, wherever the files are now.
 *
 * @param files of all keys, those of a key in the order in which they are read
 */
public record Inputs(@JsonValue List<InputFile> files) {
    static final String MODEL = "model.path";

    /** The inputs of a run whose checkpoint does not know them, because an older version wrote it. */
    public static final Inputs UNKNOWN = new Inputs(List.of());

    /** Files of a model folder that describe the network and the tokenizer. */
    private static final Pattern DESCRIPTION = Pattern.compile(".+\\.(json|jinja|txt|model|tiktoken)");

    /** The folder of chat templates other than the usual one. */
    private static final String CHAT_TEMPLATES = "additional_chat_templates";

    @JsonCreator
    public Inputs {
        files = files == null ? List.of() : List.copyOf(files);
    }

    /** A line for each file, with what it is for, its size and its hash. */
    public List<String> describe() {
        return files.stream()
                .map(file -> file.key() + ": " + file.bytes() + " bytes, SHA-256 " + file.sha256())
                .toList();
    }

    // ---- hashing ----

    /** A file to hash. */
    private record Source(String key, String name, Path file) {

        InputFile read() {
            try {
                return new InputFile(key, name, Files.size(file), Sha256.ofFile(file));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    /**
     * Hashes the files that a recipe names and the model. Each file is read once, several at a time. A missing file is left out:
     * whoever reads it reports that.
     *
     * @param model the folder of the model to start from
     * @param data whether the run reads the texts of the recipe
     * @param texts documents in memory, by what they are for
     */
    public static Inputs of(Recipe recipe, Path model, boolean data, Map<String, List<Document>> texts)
            throws IOException {
        List<Source> sources = new ArrayList<>(model(model));
        if (data) {
            texts(recipe, sources);
        }
        try {
            List<InputFile> files =
                    new ArrayList<>(sources.parallelStream().map(Source::read).toList());
            texts.forEach((purpose, documents) -> files.add(documents(purpose, documents)));
            return new Inputs(files);
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }

    /** The description, the tokenizer and the weights in a model folder. */
    private static List<Source> model(Path folder) throws IOException {
        Set<Path> files = new LinkedHashSet<>();
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (Stream<Path> listed = Files.list(folder)) {
            listed.filter(file ->
                            DESCRIPTION.matcher(file.getFileName().toString()).matches())
                    .filter(Files::isRegularFile)
                    .sorted()
                    .forEach(files::add);
        }
        Path templates = folder.resolve(CHAT_TEMPLATES);
        if (Files.isDirectory(templates)) {
            try (Stream<Path> listed = Files.list(templates)) {
                listed.filter(file -> file.toString().endsWith(".jinja"))
                        .filter(Files::isRegularFile)
                        .sorted()
                        .forEach(files::add);
            }
        }
        try (SafetensorsCheckpoint weights = SafetensorsCheckpoint.open(folder)) {
            files.addAll(weights.files());
        }
        return files.stream()
                .map(file -> new Source(MODEL, name(folder.relativize(file)), file))
                .toList();
    }

    private static void texts(Recipe recipe, List<Source> sources) throws IOException {
        Recipe.Data data = recipe.data();
        Lister format = switch (recipe.task()) {
            case LANGUAGE_MODELING, MASKED_LANGUAGE_MODELING ->
                documents(new DataFormat(data.format(), null, data.labelTemplate()));
            case SEQUENCE_CLASSIFICATION -> LabeledExamples::files;
            case TOKEN_CLASSIFICATION -> TaggedWordsFiles::files;
            case EMBEDDINGS -> EmbeddingExamples::files;
        };
        text(sources, "data.train", data.train(), format);
        for (int i = 0; i < data.sources().size(); i++) {
            text(sources, "data.sources[" + i + "]", data.sources().get(i).path(), format);
        }
        text(sources, "data.eval", data.eval(), format);
        Lister general = documents(new DataFormat(DataFormat.Kind.AUTO, null, data.labelTemplate()));
        text(sources, "data.general", data.general(), general);
        text(sources, "data.replay", data.replay(), general);
        Path template = data.chatTemplate() == null ? null : FileNames.path(data.chatTemplate());
        if (template != null && Files.isRegularFile(template)) {
            sources.add(new Source("data.chat_template", String.valueOf(template.getFileName()), template));
        }
    }

    /** The files that a path stands for. */
    private interface Lister {
        List<Path> files(Path path) throws IOException;
    }

    private static Lister documents(DataFormat format) {
        return path -> Documents.files(path, format);
    }

    private static void text(List<Source> sources, String key, @Nullable Path path, Lister format) throws IOException {
        if (path == null || !Files.exists(path)) {
            return;
        }
        for (Path file : format.files(path)) {
            Path name = Files.isDirectory(path) ? path.relativize(file) : Objects.requireNonNull(path.getFileName());
            sources.add(new Source(key, name(name), file));
        }
    }

    /** A relative path with slashes. */
    private static String name(Path path) {
        return IntStream.range(0, path.getNameCount())
                .mapToObj(i -> path.getName(i).toString())
                .collect(Collectors.joining("/"));
    }

    private static InputFile documents(String purpose, List<Document> documents) {
        Sha256 hash = new Sha256();
        long bytes = 0;
        for (Document document : documents) {
            String text = document.toString();
            hash.add(text).add("\n");
            bytes += text.getBytes(StandardCharsets.UTF_8).length;
        }
        return new InputFile(purpose, "documents in memory", bytes, hash.hex());
    }

    // ---- comparing ----

    /**
     * Checks that a model folder still has what the run has read from it.
     *
     * @throws IOException naming what has changed or is missing
     */
    public void requireSameModel(Path folder) throws IOException {
        List<String> changes = new ArrayList<>();
        List<InputFile> then =
                files.stream().filter(file -> file.key().equals(MODEL)).toList();
        try {
            List<InputFile> now = then.stream()
                    .map(file -> new Source(MODEL, file.name(), folder.resolve(file.name())))
                    .filter(source -> Files.isRegularFile(source.file()))
                    .map(Source::read)
                    .toList();
            compareByName(MODEL, then, now, changes);
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
        if (!changes.isEmpty()) {
            throw new IOException("the run needs the model that it started from, " + folder
                    + ", but it has changed meanwhile:\n  " + String.join("\n  ", changes) + "\nRestore it.");
        }
    }

    /** What has changed since a run began, one line for each file; nothing if the inputs then are unknown. */
    public List<String> changesSince(Inputs before) {
        if (before.files.isEmpty()) {
            return List.of();
        }
        Map<String, List<InputFile>> then = before.byKey();
        Map<String, List<InputFile>> now = byKey();
        Set<String> keys = new LinkedHashSet<>(then.keySet());
        keys.addAll(now.keySet());
        List<String> changes = new ArrayList<>();
        for (String key : keys) {
            List<InputFile> old = then.getOrDefault(key, List.of());
            List<InputFile> current = now.getOrDefault(key, List.of());
            if (old.isEmpty() || current.isEmpty()) {
                changes.add(key
                        + (old.isEmpty()
                                ? " was not part of the run and is now"
                                : " was part of the run and is not now"));
            } else if (key.equals(MODEL)) {
                compareByName(key, old, current, changes);
            } else {
                compareInOrder(key, old, current, changes);
            }
        }
        return changes;
    }

    private Map<String, List<InputFile>> byKey() {
        return files.stream().collect(Collectors.groupingBy(InputFile::key, LinkedHashMap::new, Collectors.toList()));
    }

    private static void compareByName(String key, List<InputFile> old, List<InputFile> now, List<String> changes) {
        Map<String, InputFile> current = now.stream().collect(Collectors.toMap(InputFile::name, file -> file));
        for (InputFile was : old) {
            InputFile is = current.remove(was.name());
            if (is == null) {
                changes.add(key + ": " + was.name() + " is missing");
            } else if (!is.hasContentOf(was)) {
                changes.add(changed(key, was, is));
            }
        }
        current.values().forEach(added -> changes.add(key + ": " + added.name() + " is new"));
    }

    /** Names may differ, but not the order, and not the extensions, which decide how a file is read. */
    private static void compareInOrder(String key, List<InputFile> old, List<InputFile> now, List<String> changes) {
        if (old.size() != now.size()) {
            compareByName(key, old, now, changes);
            return;
        }
        for (int i = 0; i < old.size(); i++) {
            InputFile was = old.get(i);
            InputFile is = now.get(i);
            if (!is.hasContentOf(was)) {
                changes.add(changed(key, was, is));
            } else if (!is.extension().equals(was.extension())) {
                changes.add(key + ": " + was.name() + " is now " + is.name() + ", which is read in another way");
            }
        }
    }

    private static String changed(String key, InputFile was, InputFile is) {
        return key + ": " + is.name() + " had " + was.content() + " and has " + is.content();
    }
}
