package io.gradus.core.safetensors;

import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.FileNames;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * The tensors of a checkpoint by name, from one safetensors file or from shards. Closing it closes the files; tensors that
 * were read remain valid.
 *
 * {@snippet :
 * try (SafetensorsCheckpoint checkpoint = SafetensorsCheckpoint.open(Path.of("my-model"))) {
 *     Tensor norm = checkpoint.read("model.norm.weight", Device.cpu(), DType.F32, MemoryCategory.WEIGHTS);
 * }
 * }
 */
public final class SafetensorsCheckpoint implements AutoCloseable {
    /** The file name of a checkpoint without shards. */
    public static final String SINGLE = "model.safetensors";

    /** The file name of the index that maps tensors to shards. */
    public static final String INDEX = "model.safetensors.index.json";

    private final Path path;
    private final List<SafetensorsFile> files;
    private final Map<String, SafetensorsFile> byName;

    private SafetensorsCheckpoint(Path path, List<SafetensorsFile> files, Map<String, SafetensorsFile> byName) {
        this.path = path;
        this.files = files;
        this.byName = byName;
    }

    /**
     * Opens a checkpoint.
     *
     * @param path a folder with {@code model.safetensors}, or with {@code model.safetensors.index.json} and its shards;
     *     or one of these two files, under any name
     * @throws SafetensorsException if there is none, a file is invalid, or the index and its shards disagree
     */
    public static SafetensorsCheckpoint open(Path path) throws IOException {
        if (!Files.isDirectory(path)) {
            return path.toString().endsWith(".index.json") ? sharded(path) : single(path);
        }
        if (Files.exists(path.resolve(SINGLE))) {
            return single(path.resolve(SINGLE));
        }
        if (Files.exists(path.resolve(INDEX))) {
            return sharded(path.resolve(INDEX));
        }
        throw new SafetensorsException(path, "it has neither " + SINGLE + " nor " + INDEX + "; " + otherwise(path));
    }

