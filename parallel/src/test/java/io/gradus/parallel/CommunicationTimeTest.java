package io.gradus.parallel;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.core.Device;
import io.gradus.core.Tensor;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

class CommunicationTimeTest {
    private static final long LATE_MILLIS = 300;

    @Test
    void hiddenShareIsThatInWhichTheProgramDidNotWait() {
        assertThat(new CommunicationTime(4, 1).hidden()).isEqualTo(0.75);
        assertThat(new CommunicationTime(4, 5).hidden()).isZero();
        assertThat(CommunicationTime.NONE.hidden()).isZero();
        assertThat(new CommunicationTime(4, 1).since(new CommunicationTime(3, 0.5)))
                .isEqualTo(new CommunicationTime(1, 0.5));
    }

    /** One rank comes late to two sums; the other waits for the first, and computes during the second. */
    @Test
    void timeForWhichAProgramComputesIsCommunicationButNotWaiting() throws Exception {
        try (ExecutorService threads = Executors.newFixedThreadPool(2)) {
            List<Future<CommunicationTime>> times = ThreadTransport.job(2).stream()
                    .map(transport -> threads.submit(() -> sums(transport)))
                    .toList();
            CommunicationTime waiting = times.get(0).get();
            assertThat(waiting.seconds()).isGreaterThan(2 * LATE_MILLIS / 1e3 * 0.9);
            assertThat(waiting.waited())
                    .isGreaterThan(LATE_MILLIS / 1e3 * 0.9)
                    .isLessThan(waiting.seconds() - LATE_MILLIS / 1e3 * 0.5);
        }
    }

    private static CommunicationTime sums(Transport transport) throws InterruptedException {
        try (Communicator communicator = Communicator.of(() -> transport)) {
            Tensor tensor = Tensor.of(Device.cpu(), new float[] {1}, 1);
            for (boolean computes : new boolean[] {false, true}) {
                if (transport.rank() == 1) {
                    Thread.sleep(LATE_MILLIS);
                }
                Pending sum = communicator.allReduceAsync(tensor);
                if (transport.rank() == 0 && computes) {
                    Thread.sleep(LATE_MILLIS);
                }
                sum.await();
            }
            return communicator.time();
        }
    }
}
