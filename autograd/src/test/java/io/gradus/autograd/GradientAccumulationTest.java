package io.gradus.autograd;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Scope;
import io.gradus.core.Tensor;
import io.gradus.core.cpu.CpuBackend;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class GradientAccumulationTest {

    @Test
    void gradientOfAPassIsCompleteBeforeItIsAdded() {
        // 2^24 + 1 rounds to 2^24, and 2^24 + 2 does not.
        Variable w = Variable.parameter("w", Tensor.of(new float[] {1}, 1));
        accumulate(w.multiply(1 << 24).sum(), w);
        accumulate(w.add(w).sum(), w);
        assertThat(gradient(w)).containsExactly(16777218);

        Variable inPlace = Variable.parameter("w", Tensor.of(new float[] {1}, 1));
        inPlace.multiply(1 << 24).sum().backward();
        inPlace.multiply(1).add(inPlace.multiply(1)).sum().backward();
        assertThat(gradient(inPlace)).as("each contribution is added at once").containsExactly(16777216);
    }

    @Test
    void bfloat16GradientIsRoundedOncePerPass() {
        Variable w = Variable.parameter("w", Tensor.of(new float[] {1}, 1).to(DType.BF16));
        accumulate(w.multiply(256).sum(), w);
        accumulate(w.multiply(3).sum(), w); // 259 is a tie between 258 and 260, and 260 is even in the last bit
        assertThat(gradient(w)).containsExactly(260);
    }

    @Test
    void leafThatAPassDoesNotReachKeepsItsGradient() {
        Variable a = Variable.parameter("a", Tensor.of(new float[] {1}, 1));
        Variable b = Variable.parameter("b", Tensor.of(new float[] {1}, 1));
        List<Variable> complete = new ArrayList<>();
        GradientAccumulation.backwardAndRelease(a.multiply(2).add(b.multiply(3)).sum(), List.of(a, b), complete::add);
        GradientAccumulation.backwardAndRelease(b.multiply(5).sum(), List.of(a, b), complete::add);
        assertThat(gradient(a)).containsExactly(2);
        assertThat(gradient(b)).containsExactly(8);
        assertThat(complete).hasSize(3).containsOnlyOnce(a);
    }

    @Test
    void secondGradientIsFreedAfterEachPass() {
        Device device = new Device("cpu", 0, new CpuBackend(1));
        Variable w = Variable.parameter("w", Tensor.of(device, new float[1000], 1000));
        for (int pass = 0; pass < 2; pass++) {
            try (Scope _ = Scope.open("pass")) {
                accumulate(w.multiply(2).sum(), w);
            }
            assertThat(device.backend().memory().live(MemoryCategory.GRADIENTS)).isEqualTo(4000);
        }
    }

    private static void accumulate(Variable loss, Variable leaf) {
        GradientAccumulation.backwardAndRelease(loss, List.of(leaf), _ -> {});
    }

    private static float[] gradient(Variable leaf) {
        Tensor gradient = leaf.grad();
        assertThat(gradient).isNotNull();
        return gradient.toFloats();
    }
}
