package io.gradus.parallel.tcp;

import io.gradus.parallel.CommunicationException;
import io.gradus.parallel.Transport;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Messages by TCP connections, one between any two processes. It needs no library and no launcher: each process must only know its
 * rank, their number, and the address of rank 0. Use it through {@code Communicator.of(() -> new TcpTransport(job))}.
 *
 * <p>A process that fails or is killed ends the job: all others fail with a message that names it. Nothing is encrypted, and whoever
 * knows the name of the job can join it, so the network between the processes must be trusted, as for MPI.
 */
public final class TcpTransport implements Transport {
    private final TcpJob job;
    private final Control control;
    private final @Nullable DataConnection[] connections;

    /**
     * Joins the job and waits for all others.
     *
     * @throws CommunicationException if they do not come in time, or this process does not belong to the job
     */
    public TcpTransport(TcpJob job) {
        this.job = job;
        Rendezvous.Connections found = Rendezvous.of(job);
        this.control = new Control(job.rank(), found);
        this.connections = new DataConnection[job.size()];
        for (int other = 0; other < job.size(); other++) {
            Line line = found.data()[other];
            if (line != null) {
                try {
                    connections[other] = new DataConnection(job.rank(), other, line.channel());
                } catch (IOException e) {
                    throw control.lost(other, e);
                }
            }
        }
    }

    @Override
    public int rank() {
        return job.rank();
    }

    @Override
    public int size() {
        return job.size();
    }

    @Override
    public Transfer send(MemorySegment bytes, int to, int tag) {
        DataConnection connection = connection(to);
        DataConnection.Outgoing message = connection.send(bytes, tag);
        return () -> {
            advance(connection, to);
            return message.isComplete();
        };
    }

    @Override
    public Transfer receive(MemorySegment bytes, int from, int tag) {
        DataConnection connection = connection(from);
        DataConnection.Incoming message = connection.receive(bytes, tag);
        return () -> {
            if (!message.isComplete()) {
                advance(connection, from);
            }
            String problem = message.isComplete() ? message.problem() : null;
            if (problem != null) {
                throw new CommunicationException(problem);
            }
            return message.isComplete();
        };
    }

    private DataConnection connection(int other) {
        return Objects.requireNonNull(connections[other]);
    }

    private void advance(DataConnection connection, int other) {
        control.requireIntact();
        try {
            connection.advance();
        } catch (IOException e) {
            throw control.lost(other, e);
        }
    }

    @Override
    public void abort(String reason) {
        control.fail(reason);
    }

    @Override
    public void close() {
        control.leave();
        for (DataConnection connection : connections) {
            if (connection != null) {
                connection.close();
            }
        }
    }
}
