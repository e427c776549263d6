package io.gradus.core.safetensors;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Replaces a checkpoint of one or more files by another, such that a single step decides which of the two is read.
 *
 * <p>Readers use {@code model.safetensors} if it exists, and otherwise the shards of the index. New shards are written first,
 * under unused names, so that the old index remains valid. The deciding step renames the new {@code model.safetensors} into
 * place, or renames the new index and deletes an old {@code model.safetensors} that would hide it. Unused files are deleted
 * last.
 */
final class ShardedWriter {
    private static final Pattern SHARD = Pattern.compile("model(-\\d+)?-\\d{5}-of-\\d{5}\\.safetensors");

    private ShardedWriter() {}

    static void write(Path folder, List<NamedTensor> tensors, Map<String, String> metadata, long maxShardBytes)
            throws IOException {
        if (maxShardBytes < 1) {
            throw new IllegalArgumentException("safetensors: a shard cannot have at most " + maxShardBytes + " bytes");
        }
        List<List<NamedTensor>> shards = divide(tensors, maxShardBytes);
        Path single = folder.resolve(SafetensorsCheckpoint.SINGLE);
        Path index = folder.resolve(SafetensorsCheckpoint.INDEX);
        if (shards.size() == 1) {
            SafetensorsWriter.write(single, shards.getFirst(), metadata);
            Files.deleteIfExists(index);
            deleteShards(folder, Set.of());
        } else {
            Set<String> written = writeShards(folder, index, shards, metadata);
            Files.deleteIfExists(single);
            deleteShards(folder, written);
        }
        AtomicFile.forceFolder(folder);
    }

    /** Fills the shards in order. An empty checkpoint is one empty shard. */
    private static List<List<NamedTensor>> divide(List<NamedTensor> tensors, long maxShardBytes) {
        List<List<NamedTensor>> shards = new ArrayList<>();
        List<NamedTensor> shard = new ArrayList<>();
        long bytes = 0;
        for (NamedTensor tensor : tensors) {
            if (!shard.isEmpty() && bytes + tensor.byteSize() > maxShardBytes) {
                shards.add(shard);
                shard = new ArrayList<>();
                bytes = 0;
            }
            shard.add(tensor);
            bytes += tensor.byteSize();
        }
        shards.add(shard);
        return shards;
    }

    /** Writes the shards and then the index. If that fails, deletes the new shards. */
    private static Set<String> writeShards(
            Path folder, Path index, List<List<NamedTensor>> shards, Map<String, String> metadata) throws IOException {
        List<String> names = freeNames(folder, shards.size());
        Map<String, String> shardOf = new LinkedHashMap<>();
        long total = 0;
        boolean complete = false;
        try {
            for (int i = 0; i < shards.size(); i++) {
                SafetensorsWriter.write(folder.resolve(names.get(i)), shards.get(i), metadata);
                for (NamedTensor tensor : shards.get(i)) {
                    shardOf.put(tensor.name(), names.get(i));
                    total += tensor.byteSize();
                }
            }
            byte[] json = new ShardIndex(shardOf).toJson(total);
            AtomicFile.write(index, channel -> SafetensorsWriter.writeFully(channel, ByteBuffer.wrap(json)));
            complete = true;
        } finally {
            if (!complete) {
                for (String name : names) {
                    Files.deleteIfExists(folder.resolve(name));
                }
            }
        }
        return new HashSet<>(names);
    }

    /**
     * Names such as {@code model-00001-of-00003.safetensors}, or {@code model-2-00001-of-00003.safetensors} if those exist.
     */
    private static List<String> freeNames(Path folder, int shards) {
        for (int attempt = 1; ; attempt++) {
            String prefix = attempt == 1 ? "model" : "model-" + attempt;
            List<String> names = new ArrayList<>();
            for (int i = 1; i <= shards; i++) {
                names.add(String.format(Locale.ROOT, "%s-%05d-of-%05d.safetensors", prefix, i, shards));
            }
            if (names.stream().noneMatch(name -> Files.exists(folder.resolve(name)))) {
                return names;
            }
        }
    }

    private static void deleteShards(Path folder, Set<String> except) throws IOException {
        List<Path> files;
        try (Stream<Path> listed = Files.list(folder)) {
            files = listed.toList();
        }
        for (Path file : files) {
            String name = file.getFileName().toString();
            if (SHARD.matcher(name).matches() && !except.contains(name)) {
                Files.delete(file);
            }
        }
    }
}
