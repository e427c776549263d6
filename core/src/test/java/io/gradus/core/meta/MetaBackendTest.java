package io.gradus.core.meta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.core.AttentionOptions;
import io.gradus.core.Backend;
import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.MemoryLedger;
import io.gradus.core.RopeLayout;
import io.gradus.core.Scope;
import io.gradus.core.Shape;
import io.gradus.core.ShapeException;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.ElementwiseKernels.Unary;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A device that counts bytes and checks operands like the CPU, at no cost. */
class MetaBackendTest {
    private final Device device = Device.meta();
    private final Backend backend = device.backend();

    private static Tensor empty(Device device, MemoryCategory category, long... shape) {
        return Tensor.empty(device, DType.F32, Shape.of(shape), category);
    }

    private Tensor empty(long... shape) {
        return empty(device, MemoryCategory.ACTIVATIONS, shape);
    }

    @Test
    void metaCountsBytesLikeTheCpu() {
        Device cpu = Device.cpu(1);
        allocate(cpu);
        allocate(device);
        MemoryLedger counted = backend.memory();
        assertThat(counted.atPeak()).isEqualTo(cpu.backend().memory().atPeak());
        assertThat(counted.atPeak())
                .isEqualTo(Map.of(MemoryCategory.WEIGHTS, 4L * 7, MemoryCategory.GRADIENTS, 4L * 13 * 3));
        assertThat(counted.live()).isZero();
    }

    private static void allocate(Device device) {
        try (Scope _ = Scope.open("test")) {
            Tensor first = empty(device, MemoryCategory.ACTIVATIONS, 5);
            empty(device, MemoryCategory.WEIGHTS, 7);
            first.release();
            empty(device, MemoryCategory.GRADIENTS, 13, 3);
        }
    }

    /** Blocks are rounded up, reused if they fit, and given up if they were not used for long. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 5})
    void metaHoldsTheBytesThatThePoolOfTheCpuHolds(int seed) {
        Device cpu = Device.cpu(1);
        for (int step = 0; step < 4; step++) {
            allocateMany(cpu, seed + step);
            allocateMany(device, seed + step);
            assertThat(backend.memory().heldPeak())
                    .isEqualTo(cpu.backend().memory().heldPeak());
        }
        assertThat(backend.memory().heldPeak())
                .isBetween(backend.memory().peak(), 3 * backend.memory().peak());
    }

    /** Tensors of random sizes, smaller from step to step, some of which are released early. */
    private static void allocateMany(Device device, int seed) {
        SplittableRandom random = new SplittableRandom(seed);
        List<Tensor> alive = new ArrayList<>();
        try (Scope _ = Scope.open("step")) {
            for (int i = 0; i < 60; i++) {
                alive.add(empty(device, MemoryCategory.ACTIVATIONS, random.nextLong(1, 600_000 >> seed % 4)));
                if (random.nextInt(3) == 0) {
                    alive.remove(random.nextInt(alive.size())).release();
                }
            }
        }
    }

    @Test
    void hugeTensorsCostNothing() {
        Tensor large = empty(1L << 20, 1L << 20, 1L << 10);
        device.kernels().elementwise().unary(Unary.EXP, large, large);
        device.kernels().elementwise().fill(large, 3);
        assertThat(backend.memory().live()).isEqualTo(1L << 52);
        assertThat(backend.capacity()).isEqualTo(Long.MAX_VALUE);
    }

    @Test
    void metaDevicesCountSeparately() {
        empty(3);
        assertThat(Device.meta().backend().memory().live()).isZero();
    }

    @ParameterizedTest
    @EnumSource(DType.class)
    void everyElementReadsAsOne(DType dtype) {
        Tensor tensor = Tensor.empty(device, dtype, Shape.of(3), MemoryCategory.ACTIVATIONS);
        assertThat(tensor.toDoubles()).containsExactly(1, 1, 1);
        assertThat(Tensor.of(device, new float[] {5}, 1).item()).isEqualTo(1);
    }

    @Test
    void kernelsReturnTheNumbersForTensorsOfOnes() {
        assertThat(device.kernels().reduction().sumOfSquares(List.of(empty(3, 4), empty(5))))
                .isEqualTo(17);
        Tensor targets = Tensor.of(device, new int[] {4, 5, -100}, 3);
        assertThat(device.kernels().crossEntropy().count(targets, -100)).isEqualTo(3);
    }

    @Test
    void metaKernelsCheckOperands() {
        assertThatThrownBy(() ->
                        device.kernels().gemm().matmul(empty(2, 3), false, empty(2, 3), false, empty(2, 3), false))
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("inner axes differ");
        assertThatThrownBy(() -> device.kernels().softmax().softmax(empty(2), empty(3)))
                .isInstanceOf(ShapeException.class);
        var settings = new AttentionOptions(true, null, 1);
        Tensor q = empty(1, 4, 3, 8);
        Tensor k = empty(1, 4, 2, 8);
        assertThatThrownBy(() -> device.kernels().attention().forward(q, k, k, settings, q, empty(1, 3, 4)))
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("num_key_value_heads");
        Tensor positions = Tensor.of(device, new int[4], 1, 4);
        assertThatThrownBy(() -> device.kernels()
                        .rotary()
                        .rotate(q, empty(9, 3), empty(9, 3), positions, RopeLayout.HALF_SPLIT, false, q, false))
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("head_dim");
        assertThatThrownBy(() -> device.kernels().elementwise().unary(Unary.EXP, empty(2), Tensor.of(new float[2], 2)))
                .hasMessageContaining("[2] on meta and [2] on cpu");
    }

    @Test
    void useAfterScopeCloseIsRejected() {
        Tensor[] left = new Tensor[1];
        try (Scope _ = Scope.open("the step")) {
            left[0] = empty(2);
        }
        assertThatThrownBy(() -> device.kernels().elementwise().fill(left[0], 1))
                .hasMessageContaining("'the step' closed");
    }
}
