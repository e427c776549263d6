package io.gradus.core.cpu.common;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Persistent threads that share out the chunks of one loop at a time. Chunks are cut by size, not by thread, and each is run
 * whole by one thread, so results do not depend on the number of threads. The calling thread works too.
 *
 * <p>A worker spins for a moment after its last chunk and then sleeps: kernels follow each other within microseconds while a
 * step runs. Threads beyond the number of processors never spin, since that would take the processor from the thread that has
 * the chunk. A sleeper is woken by the one above it in a binary tree whose root is the caller, and only while chunks are
 * left: waking costs a few microseconds, which a short loop should not pay for every thread.
 *
 * <p>A caller that finds the workers busy with another caller's loop, or that is itself a worker, runs its loop alone.
 */
public final class Workers {
    private static final long SPIN_NANOS = 50_000;
    /** Rounds for which a caller waits for the last chunk before it offers its processor to others: about 10 µs. */
    private static final int SPINS = 256;

    /** The body of a loop, over the indices from {@code from} (inclusive) to {@code to} (exclusive). */
    @FunctionalInterface
    public interface Body {
        void run(long from, long to);
    }

    private final ReentrantLock busy = new ReentrantLock();
    private final Worker[] workers;
    private final int callerSpins;
    private long loops;
    private volatile @Nullable Loop current;

    public Workers(int threads) {
        if (threads < 1) {
            throw new IllegalArgumentException("cpu: threads must be at least 1, not " + threads);
        }
        int processors = Runtime.getRuntime().availableProcessors();
        callerSpins = threads <= processors ? SPINS : 0;
        workers = new Worker[threads - 1];
        for (int i = 0; i < workers.length; i++) {
            workers[i] = new Worker(i + 1, i + 1 < processors ? SPIN_NANOS : 0);
        }
    }

    public int threads() {
        return workers.length + 1;
    }

    /**
     * Runs {@code body} over the indices 0 to {@code count} in chunks of {@code grain} (the last may be shorter), and returns
     * when all are done. What a chunk throws is thrown here.
     */
    public void forEach(long count, long grain, Body body) {
        long chunks = (count + grain - 1) / grain;
        if (chunks <= 1 || workers.length == 0 || busy.isHeldByCurrentThread() || !busy.tryLock()) {
            for (long from = 0; from < count; from += grain) {
                body.run(from, Math.min(count, from + grain));
            }
            return;
        }
        try {
            Loop loop = new Loop(++loops, count, grain, chunks, body);
            current = loop;
            wakeBelow(0, loop);
            loop.work();
            loop.await(callerSpins);
        } finally {
            current = null;
            busy.unlock();
        }
    }

    /** Wakes the two threads below one in the tree. Only the thread above wakes a thread, so no two do it at once. */
    private void wakeBelow(int thread, Loop loop) {
        for (int below = 2 * thread + 1;
                below <= 2 * thread + 2 && below <= workers.length && loop.hasMore();
                below++) {
            workers[below - 1].wake();
        }
    }

    /** One parallel loop: chunks are claimed by counting up. */
    private static final class Loop {
        private final long number;
        private final long count;
        private final long grain;
        private final long chunks;
        private final Body body;
        private final AtomicLong next = new AtomicLong();
        private final AtomicLong done = new AtomicLong();
        private volatile @Nullable Throwable failure;

        Loop(long number, long count, long grain, long chunks, Body body) {
            this.number = number;
            this.count = count;
            this.grain = grain;
            this.chunks = chunks;
            this.body = body;
        }

        boolean hasMore() {
            return next.get() < chunks;
        }

        void work() {
            for (long chunk = next.getAndIncrement(); chunk < chunks; chunk = next.getAndIncrement()) {
                try {
                    if (failure == null) {
                        body.run(chunk * grain, Math.min(count, (chunk + 1) * grain));
                    }
                } catch (Throwable e) {
                    failure = e;
                } finally {
                    done.getAndIncrement();
                }
            }
        }

        @SuppressWarnings("ThreadPriorityCheck") // the other threads may have to share this core
        void await(int patience) {
            for (int spins = 0; done.get() < chunks; spins++) {
                if (spins < patience) {
                    Thread.onSpinWait();
                } else {
                    Thread.yield();
                }
            }
            Throwable thrown = failure;
            if (thrown instanceof RuntimeException e) {
                throw e;
            }
            if (thrown instanceof Error e) {
                throw e;
            }
        }
    }

    /** Looks for a loop that it has not seen, works on it, and sleeps when none comes. */
    private final class Worker implements Runnable {
        private final int index;
        private final long spinNanos;
        private @Nullable Thread thread;
        private volatile boolean asleep;
        /** The number of the last loop; the loop itself would keep its tensors alive. */
        private long seen;

        Worker(int index, long spinNanos) {
            this.index = index;
            this.spinNanos = spinNanos;
        }

        void wake() {
            if (thread == null) {
                thread =
                        Thread.ofPlatform().daemon().name("gradus-cpu-" + index).unstarted(this);
                thread.start();
            } else if (asleep) {
                LockSupport.unpark(thread);
            }
        }

        @Override
        public void run() {
            while (true) {
                if (!work() && !spin()) {
                    sleep();
                }
            }
        }

        private boolean work() {
            Loop loop = current;
            if (loop == null || loop.number == seen) {
                return false;
            }
            seen = loop.number;
            wakeBelow(index, loop);
            loop.work();
            return true;
        }

        /** Whether a loop came while there was patience for it. */
        private boolean spin() {
            if (spinNanos == 0) {
                return false;
            }
            long start = System.nanoTime();
            while (!isWanted()) {
                if (System.nanoTime() - start >= spinNanos) {
                    return false;
                }
                Thread.onSpinWait();
            }
            return true;
        }

        /** A loop that is set before {@code asleep} is seen here; one that is set after it is followed by a call. */
        private void sleep() {
            asleep = true;
            while (!isWanted()) {
                LockSupport.park(Workers.this);
            }
            asleep = false;
        }

        private boolean isWanted() {
            Loop loop = current;
            return loop != null && loop.number != seen;
        }
    }
}
