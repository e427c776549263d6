package io.gradus.parallel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.core.Tensor;
import io.gradus.parallel.CommunicatorChecks.Check;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class ThreadTransportTest {
    @TestFactory
    Stream<DynamicTest> contract() {
        return IntStream.rangeClosed(1, 5)
                .boxed()
                .flatMap(size -> CommunicatorChecks.all().entrySet().stream()
                        .map(check -> DynamicTest.dynamicTest(
                                check.getKey() + " on " + size + " ranks", () -> run(size, check.getValue()))));
    }

    @Test
    void abortOfOneRankFailsTheRanksThatWait() {
        assertThatThrownBy(() -> run(3, communicator -> {
                    if (communicator.rank() == 2) {
                        communicator.abort("the disk is full");
                    } else {
                        communicator.allReduce(Tensor.of(new float[] {1, 2, 3}, 3));
                    }
                }))
                .isInstanceOf(CommunicationException.class)
                .hasMessage("rank 2 on " + HostName.get() + ": the disk is full");
    }

    @Test
    void tensorOfTenElementsHasShardsOfFourFourAndTwo() {
        Shards shards = Shards.equal(10, 3);
        assertThat(List.of(shards.size(0), shards.size(1), shards.size(2))).containsExactly(4L, 4L, 2L);
        assertThat(Shards.equal(2, 4).size(3)).isZero();
    }

    private static void run(int size, Check check) throws Exception {
        List<Communicator.Opening> ranks = new ArrayList<>();
        ThreadTransport.job(size).forEach(transport -> ranks.add(() -> transport));
        CommunicatorChecks.run(ranks, check);
    }
}
