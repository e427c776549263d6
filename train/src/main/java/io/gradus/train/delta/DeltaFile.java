package io.gradus.train.delta;

import java.util.Base64;
import org.jspecify.annotations.Nullable;

/**
 * A file of the tuned model besides its weights that differs from the base's, such as {@code generation_config.json} with the
 * tokens at which a chat ends.
 *
 * @param name in the folder
 * @param base64 the content in Base64, as the delta stores it; null if the tuned model does not have the file
 */
public record DeltaFile(String name, @Nullable String base64) {

    /** @throws IllegalArgumentException if this is no file of a model, or the content is not Base64 */
    public DeltaFile {
        if (!FolderFiles.isRestored(name)) {
            throw new IllegalArgumentException("a model has no file '" + name + "'");
        }
        if (base64 != null) {
            Base64.getDecoder().decode(base64);
        }
    }

    static DeltaFile of(String name, byte @Nullable [] content) {
        return new DeltaFile(name, content == null ? null : Base64.getEncoder().encodeToString(content));
    }

    /** The bytes of the file; null if the tuned model does not have it. */
    byte @Nullable [] content() {
        return base64 == null ? null : Base64.getDecoder().decode(base64);
    }
}
