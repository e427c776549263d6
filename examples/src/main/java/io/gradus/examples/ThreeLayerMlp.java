package io.gradus.examples;

import io.gradus.autograd.Variable;
import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Philox;
import io.gradus.core.Scope;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.nn.Initializer;
import io.gradus.nn.Linear;
import io.gradus.nn.Losses;
import io.gradus.nn.Mlp;
import io.gradus.nn.WeightSource;
import io.gradus.optim.AdamW;
import io.gradus.optim.InPlace;
import io.gradus.optim.ParameterGroups;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/**
 * The smallest full fine-tuning. A network of three linear layers (40×30, 40×40, 40×40: 4,400 weights) with ReLU between them is
 * pre-trained on one function and then fine-tuned on another, all layers of it. For each layer the program prints what
 * fine-tuning changed: ΔW = W′ − W, its norm, and the bytes needed to store it.
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
        System.out.printf(Locale.ROOT, "%nfull fine-tuning on the second task, a variation of the first%n");
        train(network, second, 200, 2e-3);

        double after = loss(network, first);
        System.out.printf(
                Locale.ROOT,
                "%nloss on the first task: %.5f before fine-tuning, %.5f after: the network forgot some of it%n",
                known,
                after);

        System.out.printf(Locale.ROOT, "%nThe first rows and columns of the change ΔW = W′ − W of each layer:%n");
        List<Linear> layers = network.layers();
        for (int i = 0; i < layers.size(); i++) {
            printChange(i, before.get(i), layers.get(i).weight().value());
        }
        System.out.printf(
                Locale.ROOT,
                "%nΔW has as many numbers as the layer: storing the change takes as much space as storing the model.%n"
                        + "(Unchanged weights are connected to a ReLU that is 0 for every example.)%n");
    }

    /** Minimizes the mean squared error. */
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
        InPlace.subtract(delta, before);
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

    /** A function to learn, given by examples: the outputs of a random network with one layer. */
    private record Task(Variable inputs, Tensor teacher) {
        static Task draw(long seed) {
            return new Task(Variable.constant(normal(seed, 0, EXAMPLES, INPUTS)), normal(seed, 1, WIDTH, INPUTS));
        }

        Variable targets() {
            Variable sum = inputs.matmul(Variable.constant(teacher), false, true);
            return sum.multiply(1 / Math.sqrt(INPUTS)).tanh();
        }

        /** A related function: random changes, of a given size relative to the weights, are added to the teacher's weights. */
        Task changed(double part, long seed) {
            Tensor moved = teacher.copy();
            InPlace.add(moved, normal(seed, 2, WIDTH, INPUTS), part);
            return new Task(inputs, moved);
        }

        private static Tensor normal(long seed, int place, long... shape) {
            Tensor x = Tensor.empty(Device.cpu(), DType.F32, Shape.of(shape), MemoryCategory.ACTIVATIONS);
            Initializer.normal(1).fill(x, new Philox.Key(seed, 0, place));
            return x;
        }
    }
}
