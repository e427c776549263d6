package io.gradus.core.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Scope;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class CpuMemoryPoolTest {
    private final Device cpu = Device.cpu(1);

    private long address(long floats) {
        Tensor tensor = Tensor.empty(cpu, DType.F32, Shape.of(floats), MemoryCategory.ACTIVATIONS);
        return CpuStorage.of(tensor).address();
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 1, 63, 64, 65, 1000, 1024, 1025, 123_456_789, 1L << 40})
    void aSizeClassHoldsItsBytesAndWastesLittle(long bytes) {
        long size = CpuMemoryPool.sizeClass(bytes);
        assertThat(size).isGreaterThanOrEqualTo(bytes).isPositive();
        assertThat(size % 64).isZero();
        assertThat(size - bytes).isLessThanOrEqualTo(Math.max(64, bytes / 8));
        assertThat(CpuMemoryPool.sizeClass(size)).isEqualTo(size);
    }

    @Test
    void memoryBeginsAtACacheLine() {
        for (long floats : new long[] {0, 1, 17, 1000}) {
            assertThat(address(floats) % 64).isZero();
        }
    }

    @Test
    void aStepRunsInTheMemoryOfTheStepBefore() {
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

    @Test
    void memoryInUseIsNeverHandedOutAgain() {
        Set<Long> addresses = new HashSet<>();
        try (Scope _ = Scope.open("step")) {
            for (int i = 0; i < 50; i++) {
                assertThat(addresses.add(address(100))).isTrue();
            }
        }
    }

    @Test
    void nearlyEqualSizesServeEachOther() {
        long first;
        try (Scope _ = Scope.open("long")) {
            first = address(10_000);
        }
        try (Scope _ = Scope.open("a little shorter")) {
            assertThat(address(9_990)).isEqualTo(first);
        }
    }
}
