package io.gradus.core.cpu.common;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Persistent threads that run the chunks of one loop at a time. The chunks depend only on sizes, and each runs in one thread, so
 * results do not depend on the number of threads. The calling thread works too.
 *
 * <p>A worker spins briefly after its last chunk and then sleeps, because kernels follow each other within microseconds during a
 * step. Threads beyond the number of processors never spin; that would take the processor from a thread with work. Threads form
 * a binary tree with the caller at its root, and each wakes the two below it while chunks remain. Waking a thread costs a few
 * microseconds, too much for every thread in a short loop.
 *
 * <p>If the workers are busy with another caller's loop, or the caller is itself a worker, it runs its loop alone.
 */
public final class Workers {
    private static final long SPIN_NANOS = 50_000;
    /** Iterations that a caller spins, waiting for the last chunk, before it yields its processor: about 10 µs. */
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
     * Runs {@code body} over the indices from 0 to {@code count} in chunks of {@code grain} (the last may be shorter), and waits
     * for all of them. Rethrows what a chunk throws.
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

    /** Wakes the two threads below a thread in the tree. Each thread is woken only by its parent, so never by two at once. */
    private void wakeBelow(int thread, Loop loop) {
        for (int below = 2 * thread + 1;
                below <= 2 * thread + 2 && below <= workers.length && loop.hasMore();
                below++) {
            workers[below - 1].wake();
        }
    }

    /** One parallel loop. Threads claim chunks by incrementing a counter. */
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

    /** Waits for a new loop and works on it. */
    private final class Worker implements Runnable {
        private final int index;
        private final long spinNanos;
        private @Nullable Thread thread;
        private volatile boolean asleep;
        /** The number of the last loop. A reference to the loop would keep its tensors alive. */
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

        /** Spins for a while; returns whether a loop arrived. */
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

        /** Sees a loop that was set before {@code asleep}; a loop that is set afterwards is followed by a wakeup. */
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
