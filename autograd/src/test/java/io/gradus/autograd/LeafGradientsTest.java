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

/** A leaf's gradient is told of once, when all of it is there and nobody is to read the leaf's value any more. */
class LeafGradientsTest {
    private final Device device = new Device("cpu", 0, new CpuBackend(1));
    private final MemoryLedger memory = device.backend().memory();

    private Variable parameter(String name, float... elements) {
        return Variable.parameter(name, Tensor.of(device, elements, elements.length));
    }

    /** The gradients as they are when they are told of. */
    private static Map<String, float[]> told(Variable loss) {
        Map<String, float[]> told = new LinkedHashMap<>();
        loss.backwardAndRelease(leaf -> {
            float[] gradient = Objects.requireNonNull(leaf.grad()).toFloats();
            assertThat(told.put(Objects.requireNonNull(leaf.name()), gradient))
                    .as("told once")
                    .isNull();
        });
        return told;
    }

    @Test
    void theLastLayerComesFirst() {
        Variable a = parameter("a", 2);
        Variable b = parameter("b", 3);
        Variable c = parameter("c", 5);
        Map<String, float[]> told = told(a.multiply(1).multiply(b).multiply(c).sum());
        assertThat(told.keySet()).containsExactly("c", "b", "a");
        assertThat(told.get("a")).containsExactly(15);
    }

    @Test
    void aSharedLeafWaitsForAllThatReadIt() {
        Variable shared = parameter("shared", 2);
        Variable last = parameter("last", 3);
        Map<String, float[]> told =
                told(shared.multiply(shared).multiply(shared).multiply(last).sum()); // 3·s³
        assertThat(told.keySet()).containsExactly("last", "shared");
        assertThat(told.get("shared")).containsExactly(36);
        assertThat(told.get("last")).containsExactly(8);
    }

    @Test
    void aBranchThatGetsNoGradientIsNotWaitedFor() {
        Variable x = parameter("x", 2);
        Variable dead = x.split(0, 1, 0).get(0).multiply(3);
        Map<String, float[]> told = told(x.multiply(5).add(dead.detach()).sum());
        assertThat(told.get("x")).containsExactly(5);
    }

    @Test
    void aFrozenLeafAndALeafAloneAreToldRightly() {
        Variable frozen = parameter("frozen", 2);
        frozen.setRequiresGrad(false);
        Variable x = parameter("x", 2);
        assertThat(told(x.multiply(frozen).sum()).keySet()).containsExactly("x");
        assertThat(told(parameter("alone", 2)).get("alone")).containsExactly(1);
    }

    @Test
    void insideACheckpointEachIsToldWhenItIsReady() {
        List<String> told = new ArrayList<>();
        Variable x = parameter("x", 2);
        Variable first = parameter("first", 3);
        Variable second = parameter("second", 5);
        Variable both = parameter("both", 7);
        Variable h = x.checkpoint(in -> in.multiply(first).multiply(second).multiply(both));
        Variable loss = h.checkpoint(in -> in.multiply(both).multiply(x)).sum();
        Map<String, float[]> gradients = new LinkedHashMap<>();
        loss.backwardAndRelease(leaf -> {
            told.add(leaf.name());
            gradients.put(leaf.name(), Objects.requireNonNull(leaf.grad()).toFloats());
            leaf.releaseGrad();
        });
        assertThat(told).containsExactly("both", "second", "first", "x");
        assertThat(gradients.get("both")).containsExactly(2 * 2 * 2 * 3 * 5 * 7); // of x²·first·second·both²
        assertThat(gradients.get("x")).containsExactly(2 * 2 * 3 * 5 * 49);
    }

    @Test
    void aLeafThatIsInputAndReachedInsideIsToldOnceAllIsThere() {
        Variable x = parameter("x", 2);
        Map<String, float[]> told = told(x.checkpoint(in -> in.multiply(x)).sum());
        assertThat(told.get("x")).containsExactly(4);
    }

    @Test
    void gradientsThatAreReleasedDoNotPileUp() {
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