    /** The fix for a folder without a checkpoint, depending on its files. */
    private static String otherwise(Path folder) throws IOException {
        Optional<String> explanation = OtherFormat.explain(folder);
        if (explanation.isPresent()) {
            return explanation.get();
        }
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.toString().endsWith(".safetensors"))
                    .sorted()
                    .findFirst()
                    .map(file -> "to read " + file.getFileName() + ", give the path of that file")
                    .orElse("check the path, or whether the download is complete");
        }
    }

    private static SafetensorsCheckpoint single(Path file) throws IOException {
        SafetensorsFile opened = SafetensorsFile.open(file);
        Map<String, SafetensorsFile> byName = new LinkedHashMap<>();
        opened.names().forEach(name -> byName.put(name, opened));
        return new SafetensorsCheckpoint(file, List.of(opened), byName);
    }

    private static SafetensorsCheckpoint sharded(Path index) throws IOException {
        if (!Files.isRegularFile(index)) {
            throw new SafetensorsException(index, "there is no such file; check the path");
        }
        Map<String, String> shards = ShardIndex.read(index).shards();
        Map<String, SafetensorsFile> files = new LinkedHashMap<>();
        boolean opened = false;
        try {
            for (String shard : new TreeSet<>(shards.values())) {
                files.put(shard, openShard(index, shard));
            }
            Map<String, SafetensorsFile> byName = byName(index, files.values());
            for (Map.Entry<String, String> listed : shards.entrySet()) {
                if (byName.get(listed.getKey()) != files.get(listed.getValue())) {
                    throw SafetensorsException.damaged(
                            index,
                            "it says that the shard " + listed.getValue() + " has the tensor '"
                                    + StrictJson.shorten(listed.getKey()) + "', but it does not");
                }
            }
            opened = true;
            return new SafetensorsCheckpoint(index, List.copyOf(files.values()), byName);
        } finally {
            if (!opened) {
                files.values().forEach(SafetensorsFile::close);
            }
        }
    }

    private static SafetensorsFile openShard(Path index, String shard) throws IOException {
        Optional<String> obstacle = FileNames.obstacle(shard);
        if (obstacle.isPresent()) {
            throw new SafetensorsException(
                    index,
                    "it names the shard " + StrictJson.shorten(shard) + ", but " + obstacle.get()
                            + ", or rename the shard in the folder and in the index");
        }
        Path file;
        try {
            file = index.resolveSibling(shard);
        } catch (InvalidPathException e) {
            throw new SafetensorsException(
                    index,
                    "it names the shard " + StrictJson.shorten(shard) + ", which no file can be called: "
                            + e.getReason());
        }
        if (!Files.exists(file)) {
            throw new SafetensorsException(
                    index, "it names the shard " + shard + ", which is not in the folder; download or export it again");
        }
        return SafetensorsFile.open(file);
    }

    private static Map<String, SafetensorsFile> byName(Path index, Collection<SafetensorsFile> files)
            throws SafetensorsException {
        Map<String, SafetensorsFile> byName = new LinkedHashMap<>();
        for (SafetensorsFile file : files) {
            for (String name : file.names()) {
                SafetensorsFile other = byName.putIfAbsent(name, file);
                if (other != null) {
                    throw SafetensorsException.damaged(
                            index,
                            "the tensor '" + StrictJson.shorten(name) + "' is in two shards, "
                                    + other.path().getFileName() + " and "
                                    + file.path().getFileName());
                }
            }
        }
        return byName;
    }

    /** The file, or the index if there are shards. */
    public Path path() {
        return path;
    }

    /** The safetensors files. */
    public List<Path> files() {
        return files.stream().map(SafetensorsFile::path).toList();
    }

    /** The names of the tensors, in the order of the files and of their headers. */
    public List<String> names() {
        return List.copyOf(byName.keySet());
    }

    /** The header entries in the order of {@link #names()}; offsets are within each tensor's file. */
    public List<Entry> entries() {
        return files.stream().flatMap(file -> file.entries().stream()).toList();
    }

    /** The metadata of all files; if two files disagree, that of the first. */
    public Map<String, String> metadata() {
        Map<String, String> metadata = new LinkedHashMap<>();
        files.forEach(file -> file.metadata().forEach(metadata::putIfAbsent));
        return metadata;
    }

    public boolean contains(String name) {
        return byName.containsKey(name);
    }

    /**
     * The header entry of a tensor.
     *
     * @throws SafetensorsException if there is no tensor with that name
     */
    public Entry entry(String name) throws SafetensorsException {
        return file(name).entry(name);
    }

    /** {@link SafetensorsFile#read}, from the file that holds the tensor. */
    public Tensor read(String name, Device device, DType wanted, MemoryCategory category) throws IOException {
        return file(name).read(name, device, wanted, category);
    }

    /** {@link SafetensorsFile#bytes}, from the file that holds the tensor. */
    public FileRange bytes(String name) throws SafetensorsException {
        return file(name).bytes(name);
    }

    /**
     * Whether two tensors have the same shape and the same values. If their dtypes differ, they are compared as F32.
     *
     * @throws SafetensorsException if there is no such tensor, or their dtypes differ and one is not a float
     */
    public boolean haveSameValues(String name, String other) throws IOException {
        Entry first = entry(name);
        Entry second = entry(other);
        if (!first.shape().equals(second.shape())) {
            return false;
        }
        if (first.dtype().equals(second.dtype())) {
            return bytes(name).hasSameBytes(bytes(other));
        }
        Tensor a = read(name, Device.cpu(), DType.F32, MemoryCategory.WORKSPACE);
        try {
            Tensor b = read(other, Device.cpu(), DType.F32, MemoryCategory.WORKSPACE);
            try {
                return Arrays.equals(a.toFloats(), b.toFloats());
            } finally {
                b.release();
            }
        } finally {
            a.release();
        }
    }

    private SafetensorsFile file(String name) throws SafetensorsException {
        SafetensorsFile file = byName.get(name);
        if (file == null) {
            throw new SafetensorsException(
                    path, "it has no tensor '" + name + "'; it has " + SafetensorsFile.some(names()));
        }
        return file;
    }

    /** Closes the files. Further calls do nothing. */
    @Override
    public void close() {
        files.forEach(SafetensorsFile::close);
    }

    /** As {@code my-model/model.safetensors (47 tensors)}. */
    @Override
    public String toString() {
        return path + " (" + byName.size() + " tensors)";
    }
}
