package io.gradus.optim;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.autograd.Variable;
import io.gradus.core.DType;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Tensor;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Optimizer state and penalties with 16-bit weights. */
class HalfPrecisionStateTest {
    private static final int SIZE = 4160;

    static List<Named<BiFunction<List<ParameterGroup>, Double, Optimizer>>> makers() {
        return List.of(
                Named.of("Adafactor", Adafactor::new),
                Named.of("AdamW8bit", AdamW8bit::new),
                Named.of("AdamW", AdamW::new));
    }

    private static Variable half() {
        float[] start = new float[SIZE];
        for (int i = 0; i < SIZE; i++) {
            start[i] = (float) Math.sin(i);
        }
        return Variable.parameter("w", Tensor.of(start, 65, 64).to(DType.BF16));
    }

    private static void train(Variable w, Optimizer optimizer, int from, int to) {
        for (int step = from; step < to; step++) {
            float[] gradient = w.value().toFloats();
            for (int i = 0; i < SIZE; i++) {
                gradient[i] += (float) Math.cos(step + i);
            }
            w.clearGrad();
            w.backward(Tensor.of(gradient, 65, 64), false);
            optimizer.step();
        }
    }

    @ParameterizedTest
    @MethodSource("makers")
    void resumedRunEndsWithTheSameBits(BiFunction<List<ParameterGroup>, Double, Optimizer> maker) {
        Variable w = half();
        Optimizer whole = maker.apply(TestParameters.group(w), 0.01);
        train(w, whole, 0, 6);
        Variable first = half();
        Optimizer interrupted = maker.apply(TestParameters.group(first), 0.01);
        train(first, interrupted, 0, 3);
        Variable second = half();
        second.value().copyFrom(first.value());
        Optimizer resumed = maker.apply(TestParameters.group(second), 0.01);
        Map<String, Tensor> state = interrupted.state();
        resumed.load(state);
        train(second, resumed, 3, 6);
        assertThat(second.value().toFloats()).containsExactly(w.value().toFloats());
        assertThat(resumed.weight(second).toFloats())
                .containsExactly(whole.weight(w).toFloats());
        assertThat(state.values()).allMatch(tensor -> !tensor.dtype().isHalf());
    }

    @Test
    void penaltyChangesTheMaster() {
        Variable w = half();
        Optimizer optimizer = new AdamW(TestParameters.group(w), 0.01);
        optimizer.initMasterWeight(w, w.value().to(w.value().device(), DType.F32, MemoryCategory.WORKSPACE));
        float[] before = optimizer.weight(w).toFloats();
        optimizer.setPenalty(
                ProximalPenalty.l2sp(AnchorWeights.of(List.of(w), optimizer::weight), Double.POSITIVE_INFINITY));
        train(w, optimizer, 0, 3);
        assertThat(optimizer.weight(w).toFloats()).containsExactly(before);
        optimizer.setPenalty(null);
        train(w, optimizer, 0, 1);
        assertThat(optimizer.weight(w).toFloats()).isNotEqualTo(before);
    }
}
