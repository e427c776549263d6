package io.gradus.parallel.tcp;

import io.gradus.parallel.CommunicationException;
import io.gradus.parallel.HostName;
import io.gradus.parallel.tcp.Hello.Answer;
import io.gradus.parallel.tcp.Hello.Purpose;
import java.io.EOFException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.System.Logger.Level;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * How the processes of a job find each other. Rank 0 listens at an address that all know. Each other rank listens at a free port of
 * its own and opens a control connection to rank 0, which sends the addresses of all to all. Then each rank opens a data connection
 * to each lower one.
 */
final class Rendezvous {
    private static final int BACKLOG = 1024;
    /** How long someone who connects may take to introduce himself. */
    private static final int INTRODUCTION_MILLIS = 2_000;
    /** How long an answer may take, because others may be in front; a stranger may not answer at all. */
    private static final int ANSWER_MILLIS = 30_000;
    /** How often rank 0 looks whether those who came are still there. */
    private static final int LOOK_MILLIS = 500;

    private static final int CONNECT_MILLIS = 5_000;
    private static final int RETRY_MILLIS = 100;

    private final TcpJob job;
    private final long deadline;
    private final @Nullable Line[] control;
    private final @Nullable Line[] data;
    private final String[] hosts;

    /**
     * The connections of one rank.
     *
     * @param control to rank 0, or of rank 0 to all others; by rank
     * @param data to all others; by rank
     * @param hosts the names of all hosts; by rank
     */
    record Connections(@Nullable Line[] control, @Nullable Line[] data, String[] hosts) {}

    private Rendezvous(TcpJob job) {
        this.job = job;
        this.deadline = System.nanoTime() + job.patience().toNanos();
        this.control = new Line[job.size()];
        this.data = new Line[job.size()];
        this.hosts = new String[job.size()];
    }

    /**
     * Connects with all other processes.
     *
     * @throws CommunicationException if that takes too long, or this process does not belong to the job
     */
    static Connections of(TcpJob job) {
        Rendezvous rendezvous = new Rendezvous(job);
        boolean complete = false;
        try {
            rendezvous.hosts[job.rank()] = HostName.get();
            if (job.rank() == 0) {
                rendezvous.gather();
            } else {
                rendezvous.join();
            }
            complete = true;
            return new Connections(rendezvous.control, rendezvous.data, rendezvous.hosts);
        } catch (IOException e) {
            throw new CommunicationException(
                    "rank " + job.rank() + " on " + HostName.get() + " could not join the others at " + job.place()
                            + ": " + describe(e),
                    e);
        } finally {
            if (!complete) {
                rendezvous.closeAll();
            }
        }
    }

    private void closeAll() {
        for (Line[] lines : List.of(control, data)) {
            Arrays.stream(lines).filter(Objects::nonNull).forEach(Line::close);
        }
    }

    // ---- rank 0 ----

    private void gather() throws IOException {
        String[] addresses = new String[job.size()];
        int[] ports = new int[job.size()];
        try (ServerSocketChannel listener = listen()) {
            for (int missing = job.size() - 1; missing > 0; missing--) {
                Arrival arrival = accept(listener, Purpose.CONTROL, control);
                int rank = arrival.hello.rank();
                control[rank] = arrival.line;
                hosts[rank] = arrival.hello.host();
                addresses[rank] = arrival.line.socket.getInetAddress().getHostAddress();
                ports[rank] = arrival.hello.port();
            }
            for (int rank = 1; rank < job.size(); rank++) {
                Line line = Objects.requireNonNull(control[rank]);
                line.out.writeUTF("");
                for (int other = 0; other < job.size(); other++) {
                    line.out.writeUTF(hosts[other]);
                    line.out.writeUTF(other == 0 ? "" : addresses[other]); // it knows that of rank 0
                    line.out.writeInt(ports[other]);
                }
                line.out.flush();
            }
            acceptData(listener);
        }
    }

    /** Listens at the first free port; if rank 0 is reached by a loopback address, only there. */
    private ServerSocketChannel listen() throws IOException {
        for (int port : job.ports()) {
            ServerSocketChannel listener = ServerSocketChannel.open();
            try {
                bind(listener, port);
                return listener;
            } catch (BindException e) {
                listener.close();
            }
        }
        throw new CommunicationException("rank 0 on " + HostName.get() + " cannot listen at " + job.place()
                + ", which another program uses, perhaps another job; choose another MASTER_PORT");
    }

