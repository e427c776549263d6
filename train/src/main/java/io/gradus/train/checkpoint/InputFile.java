package io.gradus.train.checkpoint;

import java.util.Locale;

/**
 * A file that a run reads, as it was when the run began.
 *
 * @param key the key of the recipe that names it, or the folder that it is in
 * @param name its path in that folder, with slashes; the name of a single file
 * @param bytes its size
 * @param sha256 the hash of its content, in hexadecimal
 */
record InputFile(String key, String name, long bytes, String sha256) {

    boolean hasContentOf(InputFile other) {
        return bytes == other.bytes && sha256.equals(other.sha256);
    }

    /** The extension, which decides how a text is read. */
    String extension() {
        int dot = name.lastIndexOf('.');
        return dot < 0 ? "" : name.substring(dot);
    }

    /** The size and the beginning of the hash, such as {@code 1,234 bytes (SHA-256 0123456789ab…)}. */
    String content() {
        return String.format(
                Locale.ROOT, "%,d bytes (SHA-256 %s…)", bytes, sha256.substring(0, Math.min(12, sha256.length())));
    }
}
