package io.gradus.autograd;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.MemoryLedger;
import io.gradus.core.Scope;
import io.gradus.core.Tensor;
import io.gradus.core.cpu.CpuBackend;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** A leaf is reported once, when its gradient is complete and nothing will read its value. */
class LeafGradientsTest {
    private final Device device = new Device("cpu", 0, new CpuBackend(1));
    private final MemoryLedger memory = device.backend().memory();

    private Variable parameter(String name, float... elements) {
        return Variable.parameter(name, Tensor.of(device, elements, elements.length));
    }

    /** The gradients at the time of the report. */
    private static Map<String, float[]> reported(Variable loss) {
        Map<String, float[]> reported = new LinkedHashMap<>();
        loss.backwardAndRelease(leaf -> {
            float[] gradient = Objects.requireNonNull(leaf.grad()).toFloats();
            assertThat(reported.put(Objects.requireNonNull(leaf.name()), gradient))
                    .as("reported once")
                    .isNull();
        });
        return reported;
    }

    @Test
    void lastLayerIsReportedFirst() {
        Variable a = parameter("a", 2);
        Variable b = parameter("b", 3);
        Variable c = parameter("c", 5);
        Map<String, float[]> reported =
                reported(a.multiply(1).multiply(b).multiply(c).sum());
        assertThat(reported.keySet()).containsExactly("c", "b", "a");
        assertThat(reported.get("a")).containsExactly(15);
    }

    @Test
    void sharedLeafIsReportedAfterItsLastReader() {
        Variable shared = parameter("shared", 2);
        Variable last = parameter("last", 3);
        Map<String, float[]> reported =
                reported(shared.multiply(shared).multiply(shared).multiply(last).sum()); // 3·s³
        assertThat(reported.keySet()).containsExactly("last", "shared");
        assertThat(reported.get("shared")).containsExactly(36);
        assertThat(reported.get("last")).containsExactly(8);
    }

    @Test
    void leafIsReportedIfABranchGetsNoGradient() {
        Variable x = parameter("x", 2);
        Variable dead = x.split(0, 1, 0).get(0).multiply(3);
        Map<String, float[]> reported =
                reported(x.multiply(5).add(dead.detach()).sum());
        assertThat(reported.get("x")).containsExactly(5);
    }

    @Test
    void frozenLeafIsNotReportedAndASingleLeafIs() {
        Variable frozen = parameter("frozen", 2);
        frozen.setRequiresGrad(false);
        Variable x = parameter("x", 2);
        assertThat(reported(x.multiply(frozen).sum()).keySet()).containsExactly("x");
        assertThat(reported(parameter("alone", 2)).get("alone")).containsExactly(1);
    }

    @Test
    void leavesInsideACheckpointAreReportedWhenComplete() {
        List<String> reported = new ArrayList<>();
        Variable x = parameter("x", 2);
        Variable first = parameter("first", 3);
        Variable second = parameter("second", 5);
        Variable both = parameter("both", 7);
        Variable h = x.checkpoint(in -> in.multiply(first).multiply(second).multiply(both));
        Variable loss = h.checkpoint(in -> in.multiply(both).multiply(x)).sum();
        Map<String, float[]> gradients = new LinkedHashMap<>();
        loss.backwardAndRelease(leaf -> {
            reported.add(leaf.name());
            gradients.put(leaf.name(), Objects.requireNonNull(leaf.grad()).toFloats());
            leaf.releaseGrad();
        });
        assertThat(reported).containsExactly("both", "second", "first", "x");
        assertThat(gradients.get("both")).containsExactly(2 * 2 * 2 * 3 * 5 * 7); // of x²·first·second·both²
        assertThat(gradients.get("x")).containsExactly(2 * 2 * 3 * 5 * 49);
    }

    @Test
    void leafThatIsInputAndCapturedIsReportedOnce() {
        Variable x = parameter("x", 2);
        Map<String, float[]> reported =
                reported(x.checkpoint(in -> in.multiply(x)).sum());
        assertThat(reported.get("x")).containsExactly(4);
    }

    @Test
    void gradientsReleasedOnCompletionDoNotAccumulate() {
        int size = 1000;
        List<Variable> weights = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            weights.add(parameter("w" + i, new float[size]));
        }
        memory.resetPeak();
        long before = memory.live();
        try (Scope _ = Scope.open("step")) {
            Variable h = Variable.constant(Tensor.of(device, new float[size], size));
            for (Variable weight : weights) {
                h = h.add(weight);
            }
            h.mean().backwardAndRelease(Variable::releaseGrad);
        }
        assertThat(memory.live(MemoryCategory.GRADIENTS)).isZero();
        assertThat(memory.live()).isEqualTo(before);
        assertThat(memory.atPeak().getOrDefault(MemoryCategory.GRADIENTS, 0L)).isLessThanOrEqualTo(2 * size * 4 + 8);
        assertThat(weights.getFirst().grad()).isNull();
        weights.getFirst().multiply(2).sum().backward(); // gets a new buffer
        assertThat(Objects.requireNonNull(weights.getFirst().grad()).toFloats()).containsOnly(2);
    }
}
