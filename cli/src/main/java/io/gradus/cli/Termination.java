package io.gradus.cli;

import java.util.concurrent.CountDownLatch;

/**
 * Stops a run cleanly when the process receives SIGTERM, Ctrl-C or SIGHUP. The run finishes its current step and writes a
 * checkpoint. Then the JVM exits with the exit code of the signal (143 for SIGTERM, 130 for Ctrl-C).
 *
 * <p>On such a signal the JVM runs its shutdown hooks and exits when they return. All other threads continue meanwhile. The
 * hook therefore asks the run to stop and waits until it has stopped.
 */
final class Termination implements AutoCloseable {
    private final CountDownLatch ended = new CountDownLatch(1);
    private final Thread hook;

    /**
     * Registers the shutdown hook, which stays active until {@link #close}. Close this when the run has ended.
     *
     * @param stop asks the run to stop; the hook calls it on its own thread
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

    /** Marks the run as ended, which lets a waiting JVM exit. */
    @Override
    public void close() {
        ended.countDown();
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // the JVM is shutting down
        }
    }
}
