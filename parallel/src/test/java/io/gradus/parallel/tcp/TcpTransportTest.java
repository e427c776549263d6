package io.gradus.parallel.tcp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.core.Tensor;
import io.gradus.parallel.CommunicationException;
import io.gradus.parallel.Communicator;
import io.gradus.parallel.CommunicatorChecks;
import io.gradus.parallel.CommunicatorChecks.Check;
import io.gradus.parallel.HostName;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.Timeout;

/** The checks of all communicators, and what happens when a process is missing, strange, or lost. The ranks are threads. */
@Timeout(60)
class TcpTransportTest {
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    @TestFactory
    Stream<DynamicTest> contract() {
        return IntStream.of(1, 2, 3, 5)
                .boxed()
                .flatMap(size -> CommunicatorChecks.all().entrySet().stream()
                        .map(check -> DynamicTest.dynamicTest(
                                check.getKey() + " on " + size + " ranks", () -> run(size, check.getValue()))));
    }

    @Test
    void messagesOfOtherTagsAreKeptUntilTheyAreReceived() throws Exception {
        run(2, communicator -> {
            for (int tag = 0; tag < 3; tag++) {
                if (communicator.rank() == 0) {
                    communicator.send(Tensor.of(new float[] {tag, 1}, 2), 1, tag);
                } else {
                    int wanted = 2 - tag;
                    Tensor received = Tensor.of(new float[2], 2);
                    communicator.receive(received, 0, wanted);
                    assertThat(received.toFloats()).containsExactly(wanted, 1);
                }
            }
        });
    }

    private static void run(int size, Check check) throws Exception {
        int port = freePort();
        List<Communicator.Opening> ranks = new ArrayList<>();
        for (int rank = 0; rank < size; rank++) {
            TcpJob job = job("test", rank, size, PATIENCE, port);
            ranks.add(() -> new TcpTransport(job));
        }
        CommunicatorChecks.run(ranks, check);
    }

    private static TcpJob job(String name, int rank, int size, Duration patience, Integer... ports) {
        return new TcpJob(name, rank, size, "127.0.0.1", List.of(ports), patience);
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private static CompletableFuture<TcpTransport> join(TcpJob job) {
        return CompletableFuture.supplyAsync(() -> new TcpTransport(job), TcpTransportTest::start);
    }

    private static void start(Runnable task) {
        Thread.ofPlatform().daemon().start(task);
    }

    @Test
    void abortOfOneRankFailsTheRanksThatWait() {
        assertThatThrownBy(() -> run(3, communicator -> {
                    if (communicator.rank() == 2) {
                        communicator.abort("step 5: the disk is full");
                    }
                    communicator.allReduce(Tensor.of(new float[] {1, 2, 3}, 3));
                }))
                .isInstanceOf(CommunicationException.class)
                .hasMessage("rank 2 on " + HostName.get() + ": step 5: the disk is full");
    }

    @Test
    void processesMeetAtTheFirstPortThatIsFree() throws Exception {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            Integer[] ports = {taken.getLocalPort(), freePort()};
            var first = join(job("test", 0, 2, PATIENCE, ports));
            Thread.ofVirtual()
                    .start(
                            () -> { // a stranger that closes every connection
                                try {
                                    while (true) {
                                        taken.accept().close();
                                    }
                                } catch (IOException e) {
                                    // the test is over
                                }
                            });
            var second = join(job("test", 1, 2, PATIENCE, ports));
            assertThat(second.join().rank()).isEqualTo(1);
            close(first.join(), second.join());
        }
    }

    private static void close(TcpTransport... transports) {
        Stream.of(transports)
                .map(transport -> CompletableFuture.runAsync(transport::close, TcpTransportTest::start))
                .toList()
                .forEach(CompletableFuture::join);
    }

