package io.gradus.core.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Scope;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.core.cpu.common.CpuMemoryPool;
import io.gradus.core.cpu.common.CpuStorage;
import io.gradus.core.cpu.common.FreeBlocks;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class CpuMemoryPoolTest {
    private final Device cpu = Device.cpu(1);

    private Tensor tensor(long floats) {
        return Tensor.empty(cpu, DType.F32, Shape.of(floats), MemoryCategory.ACTIVATIONS);
    }

    private long address(long floats) {
        return CpuStorage.of(tensor(floats)).address();
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 1, 63, 64, 65, 1000, 1024, 1025, 123_456_789, 1L << 40})
    void blockSizeIsLargeEnoughWithLittleWaste(long bytes) {
        long size = FreeBlocks.blockSize(bytes);
        assertThat(size).isGreaterThanOrEqualTo(bytes).isPositive();
        assertThat(size % 64).isZero();
        assertThat(size - bytes).isLessThanOrEqualTo(Math.max(64, bytes / 8));
        assertThat(FreeBlocks.blockSize(size)).isEqualTo(size);
    }

    @Test
    void memoryIsAlignedToCacheLines() {
        for (long floats : new long[] {0, 1, 17, 1000}) {
            assertThat(address(floats) % 64).isZero();
        }
    }

    @Test
    void secondStepReusesMemory() {
        Set<Long> first = step();
        Set<Long> second = step();
        assertThat(first).hasSize(3);
        assertThat(second).isEqualTo(first);
    }

    private Set<Long> step() {
        Set<Long> addresses = new HashSet<>();
        try (Scope _ = Scope.open("step")) {
            addresses.add(address(1000));
            addresses.add(address(1000));
            addresses.add(address(70_000));
        }
        return addresses;
    }

    /** GPT-2's sizes at 256 tokens: what each of four layers keeps and frees. */
    @Test
    void secondEqualStepAllocatesNothing() {
        CpuMemoryPool pool = ((CpuBackend) cpu.backend()).pool();
        long first = 0;
        for (int step = 0; step < 3; step++) {
            try (Scope _ = Scope.open("step")) {
                for (int layer = 0; layer < 4; layer++) {
                    for (long width : new long[] {768, 2304, 768, 3072, 1, 768}) {
                        Tensor kept = tensor(256 * width);
                        tensor(256 * width).release();
                        assertThat(kept.storage().isAlive()).isTrue();
                    }
                }
            }
            first = step == 0 ? pool.allocated() : first;
            assertThat(pool.allocated()).isEqualTo(first);
        }
        assertThat(first).isGreaterThan(4L * 256 * (768 * 3 + 2304 + 3072) * 4);
    }

    /** If all sizes differ, a block may serve different tensors in the first steps. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 5})
    void stepsOfVaryingSizesStopAllocating(int seed) {
        CpuMemoryPool pool = ((CpuBackend) cpu.backend()).pool();
        step(seed);
        step(seed);
        step(seed);
        long allocated = pool.allocated();
        step(seed);
        step(seed);
        assertThat(pool.allocated()).isEqualTo(allocated);
        assertThat(allocated).isLessThan(cpu.backend().memory().peak() * 3 / 2);
    }

    /** Small and large tensors, some of them released before the scope closes. */
    private void step(int seed) {
        SplittableRandom random = new SplittableRandom(seed);
        List<Tensor> alive = new ArrayList<>();
        try (Scope _ = Scope.open("step")) {
            for (int i = 0; i < 100; i++) {
                long size = random.nextBoolean() ? random.nextLong(1, 3000) : random.nextLong(100_000, 500_000);
                alive.add(tensor(size));
                if (random.nextInt(3) == 0) {
                    alive.remove(random.nextInt(alive.size())).release();
                }
            }
        }
    }

    /** A cleaner entry or a copy per tensor would use more. */
    @Test
    void scopedTensorUsesLittleHeap() {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        int tensors = 10_000;
        long before = 0;
        for (int round = 0; round < 2; round++) {
            before = threads.getCurrentThreadAllocatedBytes();
            try (Scope _ = Scope.open("step")) {
                for (int i = 0; i < tensors; i++) {
                    address(100);
                }
            }
        }
        assertThat(threads.getCurrentThreadAllocatedBytes() - before).isLessThan(600L * tensors);
    }

    @Test
    void concurrentThreadsDoNotShareMemory() {
        IntStream.range(0, 4).parallel().forEach(thread -> {
            for (int step = 0; step < 200; step++) {
                float mine = thread * 1000 + step;
                try (Scope _ = Scope.open("step")) {
                    List<Tensor> tensors = new ArrayList<>();
                    for (long size : new long[] {10, 1000, 1000, 70_000}) {
                        tensors.add(Tensor.full(cpu, DType.F32, Shape.of(size), mine, MemoryCategory.ACTIVATIONS));
                    }
                    for (Tensor tensor : tensors) {
                        float[] elements = new float[(int) tensor.size()];
                        Arrays.fill(elements, mine);
                        assertThat(tensor.toFloats()).isEqualTo(elements);
                    }
                }
            }
        });
        assertThat(cpu.backend().memory().live()).isZero();
    }

    @Test
    void doubleReleaseFreesOnce() {
        for (int round = 0; round < 200; round++) {
            try (Scope _ = Scope.open("round")) {
                Tensor tensor = tensor(100);
                IntStream.range(0, 2).parallel().forEach(_ -> tensor.release());
                assertThat(address(100)).isNotEqualTo(address(100));
            }
        }
        assertThat(cpu.backend().memory().live()).isZero();
    }

    @Test
    void largeBlockWastesLessThanAPage() {
        for (long bytes : new long[] {1 << 20, 50_257L * 768 * 4, 123_456_789}) {
            assertThat(FreeBlocks.blockSize(bytes) - bytes).isBetween(0L, 4095L);
        }
    }

    @Test
    void longestUnusedBlocksAreFreedBeforeMoreMemoryIsTaken() {
        long held = 0;
        for (long floats :
                new long[] {1_000_000, 3_000_000, 7_000_000, 15_000_000}) { // each more than twice the one before
            try (Scope _ = Scope.open("step")) {
                tensor(floats);
            }
            held = cpu.backend().memory().held();
            assertThat(held).isBetween(floats * 4, floats * 4 * 9 / 8 + (1 << 20));
        }
        assertThat(cpu.backend().memory().heldPeak()).isEqualTo(held);
    }

    /** The lengths of batches of texts. Blocks of the longest serve all. */
    @Test
    void batchesOfVaryingLengthTakeTheMemoryOfTheLongest() {
        long longest = 0;
        for (int length : new int[] {56, 48, 64, 80, 56, 48, 72, 64, 80, 48}) {
            cpu.backend().memory().resetPeak();
            try (Scope _ = Scope.open("step")) {
                for (int layer = 0; layer < 6; layer++) {
                    for (long width : new long[] {384, 384, 384, 1536, 1536, 384}) {
                        tensor(length * 32L * width);
                    }
                }
            }
            longest = Math.max(longest, cpu.backend().memory().peak());
            assertThat(cpu.backend().memory().held()).isLessThanOrEqualTo(longest * 9 / 8 + (1 << 20));
        }
    }

    @Test
    void trimmedPoolHoldsNothing() {
        try (Scope _ = Scope.open("step")) {
            tensor(1_000_000);
            tensor(2_000_000).release();
        }
        assertThat(cpu.backend().memory().heldPeak())
                .isEqualTo(FreeBlocks.blockSize(4_000_000) + FreeBlocks.blockSize(8_000_000));
        cpu.backend().trim();
        cpu.backend().memory().resetPeak();
        assertThat(cpu.backend().memory().heldPeak()).isZero();
    }

    @Test
    void memoryOfATrimmedPoolIsNotReusedWhileItIsInUse() {
        try (Scope _ = Scope.open("step")) {
            Tensor kept = Tensor.full(cpu, DType.F32, Shape.of(2_000_000), 3, MemoryCategory.ACTIVATIONS);
            tensor(2_000_000).release();
            cpu.backend().trim();
            Tensor other = Tensor.full(cpu, DType.F32, Shape.of(2_000_000), 5, MemoryCategory.ACTIVATIONS);
            assertThat(kept.toFloats()).containsOnly(3);
            assertThat(other.toFloats()).containsOnly(5);
        }
    }

    @Test
    void muchLargerBlockIsNotReused() {
        long large;
        try (Scope _ = Scope.open("large")) {
            large = address(1_000_000);
        }
        try (Scope _ = Scope.open("small")) {
            assertThat(address(200_000)).isNotEqualTo(large);
            assertThat(address(510_000)).isEqualTo(large);
        }
    }

    @Test
    void memoryInUseIsNotReused() {
        Set<Long> addresses = new HashSet<>();
        try (Scope _ = Scope.open("step")) {
            for (int i = 0; i < 50; i++) {
                assertThat(addresses.add(address(100))).isTrue();
            }
        }
    }

    @Test
    void similarSizesShareBlocks() {
        long first;
        try (Scope _ = Scope.open("long")) {
            first = address(10_000);
        }
        try (Scope _ = Scope.open("a little shorter")) {
            assertThat(address(9_990)).isEqualTo(first);
        }
    }
}
