package io.gradus.parallel;

import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import org.jspecify.annotations.Nullable;

/**
 * The transport between threads of one JVM, each of which stands for a process. A message is copied once, from the sender's memory
 * to the receiver's, when both have called. For tests, and to try a parallel program without a launcher.
 */
public final class ThreadTransport implements Transport {
    private final Job job;
    private final int rank;

    private ThreadTransport(Job job, int rank) {
        this.job = job;
        this.rank = rank;
    }

    /** The transports of a job, by rank. */
    public static List<Transport> job(int size) {
        if (size < 1) {
            throw new IllegalArgumentException("a job has at least one rank, not " + size);
        }
        Job job = new Job(size);
        List<Transport> transports = new ArrayList<>();
        for (int rank = 0; rank < size; rank++) {
            transports.add(new ThreadTransport(job, rank));
        }
        return List.copyOf(transports);
    }

    @Override
    public int rank() {
        return rank;
    }

    @Override
    public int size() {
        return job.size;
    }

    @Override
    public Transfer send(MemorySegment bytes, int to, int tag) {
        return job.post(new Route(rank, to, tag), new Half(bytes, true));
    }

    @Override
    public Transfer receive(MemorySegment bytes, int from, int tag) {
        return job.post(new Route(from, rank, tag), new Half(bytes, false));
    }

    @Override
    public void abort(String reason) {
        job.abort(reason);
    }

    @Override
    public void close() {
        // there is nothing to release
    }

    private record Route(int from, int to, int tag) {}

    /** One side of a message that waits for the other. */
    private static final class Half {
        final MemorySegment bytes;
        final boolean isSend;
        boolean complete;

        @Nullable String problem;

        Half(MemorySegment bytes, boolean isSend) {
            this.bytes = bytes;
            this.isSend = isSend;
        }
    }

    /** What the ranks share: the sides of messages that wait, by route, all of which are sends or all receives. */
    private static final class Job {
        private final int size;
        private final Map<Route, Queue<Half>> waiting = new HashMap<>();
        private @Nullable String aborted;

        Job(int size) {
            this.size = size;
        }

        synchronized Transfer post(Route route, Half half) {
            Queue<Half> queue = waiting.computeIfAbsent(route, _ -> new ArrayDeque<>());
            Half other = queue.peek();
            if (other == null || other.isSend == half.isSend) {
                queue.add(half);
            } else {
                queue.remove();
                deliver(route, half.isSend ? half : other, half.isSend ? other : half);
            }
            return () -> isComplete(half);
        }

        private static void deliver(Route route, Half sent, Half received) {
            long bytes = sent.bytes.byteSize();
            if (bytes == received.bytes.byteSize()) {
                received.bytes.copyFrom(sent.bytes);
            } else {
                String problem = "rank " + route.from + " sent " + bytes + " bytes and rank " + route.to + " expected "
                        + received.bytes.byteSize() + "; all ranks must call the same operations with tensors of the"
                        + " same sizes";
                sent.problem = problem;
                received.problem = problem;
            }
            sent.complete = true;
            received.complete = true;
        }

        private synchronized boolean isComplete(Half half) {
            if (half.problem != null) {
                throw new CommunicationException(half.problem);
            }
            if (!half.complete && aborted != null) {
                throw new CommunicationException(aborted, null, true);
            }
            return half.complete;
        }

        synchronized void abort(String reason) {
            if (aborted == null) {
                aborted = reason;
            }
        }
    }
}
