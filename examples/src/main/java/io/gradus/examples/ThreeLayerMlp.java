package io.gradus.examples;

import io.gradus.autograd.Variable;
import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Philox;
import io.gradus.core.Scope;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.nn.Linear;
import io.gradus.nn.Losses;
import io.gradus.nn.Mlp;
import io.gradus.nn.WeightSource;
import io.gradus.optim.AdamW;
import io.gradus.optim.ParameterGroups;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/**
 * The smallest full fine-tune. Three linear layers of 40×30, 40×40 and 40×40, 4,400 weights, with ReLU between them, are
 * pre-trained on one function and fine-tuned on another, every layer of them. What fine-tuning changed is then plain to see:
 * for each layer ΔW = W′ − W, its norm, and what it costs to store.
 */
public final class ThreeLayerMlp {
    private static final int INPUTS = 30;
    private static final int WIDTH = 40;
    private static final int EXAMPLES = 256;

    private ThreeLayerMlp() {}

    public static void main(String[] args) {
        Mlp network = new Mlp(WeightSource.random(Device.cpu(), 1), false, INPUTS, WIDTH, WIDTH, WIDTH);
        System.out.println("parameters: " + network.parameterCount());

        Task first = Task.draw(10);
        System.out.printf(Locale.ROOT, "%npre-training on the first task%n");
        train(network, first, 500, 1e-2);

        double known = loss(network, first);
        List<Tensor> before = weights(network);
        Task second = first.changed(0.3, 20);
        System.out.printf(
                Locale.ROOT, "%nfull fine-tuning on the second task, which is the first one changed by a third%n");
        train(network, second, 200, 2e-3);

        double after = loss(network, first);
        System.out.printf(
                Locale.ROOT, "%nloss on the first task: %.5f before, %.5f now; the rest was forgotten%n", known, after);

        System.out.printf("%nWhat fine-tuning changed, ΔW = W′ − W, its first rows and columns:%n");
        List<Linear> layers = network.layers();
        for (int i = 0; i < layers.size(); i++) {
            printChange(i, before.get(i), layers.get(i).weight().value());
        }
        System.out.printf(
                "%nA layer's ΔW has the size of the layer: storing the change costs as much as storing the model.%n"
                        + "(Weights that did not change lead to or from a ReLU that is 0 for every example.)%n");
    }

    /** Makes the error smaller, step by step. */
    private static void train(Mlp network, Task task, int steps, double learningRate) {
        AdamW optimizer = new AdamW(ParameterGroups.single(network.parameters(), 0), learningRate);
        for (int step = 0; step <= steps; step++) {
            try (Scope _ = Scope.open("step")) {
                optimizer.zeroGrad();
                Variable loss = Losses.mseLoss(network.forward(task.inputs()), task.targets());
                loss.backward();
                if (step % (steps / 4) == 0) {
                    System.out.printf(Locale.ROOT, "step %4d  loss %.5f%n", step, loss.item());
                }
                optimizer.step();
            }
        }
    }

    private static double loss(Mlp network, Task task) {
        return Losses.mseLoss(network.forward(task.inputs()), task.targets()).item();
    }

    private static List<Tensor> weights(Mlp network) {
        return network.layers().stream()
                .map(layer -> layer.weight().value().copy())
                .toList();
    }

    private static void printChange(int layer, Tensor before, Tensor after) {
        Tensor delta = after.copy();
        delta.kernels().elementwise().affine(before, -1, 0, delta, true);
        float[] changes = delta.toFloats();
        int columns = (int) delta.shape().last();
        double norm = norm(changes);
        long changed =
                IntStream.range(0, changes.length).filter(i -> changes[i] != 0).count();
        System.out.printf(
                Locale.ROOT,
                "%nlayer %d, %s: ‖ΔW‖ = %.4f, %.1f%% of ‖W‖; %d of %d weights changed; %,d bytes to store%n",
                layer,
                delta.shape(),
                norm,
                100 * norm / norm(before.toFloats()),
                changed,
                changes.length,
                delta.byteSize());
        for (int row = 0; row < 3; row++) {
            for (int column = 0; column < 8; column++) {
                System.out.printf(Locale.ROOT, "%+9.5f", changes[row * columns + column]);
            }
            System.out.println("  …");
        }
    }

    /** The Frobenius norm. */
    private static double norm(float[] matrix) {
        return Math.sqrt(IntStream.range(0, matrix.length)
                .mapToDouble(i -> matrix[i] * matrix[i])
                .sum());
    }

    /** A function to learn, given by examples: the outputs of a random network of one layer. */
    private record Task(Variable inputs, Tensor teacher) {
        static Task draw(long seed) {
            return new Task(Variable.constant(normal(seed, 0, EXAMPLES, INPUTS)), normal(seed, 1, WIDTH, INPUTS));
        }

        Variable targets() {
            Variable sum = inputs.matmul(Variable.constant(teacher), false, true);
            return sum.multiply(1 / Math.sqrt(INPUTS)).tanh();
        }

        /** A related function: the teacher's weights moved by a part of their size. */
        Task changed(double part, long seed) {
            Tensor moved = teacher.copy();
            moved.kernels().elementwise().affine(normal(seed, 2, WIDTH, INPUTS), part, 0, moved, true);
            return new Task(inputs, moved);
        }

        private static Tensor normal(long seed, int place, long... shape) {
            Tensor x = Tensor.empty(Device.cpu(), DType.F32, Shape.of(shape), MemoryCategory.ACTIVATIONS);
            x.kernels().random().normal(x, 0, 1, new Philox.Key(seed, 0, place));
            return x;
        }
    }
}