    @Test
    void processThatDoesNotComeIsNamedByAllOthers() throws Exception {
        int port = freePort();
        var first = join(job("test", 0, 3, Duration.ofSeconds(1), port));
        var third = join(job("test", 2, 3, Duration.ofSeconds(1), port));
        String message =
                "rank 1 of 3 did not come to rank 0 on " + HostName.get() + " at 127.0.0.1:" + port + " within 1 s";
        assertThatThrownBy(first::join)
                .hasCauseInstanceOf(CommunicationException.class)
                .hasMessageContaining(message);
        assertThatThrownBy(third::join)
                .hasMessageContaining(message)
                .cause()
                .isInstanceOfSatisfying(
                        CommunicationException.class,
                        e -> assertThat(e.isKnownToFirst()).isTrue());
    }

    @Test
    void missingFirstProcessIsReportedByTheOthers() throws Exception {
        int port = freePort();
        var second = join(job("test", 1, 2, Duration.ofMillis(500), port));
        assertThatThrownBy(second::join)
                .hasMessageContaining("rank 1 on " + HostName.get() + " could not join the others at 127.0.0.1:" + port)
                .hasMessageContaining("Connection refused")
                .cause()
                .isInstanceOfSatisfying(
                        CommunicationException.class,
                        e -> assertThat(e.isKnownToFirst()).isFalse());
    }

    @Test
    void processThatEndsBeforeAllHaveComeEndsTheJob() throws Exception {
        int port = freePort();
        var first = join(job("test", 0, 3, PATIENCE, port));
        try (Socket socket = connect(port)) {
            Line line = introduce(socket, new Hello(Hello.Purpose.CONTROL, "test", 3, 1, "far", 1));
            assertThat(Hello.Answer.read(line.in)).isEqualTo(Hello.Answer.WELCOME);
        }
        assertThatThrownBy(first::join).hasMessageContaining("rank 1 on far ended before all processes had come");
    }

    private static Socket connect(int port) throws Exception {
        for (int attempt = 0; ; attempt++) {
            try {
                SocketChannel channel =
                        SocketChannel.open(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
                return channel.socket();
            } catch (IOException e) {
                if (attempt == 100) {
                    throw e;
                }
                Thread.sleep(50);
            }
        }
    }

    private static Line introduce(Socket socket, Hello hello) throws IOException {
        Line line = new Line(socket);
        hello.write(line.out);
        return line;
    }

    @Test
    void strangersAreRejectedAndTheJobBegins() throws Exception {
        int port = freePort();
        var first = join(job("test", 0, 2, PATIENCE, port));
        try (Socket other = connect(port)) {
            other.getOutputStream().write("GET / HT".getBytes(StandardCharsets.US_ASCII));
            assertThat(other.getInputStream().read()).as("closed").isEqualTo(-1);
        }
        assertThat(answerTo(port, "another", 2, 1)).contains("another job has begun: \"test\", not \"another\"");
        assertThat(answerTo(port, "test", 3, 1)).contains("rank 0 has 2 processes in its job, and rank 1 has 3");
        assertThat(answerTo(port, "test", 2, 0)).contains("no rank 0 is expected");
        var second = join(job("test", 1, 2, PATIENCE, port));
        close(first.join(), second.join());
    }

    private static String answerTo(int port, String job, int size, int rank) throws Exception {
        try (Socket socket = connect(port)) {
            Line line = introduce(socket, new Hello(Hello.Purpose.CONTROL, job, size, rank, "far", 1));
            return Hello.Answer.read(line.in).problem();
        }
    }

    @Test
    void processWithAnotherNumberOfProcessesFailsAtOnce() throws Exception {
        int port = freePort();
        var first = join(job("test", 0, 2, PATIENCE, port));
        assertThatThrownBy(join(job("test", 1, 3, PATIENCE, port))::join)
                .isInstanceOf(CompletionException.class)
                .hasMessageContaining("rank 1 on " + HostName.get() + " was rejected");
        var second = join(job("test", 1, 2, PATIENCE, port));
        close(first.join(), second.join());
    }

    @Test
    void portOfAnotherProgramIsReported() throws Exception {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            assertThatThrownBy(join(job("test", 0, 2, PATIENCE, taken.getLocalPort()))::join)
                    .hasMessageContaining("cannot listen at 127.0.0.1:" + taken.getLocalPort())
                    .hasMessageContaining("choose another MASTER_PORT");
        }
    }
}
