package io.gradus.autograd.op;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.autograd.Graph;
import io.gradus.autograd.Variable;
import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.MemoryLedger;
import io.gradus.core.Scope;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.core.reference.ReferenceBackend;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** The gradients of the parts are written into one buffer, which becomes the gradient of the whole. */
class SplitTest {
    private final Device device = new Device("reference", 0, new ReferenceBackend());
    private final MemoryLedger memory = device.backend().memory();

    private Variable parameter(long... shape) {
        return Variable.parameter("x", Tensor.full(device, DType.F64, Shape.of(shape), 2, MemoryCategory.WEIGHTS));
    }

    private static double[] grad(Variable x) {
        return Objects.requireNonNull(x.grad()).toDoubles();
    }

    @Test
    void splitPartsWriteTheirGradientsIntoOneBuffer() {
        Variable x = parameter(10, 30);
        try (Scope _ = Scope.open("step")) {
            List<Variable> parts = x.multiply(1).split(-1, 10, 10, 10);
            Variable sum = parts.get(0).add(parts.get(1)).add(parts.get(2)).sum();
            long before = memory.live();
            memory.resetPeak();
            sum.backward();
            // The gradient of the sum, the buffer of the parts, and the gradient of the leaf.
            assertThat(memory.peak() - before).isLessThanOrEqualTo((300 + 300 + 100) * 8 + 8);
        }
        assertThat(grad(x)).containsOnly(1);
    }

    @Test
    void splitPartsMayBeReadSeveralTimes() {
        Variable x = parameter(2, 3);
        List<Variable> parts = x.split(1, 1, 2);
        Variable twice = parts.get(1).multiply(parts.get(1)).sum();
        Variable all = parts.get(0).sum().add(twice);
        all.backward(true);
        assertThat(grad(x)).containsExactly(1, 4, 4, 1, 4, 4);
        x.clearGrad();
        twice.backward(true);
        assertThat(grad(x)).as("nothing of the pass before").containsExactly(0, 4, 4, 0, 4, 4);
        all.backward();
        assertThat(grad(x)).containsExactly(1, 8, 8, 1, 8, 8);
    }

    @Test
    void graphDrawsTheWholeOfASplitOnce() {
        List<Variable> parts = parameter(2, 3).split(1, 1, 2);
        assertThat(Graph.text(Variable.concat(1, parts))).isEqualTo("""
            concat [2, 3]
            ├─ part [2, 1]
            │  └─ #1 split [2, 3]
            │     └─ x [2, 3] parameter
            └─ part [2, 2]
               └─ #1 above
            """);
    }
}
