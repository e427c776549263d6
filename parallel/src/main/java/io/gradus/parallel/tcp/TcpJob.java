package io.gradus.parallel.tcp;

import java.time.Duration;
import java.util.List;

/**
 * One process's place in a job, and where it finds the others.
 *
 * @param name of the job; processes of another job are rejected
 * @param rank of this process, from 0
 * @param size the number of processes
 * @param address the name or number of the host of rank 0, as this process reaches it
 * @param ports of rank 0, which listens at the first one that is free
 * @param patience how long to wait for the other processes
 */
public record TcpJob(String name, int rank, int size, String address, List<Integer> ports, Duration patience) {

    /** Checks the values. */
    public TcpJob {
        ports = List.copyOf(ports);
        if (size < 1 || rank < 0 || rank >= size) {
            throw new IllegalArgumentException("tcp: rank " + rank + " of " + size + "; ranks count from 0");
        }
        if (ports.isEmpty() || ports.stream().anyMatch(port -> port < 1 || port > 65535)) {
            throw new IllegalArgumentException("tcp: the ports " + ports + " are not between 1 and 65535");
        }
    }

    /** Where rank 0 is, for messages. */
    String place() {
        return address + ":" + (ports.size() == 1 ? ports.getFirst() : ports.getFirst() + "-" + ports.getLast());
    }
}
