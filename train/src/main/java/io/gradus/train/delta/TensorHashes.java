package io.gradus.train.delta;

import io.gradus.core.safetensors.Entry;
import io.gradus.core.safetensors.FileRange;
import io.gradus.core.safetensors.SafetensorsCheckpoint;
import io.gradus.train.checkpoint.Sha256;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;

/** SHA-256 of the tensors of a checkpoint. */
final class TensorHashes {
    private static final int PIECE = 1 << 20;

    private TensorHashes() {}

    private static String of(FileRange bytes) throws IOException {
        Sha256 hash = new Sha256();
        MemorySegment piece = MemorySegment.ofArray(new byte[(int) Math.min(PIECE, bytes.size())]);
        for (long from = 0; from < bytes.size(); from += PIECE) {
            MemorySegment part = piece.asSlice(0, Math.min(PIECE, bytes.size() - from));
            bytes.read(from, part);
            hash.add(part);
        }
        return hash.hex();
    }

    /** The hashes of all tensors, by name, computed in parallel. */
    static Map<String, String> ofTensors(SafetensorsCheckpoint checkpoint) throws IOException {
        Map<String, String> hashes = new ConcurrentHashMap<>();
        try {
            checkpoint.names().parallelStream().forEach(name -> {
                try {
                    hashes.put(name, of(checkpoint.bytes(name)));
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
        return hashes;
    }

    /**
     * The hash of a whole checkpoint, independent of shards: of one line {@code name dtype shape hash} for each tensor, ordered
     * by name.
     */
    static String ofCheckpoint(SafetensorsCheckpoint checkpoint, Map<String, String> hashes) throws IOException {
        StringBuilder lines = new StringBuilder();
        for (Map.Entry<String, String> tensor : new TreeMap<>(hashes).entrySet()) {
            Entry entry = checkpoint.entry(tensor.getKey());
            lines.append(entry.name()).append(' ').append(entry.dtype()).append(' ');
            lines.append(entry.shape()).append(' ').append(tensor.getValue()).append('\n');
        }
        return new Sha256().add(lines.toString()).hex();
    }
}
