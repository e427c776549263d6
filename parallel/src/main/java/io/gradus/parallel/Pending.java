package io.gradus.parallel;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/** A communication that another thread carries out. Its tensors must not be used until {@link #await} returns. */
public final class Pending {
    /** A communication that had nothing to do. */
    static final Pending DONE = new Pending(CompletableFuture.completedFuture(null));

    private final CompletableFuture<Void> done;

    Pending(CompletableFuture<Void> done) {
        this.done = done;
    }

    /** Whether the communication is complete or has failed. */
    public boolean isDone() {
        return done.isDone();
    }

    /**
     * Waits until the communication is complete.
     *
     * @throws CommunicationException if it failed
     */
    public void await() {
        try {
            done.join();
        } catch (CompletionException e) {
            throw CommunicationException.of(e);
        }
    }
}
