package io.gradus.parallel;

import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;

/** Processes could not exchange data. The message names the rank and the reason. */
public final class CommunicationException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public CommunicationException(String message) {
        this(message, null);
    }

    public CommunicationException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }

    /** What happened on the communication thread, for the thread that waits for it. */
    static CommunicationException of(CompletionException failure) {
        Throwable cause = failure.getCause() == null ? failure : failure.getCause();
        return new CommunicationException(
                cause instanceof CommunicationException ? String.valueOf(cause.getMessage()) : cause.toString(), cause);
    }
}
