package io.gradus.gpu.runtime;

import static io.gradus.gpu.runtime.Launcher.floats;
import static io.gradus.gpu.runtime.Launcher.ints;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Scope;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.gpu.TornadoBackend;
import org.junit.jupiter.api.Test;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

final class LauncherTest {
    private static final Kernel TWO_OUTPUTS = Kernel.of("test_two_outputs", LauncherTest::twoOutputs);
    private static final Kernel NOT_COMPILABLE = Kernel.of("test_not_compilable", LauncherTest::notCompilable);

    private final Device gpu = Device.gpu();
    private final Launcher launcher = ((TornadoBackend) gpu.backend()).launcher();

    private static void twoOutputs(
            KernelContext c, IntArray d, FloatArray s, FloatArray x, FloatArray doubled, FloatArray halved) {
        int i = c.globalIdx;
        if (i < d.get(Kernel.INTS)) {
            float value = x.get(d.get(0) + i);
            doubled.set(d.get(1) + i, value * 2f);
            halved.set(d.get(2) + i, value / 2f);
            x.set(d.get(0) + i, s.get(0));
        }
    }

    /** TornadoVM cannot compile arithmetic on the result of intBitsToFloat. */
    private static void notCompilable(KernelContext c, IntArray d, FloatArray s, FloatArray x) {
        x.set(d.get(0), Float.intBitsToFloat(d.get(Kernel.INTS)) * 2f + 1f);
    }

    @Test
    void kernelWritesAllOfItsOperands() {
        runTwoOutputs();
    }

    private void runTwoOutputs() {
        Tensor x = Tensor.of(gpu, new float[] {1, 2, 3}, 3);
        Tensor doubled = x.emptyLike(x.shape());
        Tensor halved = x.emptyLike(x.shape());
        launcher.run(TWO_OUTPUTS, 3, ints(3), floats(7), x, doubled, halved);
        assertThat(doubled.toFloats()).containsExactly(2, 4, 6);
        assertThat(halved.toFloats()).containsExactly(0.5f, 1, 1.5f);
        assertThat(x.toFloats()).containsExactly(7, 7, 7);
    }

    private String driver() {
        return ((TornadoBackend) gpu.backend()).device().getTornadoVMBackend().name();
    }

    @Test
    void kernelThatDoesNotCompileIsAnErrorWithItsName() {
        Tensor x = Tensor.of(gpu, new float[] {1, 2, 3}, 3);
        for (int tries = 0; tries < 2; tries++) {
            assertThatThrownBy(() -> launcher.run(NOT_COMPILABLE, 1, ints(1), floats(), x))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContainingAll("test_not_compilable", driver());
        }
        assertThat(x.toFloats()).containsExactly(1, 2, 3);
        runTwoOutputs();
    }

    /**
     * A plan keeps a record of each execution and is renewed from time to time; the loop is longer than the lifetime of
     * a plan.
     */
    @Test
    void thousandStepsLeaveNoMemoryAllocated() {
        long before = gpu.backend().memory().live();
        for (int step = 0; step < 1000; step++) {
            try (Scope _ = Scope.open("step")) {
                Tensor x = Tensor.full(gpu, DType.F32, Shape.of(200_000), step, MemoryCategory.ACTIVATIONS);
                for (int i = 0; i < 100; i++) {
                    Tensor more = x.emptyLike(Shape.of(1000));
                    launcher.run(TWO_OUTPUTS, 1, ints(1), floats(i), x, more, more);
                }
                assertThat(x.slice(0, 1).item()).isEqualTo(99);
            }
        }
        assertThat(gpu.backend().memory().live())
                .isLessThanOrEqualTo(before); // memory of other tests may have been collected
    }

    @Test
    void garbageCollectorFreesMemoryOutsideOfScopes() {
        for (int i = 0; i < 30; i++) {
            Tensor large = Tensor.full(gpu, DType.F32, Shape.of(20_000_000), i, MemoryCategory.ACTIVATIONS);
            assertThat(large.slice(0, 1).item()).isEqualTo(i);
        }
    }

    @Test
    void outOfMemoryErrorSuggestsSettings() {
        assertThatThrownBy(() -> Tensor.empty(gpu, DType.F32, Shape.of(2_000_000_000L), MemoryCategory.WEIGHTS))
                .isInstanceOf(OutOfMemoryError.class)
                .hasMessageContainingAll("8000.0 MB", "WEIGHTS", "are free", "batch_size", "gradus.gpu.memory");
    }
}
