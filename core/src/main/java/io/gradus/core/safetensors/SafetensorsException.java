package io.gradus.core.safetensors;

import java.io.IOException;
import java.nio.file.Path;

/** A checkpoint cannot be read, or a tensor cannot be stored as requested. The message names the file, the reason and the fix. */
public final class SafetensorsException extends IOException {
    private static final long serialVersionUID = 1L;

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

    /** The file or folder. */
    public String file() {
        return file;
    }
}
