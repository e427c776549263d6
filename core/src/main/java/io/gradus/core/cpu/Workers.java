package io.gradus.core.cpu;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Persistent threads that share out the chunks of one loop at a time. Chunks are cut by size, not by thread, and each is run
 * whole by one thread, so results do not depend on the number of threads. The calling thread works too.
 *
 * <p>A worker spins for a moment after its last chunk and then parks: kernels follow each other within microseconds while a
 * step runs. A caller that finds the workers busy with another caller's loop, or that is itself a worker, runs its loop alone.
 */
final class Workers {
    private static final long SPIN_NANOS = 50_000;

    /** The body of a loop, over the indices from {@code from} (inclusive) to {@code to} (exclusive). */
    @FunctionalInterface
    interface Body {
        void run(long from, long to);
    }

    private final ReentrantLock busy = new ReentrantLock();
    private final Thread[] threads;
    private volatile @Nullable Loop current;

    Workers(int threads) {
        if (threads < 1) {
            throw new IllegalArgumentException("cpu: threads must be at least 1, not " + threads);
        }
        this.threads = new Thread[threads - 1];
    }

    int threads() {
        return threads.length + 1;
    }

    /**
     * Runs {@code body} over the indices 0 to {@code count} in chunks of {@code grain} (the last may be shorter), and returns
     * when all are done. What a chunk throws is thrown here.
     */
    void forEach(long count, long grain, Body body) {
        long chunks = (count + grain - 1) / grain;
        if (chunks <= 1 || threads.length == 0 || busy.isHeldByCurrentThread() || !busy.tryLock()) {
            for (long from = 0; from < count; from += grain) {
                body.run(from, Math.min(count, from + grain));
            }
            return;
        }
        try {
            Loop loop = new Loop(count, grain, chunks, body);
            current = loop;
            wake();
            loop.work();
            loop.await();
        } finally {
            current = null;
            busy.unlock();
        }
    }

    private void wake() {
        for (int i = 0; i < threads.length; i++) {
            if (threads[i] == null) {
                threads[i] = Thread.ofPlatform()
                        .daemon()
                        .name("gradus-cpu-" + (i + 1))
                        .unstarted(new Worker(this));
                threads[i].start();
            } else {
                LockSupport.unpark(threads[i]);
            }
        }
    }

    /** One parallel loop: chunks are claimed by counting up. */
    private static final class Loop {
        private final long count;
        private final long grain;
        private final long chunks;
        private final Body body;
        private final AtomicLong next = new AtomicLong();
        private final AtomicLong done = new AtomicLong();
        private volatile @Nullable Throwable failure;

        Loop(long count, long grain, long chunks, Body body) {
            this.count = count;
            this.grain = grain;
            this.chunks = chunks;
            this.body = body;
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

        void await() {
            for (int spins = 0; done.get() < chunks; spins++) {
                Thread.onSpinWait();
                if ((spins & 0xFFF) == 0xFFF) {
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
    private record Worker(Workers workers) implements Runnable {
        @Override
        public void run() {
            Loop seen = null;
            long idleSince = System.nanoTime();
            while (true) {
                Loop loop = workers.current;
                if (loop != null && loop != seen) {
                    seen = loop;
                    loop.work();
                    idleSince = System.nanoTime();
                } else if (System.nanoTime() - idleSince < SPIN_NANOS) {
                    Thread.onSpinWait();
                } else {
                    seen = null; // lets the last loop's tensors go
                    LockSupport.park(this);
                    idleSince = System.nanoTime();
                }
            }
        }
    }
}
