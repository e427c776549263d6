package io.gradus.train.delta;

import io.gradus.core.safetensors.Entry;
import io.gradus.core.safetensors.FileRange;
import io.gradus.core.safetensors.SafetensorsCheckpoint;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;

/** SHA-256 of tensors, in hexadecimal. */
final class Sha256 {
    private static final int PIECE = 1 << 20;

    private final MessageDigest digest;

    Sha256() {
        try {
            this.digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("SHA-256 is not available in this JVM", e);
        }
    }

    Sha256 add(MemorySegment bytes) {
        digest.update(bytes.asByteBuffer());
        return this;
    }

    private Sha256 add(FileRange bytes) throws IOException {
        MemorySegment piece = MemorySegment.ofArray(new byte[(int) Math.min(PIECE, bytes.size())]);
        for (long from = 0; from < bytes.size(); from += PIECE) {
            MemorySegment part = piece.asSlice(0, Math.min(PIECE, bytes.size() - from));
            bytes.read(from, part);
            add(part);
        }
        return this;
    }

    String hex() {
        return HexFormat.of().formatHex(digest.digest());
    }

    /** The hashes of all tensors, by name, computed in parallel. */
    static Map<String, String> ofTensors(SafetensorsCheckpoint checkpoint) throws IOException {
        Map<String, String> hashes = new ConcurrentHashMap<>();
        try {
            checkpoint.names().parallelStream().forEach(name -> {
                try {
                    hashes.put(name, new Sha256().add(checkpoint.bytes(name)).hex());
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
        byte[] bytes = lines.toString().getBytes(StandardCharsets.UTF_8);
        return new Sha256().add(MemorySegment.ofArray(bytes)).hex();
    }
}
