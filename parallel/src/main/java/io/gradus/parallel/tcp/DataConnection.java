package io.gradus.parallel.tcp;

import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The messages between this process and one other, over a connection that never blocks. A message is its tag and its length, and
 * then its bytes. It goes directly to the memory of the receiver that waits for its tag. Nothing is read while nobody waits, so
 * that a fast sender is slowed down; a message that comes before the one that is waited for is kept.
 */
final class DataConnection {
    private static final int HEADER = Integer.BYTES + Long.BYTES;

    private final int rank;
    private final int peer;
    private final SocketChannel channel;
    private final Deque<Outgoing> outgoing = new ArrayDeque<>();
    private final List<Incoming> waiting = new ArrayList<>();
    private final Deque<Early> early = new ArrayDeque<>();

    private final ByteBuffer header = ByteBuffer.allocate(HEADER);
    private @Nullable ByteBuffer body; // of the message that is being read
    private @Nullable Incoming receiver; // of it; null if none waits yet

    DataConnection(int rank, int peer, SocketChannel channel) throws IOException {
        this.rank = rank;
        this.peer = peer;
        this.channel = channel;
        channel.configureBlocking(false);
    }

    /** A message to send. */
    static final class Outgoing {
        private final ByteBuffer[] parts;

        private Outgoing(int tag, ByteBuffer bytes) {
            ByteBuffer header = ByteBuffer.allocate(HEADER);
            header.putInt(tag).putLong(bytes.remaining()).flip();
            parts = new ByteBuffer[] {header, bytes};
        }

        boolean isComplete() {
            return !parts[0].hasRemaining() && !parts[1].hasRemaining();
        }
    }

    /** A message that somebody waits for. */
    static final class Incoming {
        private final int tag;
        private final ByteBuffer bytes;
        private boolean complete;
        private @Nullable String problem;

        private Incoming(int tag, ByteBuffer bytes) {
            this.tag = tag;
            this.bytes = bytes;
        }

        boolean isComplete() {
            return complete;
        }

        /** Why the message does not fit; null if it does. */
        @Nullable String problem() {
            return problem;
        }
    }

    /** A message that nobody waits for yet. */
    private record Early(int tag, ByteBuffer bytes) {}

    Outgoing send(MemorySegment bytes, int tag) {
        Outgoing message = new Outgoing(tag, bytes.asByteBuffer());
        outgoing.add(message);
        return message;
    }

    Incoming receive(MemorySegment bytes, int tag) {
        Incoming message = new Incoming(tag, bytes.asByteBuffer());
        for (Iterator<Early> all = early.iterator(); all.hasNext(); ) {
            Early known = all.next();
            if (known.tag == tag) {
                all.remove();
                if (fits(message, known.bytes.remaining())) {
                    message.bytes.put(known.bytes);
                }
                message.complete = true;
                return message;
            }
        }
        waiting.add(message);
        return message;
    }

    private boolean fits(Incoming message, long length) {
        int expected = message.bytes.remaining();
        if (length == expected) {
            return true;
        }
        message.problem = "rank " + peer + " sent " + length + " bytes and rank " + rank + " expected " + expected
                + "; all ranks must call the same operations with tensors of the same sizes";
        return false;
    }

    /** Sends and receives as much as is possible at once. */
    void advance() throws IOException {
        for (Outgoing next = outgoing.peek(); next != null; next = outgoing.peek()) {
            channel.write(next.parts);
            if (!next.isComplete()) {
                break;
            }
            outgoing.remove();
        }
        while (!waiting.isEmpty() && advanceIncoming()) {
            // the next message
        }
    }

    /** Whether a message was completed. */
    private boolean advanceIncoming() throws IOException {
        ByteBuffer target = body;
        if (target == null) {
            if (!fill(header)) {
                return false;
            }
            target = begin(header.flip().getInt(), header.getLong());
            header.clear();
            body = target;
        }
        if (!fill(target)) {
            return false;
        }
        Incoming known = receiver;
        if (known != null) {
            known.complete = true;
            waiting.remove(known);
        }
        body = null;
        receiver = null;
        return true;
    }

    /** Where a message goes. */
    private ByteBuffer begin(int tag, long length) {
        for (Incoming each : waiting) {
            if (each.tag == tag) {
                receiver = each;
                return fits(each, length) ? each.bytes : allocate(length);
            }
        }
        ByteBuffer kept = allocate(length);
        early.add(new Early(tag, kept.duplicate()));
        return kept;
    }

    private static ByteBuffer allocate(long length) {
        return Arena.ofAuto().allocate(Math.max(1, length)).asSlice(0, length).asByteBuffer();
    }

    private boolean fill(ByteBuffer buffer) throws IOException {
        while (buffer.hasRemaining()) {
            int read = channel.read(buffer);
            if (read < 0) {
                throw new EOFException("the other side has closed it");
            }
            if (read == 0) {
                return false;
            }
        }
        return true;
    }

    void close() {
        try {
            channel.close();
        } catch (IOException e) {
            // it is closed in any case
        }
    }
}
