package io.gradus.cli;

import java.util.concurrent.CountDownLatch;

/**
 * Ends a run in order when the process is told to end, by SIGTERM, Ctrl-C or a closing terminal: the step that is being made
 * is made, a checkpoint is written, and only then the JVM goes, with the exit code that belongs to the signal (143 for
 * SIGTERM, 130 for Ctrl-C).
 *
 * <p>The JVM answers such a signal with its shutdown hooks and ends when they return, while all other threads go on. So the
 * hook asks the run to stop, and waits until it has.
 */
final class Termination implements AutoCloseable {
    private final CountDownLatch ended = new CountDownLatch(1);
    private final Thread hook;

    /**
     * Watches from now until it is closed, which is when the run has ended.
     *
     * @param stop asks the run to end; called by another thread
     */
    Termination(Runnable stop) {
        this.hook = new Thread(() -> endInOrder(stop), "termination");
        Runtime.getRuntime().addShutdownHook(hook);
    }

    private void endInOrder(Runnable stop) {
        stop.run();
        try {
            ended.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** The run has ended; if the JVM waits for it, it may go. */
    @Override
    public void close() {
        ended.countDown();
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // the JVM is ending
        }
    }
}
