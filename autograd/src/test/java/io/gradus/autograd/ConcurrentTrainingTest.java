package io.gradus.autograd;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.core.Device;
import io.gradus.core.Philox;
import io.gradus.core.Scope;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.OptimizerStepKernels.Sgd;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

/** Models trained concurrently in one JVM share only the device, and have the same bits as if trained alone. */
class ConcurrentTrainingTest {

    @Test
    void concurrentTrainingGivesTheSameBitsAsTrainingAlone() throws Exception {
        List<Callable<float[]>> runs = new ArrayList<>();
        for (int seed = 1; seed <= 4; seed++) {
            int own = seed;
            runs.add(() -> train(own));
        }
        List<float[]> alone = new ArrayList<>();
        for (Callable<float[]> run : runs) {
            alone.add(run.call());
        }
        try (ExecutorService threads = Executors.newFixedThreadPool(runs.size())) {
            List<Future<float[]>> together = threads.invokeAll(runs);
            for (int i = 0; i < runs.size(); i++) {
                assertThat(together.get(i).get()).containsExactly(alone.get(i));
            }
        }
        assertThat(alone.get(0)).isNotEqualTo(alone.get(1));
    }

    /** Fits a two-layer network to random classes and returns all its weights. */
    private static float[] train(int seed) {
        Device device = Device.cpu();
        Variable w1 = Variable.parameter("w1", random(seed, 1, 33, 17));
        Variable w2 = Variable.parameter("w2", random(seed, 2, 17, 5));
        Tensor x = random(seed, 3, 64, 33);
        Tensor targets = Tensor.of(device, new int[64], 64);
        Sgd settings = new Sgd(1, 0, 0, false, 0);
        double first = 0;
        double last = 0;
        for (int step = 0; step < 40; step++) {
            try (Scope _ = Scope.open("step")) {
                Variable loss = Variable.constant(x)
                        .matmul(w1)
                        .gelu()
                        .dropout(0.1, new Philox.Key(seed, step, 0))
                        .matmul(w2)
                        .crossEntropy(targets);
                loss.backward();
                for (Variable w : List.of(w1, w2)) {
                    Tensor gradient = w.grad();
                    assertThat(gradient).isNotNull();
                    device.kernels().optimizerSteps().sgd(w.value(), gradient, null, settings, 1, false);
                    w.clearGrad();
                }
                first = step == 0 ? loss.item() : first;
                last = loss.item();
            }
        }
        assertThat(last).isLessThan(first / 2);
        float[] weights = Arrays.copyOf(w1.value().toFloats(), 33 * 17 + 17 * 5);
        System.arraycopy(w2.value().toFloats(), 0, weights, 33 * 17, 17 * 5);
        return weights;
    }

    private static Tensor random(int seed, int place, long rows, long columns) {
        float[] elements = new float[(int) (rows * columns)];
        for (int i = 0; i < elements.length; i++) {
            elements[i] = (float) Philox.nextDouble(new Philox.Key(seed, 0, place), i) - 0.5f;
        }
        return Tensor.of(elements, rows, columns);
    }
}
