package io.gradus.parallel.tcp;

import io.gradus.parallel.CommunicationException;
import java.io.EOFException;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Watches whether all processes of a job are alive, and tells all when one fails. Rank 0 has a connection to each other rank. Over it
 * both sides say once a second that they are alive. What one rank reports, rank 0 passes on to all others. A connection that ends
 * without a good-bye means that the process there was killed.
 */
final class Control {
    private static final int ALIVE = 0;
    private static final int FAILED = 1;
    private static final int GOODBYE = 2;

    private static final long PERIOD_MILLIS = 1_000;
    /** A process that is silent for so long is lost: its machine went down, or the network did. */
    private static final long SILENCE_MILLIS = 60_000;

    /** How long a process that has finished waits for the others, which may still write. */
    private static final long GOODBYE_MILLIS = 600_000;
    /** How long the last bytes may take. */
    private static final long CLOSE_MILLIS = 1_000;
    /** How long the others wait for what the loss of a connection means. */
    private static final long EXPLANATION_MILLIS = 3_000;

    private static final long LOOK_MILLIS = 300;

    private final int rank;
    private final @Nullable Line[] lines;
    private final @Nullable Line[] data;
    private final String[] hosts;
    private final CountDownLatch goodbyes;
    private final CountDownLatch closed;
    private final CountDownLatch ended = new CountDownLatch(1);
    private volatile @Nullable CommunicationException failure;
    private volatile boolean leaving;

    /** Begins to watch. */
    Control(int rank, Rendezvous.Connections connections) {
        this.rank = rank;
        this.lines = connections.control();
        this.data = connections.data();
        this.hosts = connections.hosts();
        int others = (int) Arrays.stream(lines).filter(Objects::nonNull).count();
        this.goodbyes = new CountDownLatch(others);
        this.closed = new CountDownLatch(others);
        for (int other = 0; other < lines.length; other++) {
            Line line = lines[other];
            if (line != null) {
                int peer = other;
                Thread.ofPlatform().daemon().name("gradus-control-" + other).start(() -> listen(peer, line));
            }
        }
        Thread.ofPlatform().daemon().name("gradus-alive").start(this::beat);
    }

    /** Fails if the job has failed. */
    void requireIntact() {
        CommunicationException known = failure;
        if (known != null) {
            throw new CommunicationException(String.valueOf(known.getMessage()), known, known.isKnownToFirst());
        }
    }

    /** The error after the data connection to a rank has failed: why the job ended, or the loss of the connection. */
    CommunicationException lost(int peer, IOException cause) {
        try {
            ended.await(EXPLANATION_MILLIS, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        requireIntact();
        fail("the connection from rank " + rank + " on " + hosts[rank] + " to rank " + peer + " on " + hosts[peer]
                + " was lost: " + cause.getMessage());
        return Objects.requireNonNull(failure);
    }

    /** Ends the job: all ranks fail with this message. Only the first one counts. */
    void fail(String message) {
        end(new CommunicationException(message, null, rank != 0), -1);
    }

    /** @param source who knows it already; −1 if nobody */
    private void end(CommunicationException problem, int source) {
        synchronized (this) {
            if (failure != null || leaving) {
                return;
            }
            failure = problem;
        }
        byte[] text = String.valueOf(problem.getMessage()).getBytes(StandardCharsets.UTF_8);
        for (int other = 0; other < lines.length; other++) {
            if (other != source) {
                say(other, FAILED, text);
            }
        }
        ended.countDown();
    }

    private void say(int other, int what, byte... text) {
        Line line = lines[other];
        if (line == null) {
            return;
        }
        synchronized (line) {
            try {
                line.out.writeByte(what);
                if (what == FAILED) {
                    line.out.writeInt(text.length);
                    line.out.write(text);
                }
                line.out.flush();
            } catch (IOException e) {
                // whoever listens to this connection learns that it is lost
            }
        }
    }

    private void beat() {
        try {
            while (!ended.await(PERIOD_MILLIS, TimeUnit.MILLISECONDS)) {
                for (int other = 0; other < lines.length; other++) {
                    say(other, ALIVE);
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Reads to the end of a connection, so that nothing unread makes it break. */
    private void listen(int peer, Line line) {
        try {
            line.setPatience(SILENCE_MILLIS);
            while (true) {
                switch (line.in.readByte()) {
                    case FAILED -> {
                        byte[] text = line.in.readNBytes(line.in.readInt());
                        String message = new String(text, StandardCharsets.UTF_8);
                        end(new CommunicationException(message, null, rank != 0), peer);
                    }
                    case GOODBYE -> goodbyes.countDown();
                    default -> {
                        // alive
                    }
                }
            }
        } catch (SocketTimeoutException e) {
            lost(
                    peer,
                    "said nothing for " + TimeUnit.MILLISECONDS.toSeconds(SILENCE_MILLIS)
                            + " s; its machine or the network is down, or it was stopped");
        } catch (EOFException e) {
            lost(peer, "ended without a message; it was killed, perhaps because its machine has too little memory");
        } catch (IOException e) {
            lost(peer, "was lost (" + e.getMessage() + "); it was killed, or its machine or the network is down");
        } finally {
            goodbyes.countDown();
            closed.countDown();
        }
    }

    private void lost(int peer, String what) {
        if (leaving || failure != null) {
            return;
        }
        String message = "rank " + peer + " on " + hosts[peer] + " " + what;
        boolean shown = peer != 0 || !isFirstSurvivor();
        end(new CommunicationException(message, null, shown && rank != 0), peer);
    }

    /** Without rank 0, the lowest rank that is left shows what happened. All others look before it ends. */
    private boolean isFirstSurvivor() {
        try {
            Thread.sleep(LOOK_MILLIS);
            boolean first = true;
            for (int lower = 1; lower < rank; lower++) {
                first &= isClosed(Objects.requireNonNull(data[lower]));
            }
            Thread.sleep(2 * LOOK_MILLIS);
            return first;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return true;
        }
    }

    private static boolean isClosed(Line line) {
        try {
            ByteBuffer some = ByteBuffer.allocate(1 << 16); // nobody needs the data of a job that has failed
            int read;
            do {
                read = line.channel().read(some.clear());
            } while (read > 0);
            return read < 0;
        } catch (IOException e) {
            return true;
        }
    }

    /** Leaves the job when all leave it. After a failure nobody waits for the others. */
    void leave() {
        if (rank == 0) {
            await(goodbyes, GOODBYE_MILLIS);
        }
        synchronized (this) {
            leaving = true;
        }
        for (int other = 0; other < lines.length; other++) {
            say(other, GOODBYE);
        }
        if (rank != 0) {
            await(goodbyes, GOODBYE_MILLIS);
        }
        ended.countDown();
        for (Line line : lines) {
            if (line != null) {
                line.endOutput();
            }
        }
        await(closed, CLOSE_MILLIS);
        for (Line line : lines) {
            if (line != null) {
                line.close();
            }
        }
    }

    private void await(CountDownLatch latch, long millis) {
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(failure == null ? millis : CLOSE_MILLIS);
        boolean failed = failure != null;
        try {
            while (failed == (failure != null) && System.nanoTime() < deadline) {
                if (latch.await(LOOK_MILLIS / 10, TimeUnit.MILLISECONDS)) {
                    return;
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
