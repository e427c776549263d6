package io.gradus.train.delta;

import io.gradus.core.WholeFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The files of a model's folder that belong to every model made from it: configuration, tokenizer, chat templates, and license;
 * not the weights, their index, or the files of a run.
 *
 * @param contents by name
 */
record FolderFiles(SortedMap<String, byte[]> contents) {
    static final String CONFIG = "config.json";

    private static final String TEMPLATES = "additional_chat_templates";

    /** What decides how the weights are used. */
    private static final Pattern RESTORED = Pattern.compile("(config|generation_config|preprocessor_config"
            + "|tokenizer|tokenizer_config|special_tokens_map|added_tokens|vocab|chat_template)\\.json"
            + "|vocab\\.txt|merges\\.txt|(" + TEMPLATES + "/)?[^/\\\\]+\\.jinja|[^/\\\\]+\\.(model|tiktoken)");

    /** What a tuned model keeps even if its folder does not have it. */
    private static final Pattern KEPT = Pattern.compile("(LICENSE|NOTICE|USE_POLICY).*");

    /** Whether a delta restores a file of this name. */
    static boolean isRestored(String name) {
        return RESTORED.matcher(name).matches();
    }

    /** Reads the files next to a model's weights. */
    static FolderFiles read(Path model) throws IOException {
        Path folder = Files.isDirectory(model) ? model : model.toAbsolutePath().getParent();
        SortedMap<String, byte[]> contents = new TreeMap<>();
        if (folder != null) {
            add(folder, "", contents);
            add(folder.resolve(TEMPLATES), TEMPLATES + "/", contents);
        }
        return new FolderFiles(contents);
    }

    private static void add(Path folder, String prefix, Map<String, byte[]> contents) throws IOException {
        if (!Files.isDirectory(folder)) {
            return;
        }
        try (Stream<Path> listed = Files.list(folder)) {
            for (Path file : (Iterable<Path>) listed.filter(Files::isRegularFile)::iterator) {
                String name = prefix + file.getFileName();
                if (isRestored(name) || KEPT.matcher(name).matches()) {
                    contents.put(name, WholeFile.bytes(file));
                }
            }
        }
    }

    /** What a folder with these files has to change to get the files of another. */
    List<DeltaFile> changesTo(FolderFiles tuned) {
        TreeSet<String> names = new TreeSet<>(contents.keySet());
        names.addAll(tuned.contents.keySet());
        List<DeltaFile> changes = new ArrayList<>();
        for (String name : names) {
            byte[] after = tuned.contents.get(name);
            if (isRestored(name) && !Arrays.equals(contents.get(name), after)) {
                changes.add(DeltaFile.of(name, after));
            }
        }
        return changes;
    }

    /** These files with changes. */
    FolderFiles with(List<DeltaFile> changes) {
        SortedMap<String, byte[]> changed = new TreeMap<>(contents);
        for (DeltaFile change : changes) {
            byte[] content = change.content();
            if (content == null) {
                changed.remove(change.name());
            } else {
                changed.put(change.name(), content);
            }
        }
        return new FolderFiles(changed);
    }
}
