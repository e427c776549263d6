package io.gradus.core.safetensors;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** A checkpoint cannot be read, or a tensor cannot be stored as requested. The message names the file, the reason and the fix. */
public final class SafetensorsException extends IOException {
    private static final long serialVersionUID = 1L;

    private static final String LFS_POINTER = "version https://git-lfs";

    private final String file;

    /**
     * @param file the file or folder
     * @param reason what is wrong and what the user can do about it
     */
    public SafetensorsException(Path file, String reason) {
        super(file + ": " + reason);
        this.file = file.toString();
    }

    /** For a file that violates the format. */
    static SafetensorsException damaged(Path file, String reason) {
        return new SafetensorsException(
                file, reason + "; the file is damaged or incomplete: download or export it again");
    }

    /** Requires that a file's content is not the text that Git LFS stores in place of a large file. */
    static void requireNoPointer(Path file, InputStream content) throws IOException {
        byte[] start = content.readNBytes(LFS_POINTER.length());
        if (new String(start, StandardCharsets.US_ASCII).equals(LFS_POINTER)) {
            throw new SafetensorsException(
                    file, "it is a Git LFS pointer, not the file itself; run `git lfs pull` in its folder");
        }
    }

    /** The file or folder. */
    public String file() {
        return file;
    }
}