    /** The error for processes that did not come in time. */
    private CommunicationException missing(@Nullable Line[] known) {
        List<Integer> ranks = IntStream.range(0, job.size())
                .filter(rank -> rank != job.rank() && known[rank] == null && (known == control || rank > job.rank()))
                .boxed()
                .toList();
        return failed((ranks.size() == 1 ? "rank " : "ranks ")
                + ranks.stream().limit(10).map(String::valueOf).collect(Collectors.joining(", "))
                + (ranks.size() > 10 ? " and more" : "") + " of " + job.size() + " did not come to rank " + job.rank()
                + " on " + HostName.get() + (job.rank() == 0 ? " at " + job.place() : "") + " within "
                + job.patience().toSeconds()
                + " s; start all processes, and look whether they have failed or a firewall is between them");
    }

    /** Checks that nobody who came has ended meanwhile. */
    private void requireAlive() throws IOException {
        for (int rank = 0; rank < job.size(); rank++) {
            Line line = control[rank];
            if (line == null || job.rank() != 0) {
                continue;
            }
            line.setPatience(1);
            try {
                if (line.in.read() < 0) {
                    throw failed("rank " + rank + " on " + hosts[rank] + " ended before all processes had come");
                }
            } catch (SocketTimeoutException e) {
                line.setPatience(0); // it is there, and has nothing to say
            }
        }
    }

    /** An error of rank 0, which it tells those who came. */
    private CommunicationException failed(String message) {
        for (Line line : control) {
            if (line != null && job.rank() == 0) {
                try {
                    line.out.writeUTF(message);
                    line.out.flush();
                } catch (IOException e) {
                    // it has failed as well
                }
            }
        }
        return new CommunicationException(message);
    }

    // ---- the other ranks ----

    private void join() throws IOException {
        try (ServerSocketChannel listener = ServerSocketChannel.open()) {
            bind(listener, 0);
            Line first = connect(
                    Purpose.CONTROL,
                    job.address(),
                    job.ports(),
                    listener.socket().getLocalPort());
            control[0] = first;
            first.setPatience(job.patience().toMillis() + ANSWER_MILLIS); // rank 0 says who is missing
            String problem = first.in.readUTF();
            first.setPatience(0);
            if (!problem.isEmpty()) {
                throw new CommunicationException(problem, null, true);
            }
            InetSocketAddress[] addresses = new InetSocketAddress[job.size()];
            for (int rank = 0; rank < job.size(); rank++) {
                hosts[rank] = first.in.readUTF();
                addresses[rank] = InetSocketAddress.createUnresolved(first.in.readUTF(), first.in.readInt());
            }
            addresses[0] = InetSocketAddress.createUnresolved(
                    first.socket.getInetAddress().getHostAddress(), first.socket.getPort());
            for (int rank = 0; rank < job.rank(); rank++) {
                data[rank] =
                        connect(Purpose.DATA, addresses[rank].getHostString(), List.of(addresses[rank].getPort()), 0);
            }
            acceptData(listener);
        }
    }

    /**
     * Connects to a lower rank, again and again until it listens.
     *
     * @param ports one of which it listens at
     * @param ownPort at which this process listens
     */
    private Line connect(Purpose purpose, String address, List<Integer> ports, int ownPort) throws IOException {
        Hello hello = new Hello(purpose, job.name(), job.size(), job.rank(), HostName.get(), ownPort);
        IOException last = new SocketTimeoutException("no time is left");
        while (remainingMillis() > 1) {
            try {
                for (InetAddress each : InetAddress.getAllByName(address)) {
                    for (int port : ports) {
                        try {
                            return introduce(hello, new InetSocketAddress(each, port));
                        } catch (IOException e) {
                            last = e;
                        }
                    }
                }
            } catch (UnknownHostException e) {
                last = e;
            }
            pause();
        }
        throw new IOException(
                "within " + job.patience().toSeconds() + " s, the last attempt failed: " + describe(last), last);
    }

