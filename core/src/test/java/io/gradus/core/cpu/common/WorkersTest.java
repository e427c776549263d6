package io.gradus.core.cpu.common;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(value = 30, unit = TimeUnit.SECONDS)
final class WorkersTest {

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 8})
    void everyIndexRunsOnceInFixedChunks(int threads) {
        Workers workers = new Workers(threads);
        assertThat(workers.threads()).isEqualTo(threads);
        for (int count : new int[] {0, 1, 9, 10, 11, 1000, 1003}) {
            AtomicIntegerArray runs = new AtomicIntegerArray(count);
            Set<String> chunks = ConcurrentHashMap.newKeySet();
            workers.forEach(count, 10, (from, to) -> {
                chunks.add(from + "-" + to);
                for (long i = from; i < to; i++) {
                    runs.incrementAndGet((int) i);
                }
            });
            for (int i = 0; i < count; i++) {
                assertThat(runs.get(i)).isEqualTo(1);
            }
            assertThat(chunks).hasSize((count + 9) / 10);
            for (int from = 0; from < count; from += 10) {
                assertThat(chunks).contains(from + "-" + Math.min(count, from + 10));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3})
    void exceptionOfAChunkIsRethrown(int threads) {
        Workers workers = new Workers(threads);
        for (int bad : new int[] {0, 57, 99}) {
            assertThatThrownBy(() -> workers.forEach(100, 1, (from, to) -> {
                        if (from == bad) {
                            throw new IllegalArgumentException("chunk " + bad);
                        }
                    }))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("chunk " + bad);
        }
        assertThatThrownBy(() -> workers.forEach(100, 1, (from, to) -> {
                    throw new AssertionError("an error too");
                }))
                .isInstanceOf(AssertionError.class);
        assertThat(sum(workers, 1000)).isEqualTo(499_500);
    }

    @Test
    void nestedLoopRuns() {
        Workers workers = new Workers(3);
        AtomicLong total = new AtomicLong();
        workers.forEach(20, 1, (from, to) -> total.addAndGet(sum(workers, 100)));
        assertThat(total).hasValue(20 * 4950);
    }

    @Test
    void concurrentCallersAreIndependent() {
        Workers workers = new Workers(3);
        CompletableFuture<?>[] callers = new CompletableFuture<?>[4];
        for (int i = 0; i < callers.length; i++) {
            int size = 1000 + i;
            callers[i] = CompletableFuture.runAsync(() -> {
                for (int round = 0; round < 200; round++) {
                    assertThat(sum(workers, size)).isEqualTo(size * (size - 1L) / 2);
                }
            });
        }
        CompletableFuture.allOf(callers).join();
    }

    @Test
    void callerRunsAloneIfWorkersAreBusy() throws InterruptedException {
        Workers workers = new Workers(2);
        CountDownLatch started = new CountDownLatch(2);
        CountDownLatch finish = new CountDownLatch(1);
        CompletableFuture<Void> slow = CompletableFuture.runAsync(() -> workers.forEach(2, 1, (from, to) -> {
            started.countDown();
            try {
                assertThat(finish.await(20, TimeUnit.SECONDS)).isTrue();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }));
        assertThat(started.await(20, TimeUnit.SECONDS)).isTrue();
        assertThat(sum(workers, 1000)).isEqualTo(499_500);
        assertThat(slow).isNotDone();
        finish.countDown();
        slow.join();
    }

    /** All threads at once: each chunk waits until all others have begun. */
    @ParameterizedTest
    @ValueSource(ints = {2, 3, 8, 17})
    void allThreadsAreWoken(int threads) {
        Workers workers = new Workers(threads);
        for (int round = 0; round < 20; round++) {
            CountDownLatch met = new CountDownLatch(threads);
            workers.forEach(threads, 1, (from, to) -> {
                met.countDown();
                try {
                    assertThat(met.await(20, TimeUnit.SECONDS)).isTrue();
                } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                }
            });
        }
    }

    @Test
    void sleepingWorkersWakeUp() throws InterruptedException {
        Workers workers = new Workers(2);
        for (int i = 0; i < 20; i++) {
            assertThat(sum(workers, 1000)).isEqualTo(499_500);
            Thread.sleep(2);
        }
    }

    private static long sum(Workers workers, int count) {
        AtomicLong sum = new AtomicLong();
        workers.forEach(count, 7, (from, to) -> {
            for (long i = from; i < to; i++) {
                sum.addAndGet(i);
            }
        });
        return sum.get();
    }

    @Test
    void zeroThreadsAreRejected() {
        assertThatThrownBy(() -> new Workers(0)).hasMessageContainingAll("threads", "at least 1", "0");
    }
}
