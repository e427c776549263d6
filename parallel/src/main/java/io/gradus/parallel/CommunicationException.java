package io.gradus.parallel;

import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;

/** Processes could not exchange data. The message names the rank and the reason. */
public final class CommunicationException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final boolean knownToFirst;

    public CommunicationException(String message) {
        this(message, null);
    }

    public CommunicationException(String message, @Nullable Throwable cause) {
        this(message, cause, false);
    }

    /** @param knownToFirst whether rank 0 has the same message, so that no other needs to show it */
    public CommunicationException(String message, @Nullable Throwable cause, boolean knownToFirst) {
        super(message, cause);
        this.knownToFirst = knownToFirst;
    }

    /** What happened on the communication thread, for the thread that waits for it. */
    static CommunicationException of(CompletionException failure) {
        Throwable cause = failure.getCause() == null ? failure : failure.getCause();
        return cause instanceof CommunicationException known
                ? new CommunicationException(String.valueOf(known.getMessage()), known, known.knownToFirst)
                : new CommunicationException(cause.toString(), cause);
    }

    /** Whether rank 0 has the same message, so that no other needs to show it. */
    public boolean isKnownToFirst() {
        return knownToFirst;
    }
}