    private Line introduce(Hello hello, InetSocketAddress to) throws IOException {
        SocketChannel channel = SocketChannel.open();
        boolean welcome = false;
        try {
            Socket socket = channel.socket();
            socket.connect(to, CONNECT_MILLIS);
            Line line = new Line(socket);
            line.setPatience(hello.purpose() == Purpose.DATA ? remainingMillis() : ANSWER_MILLIS);
            hello.write(line.out);
            Answer answer = Answer.read(line.in);
            if (!answer.problem().isEmpty() && answer.isFinal()) {
                throw new CommunicationException(
                        "rank " + hello.rank() + " on " + hello.host() + " was rejected: " + answer.problem());
            }
            if (!answer.problem().isEmpty()) {
                throw new IOException(answer.problem());
            }
            line.setPatience(0);
            welcome = true;
            return line;
        } finally {
            if (!welcome) {
                channel.close();
            }
        }
    }

    // ---- accepting ----

    /** Someone who belongs to the job. */
    private record Arrival(Hello hello, Line line) {}

    private void acceptData(ServerSocketChannel listener) throws IOException {
        for (int missing = job.size() - 1 - job.rank(); missing > 0; missing--) {
            Arrival arrival = accept(listener, Purpose.DATA, data);
            data[arrival.hello.rank()] = arrival.line;
        }
    }

    /**
     * Waits for a process of the job, and rejects all others.
     *
     * @param known those who came
     */
    private Arrival accept(ServerSocketChannel listener, Purpose purpose, @Nullable Line[] known) throws IOException {
        while (true) {
            long remaining = remainingMillis();
            listener.socket().setSoTimeout(Math.toIntExact(Math.min(remaining, LOOK_MILLIS)));
            Socket socket;
            try {
                socket = listener.socket().accept();
            } catch (SocketTimeoutException e) {
                if (remaining < LOOK_MILLIS) {
                    throw missing(known);
                }
                requireAlive();
                continue;
            }
            Line line = new Line(socket);
            boolean welcome = false;
            try {
                line.setPatience(INTRODUCTION_MILLIS);
                Hello hello = Hello.read(line.in);
                Answer answer = answer(hello, purpose, known);
                answer.write(line.out);
                welcome = answer.problem().isEmpty();
                if (welcome) {
                    line.setPatience(0);
                    return new Arrival(hello, line);
                }
            } catch (IOException e) {
                // a stranger, such as a program that looks for open ports
                System.getLogger(Rendezvous.class.getName())
                        .log(Level.DEBUG, "rejected a connection from {0}: {1}", socket.getInetAddress(), describe(e));
            } finally {
                if (!welcome) {
                    line.close();
                }
            }
        }
    }

    private Answer answer(Hello hello, Purpose purpose, @Nullable Line[] known) {
        String here = "at " + job.place() + " on " + HostName.get() + " ";
        if (!hello.job().equals(job.name())) {
            return new Answer(
                    here + "another job has begun: \"" + job.name() + "\", not \"" + hello.job() + "\"", false);
        }
        if (hello.size() != job.size()) {
            return new Answer(
                    here + "rank " + job.rank() + " has " + job.size() + " processes in its job, and rank "
                            + hello.rank() + " has " + hello.size() + "; set the same number for all",
                    true);
        }
        if (hello.rank() <= job.rank() || hello.rank() >= job.size()) {
            return new Answer(here + "no rank " + hello.rank() + " is expected", true);
        }
        if (known[hello.rank()] != null) {
            return new Answer(here + "rank " + hello.rank() + " is there already, from " + hosts[hello.rank()], true);
        }
        // Data of a rank that is not known yet: it tries again.
        return hello.purpose() == purpose ? Answer.WELCOME : new Answer(here + "other ranks are still missing", false);
    }

    // ---- addresses and time ----

    private void bind(ServerSocketChannel listener, int port) throws IOException {
        InetAddress loopback = loopback();
        listener.bind(loopback == null ? new InetSocketAddress(port) : new InetSocketAddress(loopback, port), BACKLOG);
    }

    /** The address of rank 0, if only processes on its own machine reach it; null otherwise. */
    private @Nullable InetAddress loopback() {
        try {
            InetAddress address = InetAddress.getByName(job.address());
            return address.isLoopbackAddress() ? address : null;
        } catch (UnknownHostException e) {
            return null;
        }
    }

    private long remainingMillis() {
        return Math.max(1, TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime()));
    }

    private static void pause() throws InterruptedIOException {
        try {
            Thread.sleep(RETRY_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted");
        }
    }

    private static String describe(IOException problem) {
        return switch (problem) {
            case UnknownHostException e -> "there is no host " + e.getMessage();
            case EOFException _ -> "the connection was closed";
            default -> String.valueOf(problem.getMessage());
        };
    }
}
