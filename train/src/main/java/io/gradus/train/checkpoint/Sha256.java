package io.gradus.train.checkpoint;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** SHA-256 of bytes in pieces, in hexadecimal. */
public final class Sha256 {
    private static final int PIECE = 1 << 20;

    private final MessageDigest digest;

    public Sha256() {
        try {
            this.digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("SHA-256 is not available in this JVM", e);
        }
    }

    /** Adds bytes. */
    public Sha256 add(MemorySegment bytes) {
        for (long from = 0; from < bytes.byteSize(); from += PIECE) {
            digest.update(bytes.asSlice(from, Math.min(PIECE, bytes.byteSize() - from))
                    .asByteBuffer());
        }
        return this;
    }

    /** Adds text in UTF-8. */
    public Sha256 add(String text) {
        digest.update(text.getBytes(StandardCharsets.UTF_8));
        return this;
    }

    /** The hash of all bytes added so far; ends the calculation. */
    public String hex() {
        return HexFormat.of().formatHex(digest.digest());
    }

    /** The hash of a file, of which only a small piece is in memory at a time. */
    static String ofFile(Path file) throws IOException {
        Sha256 hash = new Sha256();
        ByteBuffer piece = ByteBuffer.allocate(PIECE);
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            while (channel.read(piece.clear()) >= 0) {
                hash.digest.update(piece.flip());
            }
        }
        return hash.hex();
    }
}
