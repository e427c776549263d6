package io.gradus.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

final class MemoryLedgerTest {
    private final MemoryLedger ledger = new MemoryLedger();

    @Test
    void countsByCategory() {
        ledger.add(MemoryCategory.WEIGHTS, 100);
        ledger.add(MemoryCategory.GRADIENTS, 40);
        ledger.add(MemoryCategory.WEIGHTS, 1);
        ledger.remove(MemoryCategory.GRADIENTS, 15);
        assertThat(ledger.live()).isEqualTo(126);
        assertThat(ledger.live(MemoryCategory.WEIGHTS)).isEqualTo(101);
        assertThat(ledger.live(MemoryCategory.GRADIENTS)).isEqualTo(25);
        assertThat(ledger.live(MemoryCategory.WORKSPACE)).isZero();
    }

    @Test
    void peakIsReportedByCategory() {
        ledger.add(MemoryCategory.WEIGHTS, 100);
        ledger.add(MemoryCategory.ACTIVATIONS, 50);
        ledger.remove(MemoryCategory.ACTIVATIONS, 50);
        ledger.add(MemoryCategory.OPTIMIZER_STATE, 20);
        assertThat(ledger.peak()).isEqualTo(150);
        assertThat(ledger.atPeak())
                .containsEntry(MemoryCategory.WEIGHTS, 100L)
                .containsEntry(MemoryCategory.ACTIVATIONS, 50L)
                .doesNotContainKey(MemoryCategory.OPTIMIZER_STATE);

        ledger.add(MemoryCategory.ACTIVATIONS, 60); // a new peak that has not ended yet
        assertThat(ledger.peak()).isEqualTo(180);
        assertThat(sum(ledger.atPeak())).isEqualTo(180);
    }

    @Test
    void repeatedPeakKeepsTheFirstCategories() {
        ledger.add(MemoryCategory.WEIGHTS, 10);
        ledger.remove(MemoryCategory.WEIGHTS, 10);
        ledger.add(MemoryCategory.GRADIENTS, 10);
        assertThat(sum(ledger.atPeak())).isEqualTo(ledger.peak()).isEqualTo(10);
        ledger.remove(MemoryCategory.GRADIENTS, 10);
        assertThat(sum(ledger.atPeak())).isEqualTo(10);
    }

    @Test
    void resetPeakStartsFromBytesInUse() {
        ledger.add(MemoryCategory.WEIGHTS, 100);
        ledger.add(MemoryCategory.ACTIVATIONS, 50);
        ledger.remove(MemoryCategory.ACTIVATIONS, 50);
        ledger.resetPeak();
        assertThat(ledger.peak()).isEqualTo(100);
        ledger.add(MemoryCategory.ACTIVATIONS, 7);
        ledger.remove(MemoryCategory.ACTIVATIONS, 7);
        assertThat(ledger.peak()).isEqualTo(107);
        assertThat(sum(ledger.atPeak())).isEqualTo(107);
    }

    private static long sum(Map<MemoryCategory, Long> bytes) {
        return bytes.values().stream().mapToLong(Long::longValue).sum();
    }

    @Test
    void concurrentUpdatesAreCounted() {
        IntStream.range(0, 10_000).parallel().forEach(i -> {
            ledger.add(MemoryCategory.WORKSPACE, 3);
            ledger.remove(MemoryCategory.WORKSPACE, 2);
        });
        assertThat(ledger.live()).isEqualTo(10_000);
        assertThat(ledger.live(MemoryCategory.WORKSPACE)).isEqualTo(10_000);
    }

    @Test
    @Timeout(value = 30, unit = TimeUnit.SECONDS)
    void garbageCollectedStorageIsDeducted() throws InterruptedException {
        Device device = Device.cpu(1);
        Tensor kept = Tensor.of(device, new float[4], 4);
        makeGarbage(device);
        while (device.backend().memory().live() > kept.byteSize()) {
            System.gc();
            Thread.sleep(5);
        }
        assertThat(device.backend().memory().live()).isEqualTo(16);
        assertThat(kept.toFloats()).hasSize(4);
    }

    private static void makeGarbage(Device device) {
        for (int i = 0; i < 5; i++) {
            assertThat(Tensor.of(device, new float[100], 100).size()).isEqualTo(100);
        }
        assertThat(device.backend().memory().peak()).isPositive();
    }
}
