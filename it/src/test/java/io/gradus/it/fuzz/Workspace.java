package io.gradus.it.fuzz;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Stream;

/** A folder, in memory if the system has one there, that holds one sample after the other. */
final class Workspace implements AutoCloseable {
    private final Path folder;
    private Map<String, byte[]> present = Map.of();

    Workspace() throws IOException {
        Path memory = Path.of("/dev/shm");
        folder = Files.isWritable(memory)
                ? Files.createTempDirectory(memory, "gradus-fuzz")
                : Files.createTempDirectory("gradus-fuzz");
    }

    Path folder() {
        return folder;
    }

    /** Writes the files that are not there yet, and deletes others. */
    void show(Map<String, byte[]> files) throws IOException {
        for (String name : present.keySet()) {
            if (!files.containsKey(name)) {
                Files.deleteIfExists(folder.resolve(name));
            }
        }
        for (Map.Entry<String, byte[]> file : files.entrySet()) {
            byte[] before = present.get(file.getKey());
            if (before == null || !Arrays.equals(before, file.getValue())) {
                Path path = folder.resolve(file.getKey());
                if (before == null) {
                    Files.createDirectories(path.getParent());
                }
                Files.write(path, file.getValue());
            }
        }
        present = new HashMap<>(files);
    }

    @Override
    public void close() throws IOException {
        delete(folder);
    }

    static void delete(Path folder) throws IOException {
        try (Stream<Path> paths = Files.walk(folder)) {
            for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(path);
            }
        }
    }
}
