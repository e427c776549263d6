package io.gradus.parallel;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicLong;

/** A communication that another thread carries out. Its tensors must not be used until {@link #await} returns. */
public final class Pending {
    /** A communication that had nothing to do. */
    static final Pending DONE = new Pending(CompletableFuture.completedFuture(null), new AtomicLong());

    private final CompletableFuture<Void> done;
    private final AtomicLong waited;

    /** @param waited counts the nanoseconds in which the program waits */
    Pending(CompletableFuture<Void> done, AtomicLong waited) {
        this.done = done;
        this.waited = waited;
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
        long start = System.nanoTime();
        try {
            done.join();
        } catch (CompletionException e) {
            throw CommunicationException.of(e);
        } finally {
            waited.addAndGet(System.nanoTime() - start);
        }
    }
}
