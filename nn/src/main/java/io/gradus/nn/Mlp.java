package io.gradus.nn;

import io.gradus.autograd.Variable;
import java.util.ArrayList;
import java.util.List;

/** A multi-layer perceptron: linear layers with ReLU between them, named {@code layers.0}, {@code layers.1} and so on. */
public final class Mlp extends Module implements Layer {
    private final List<Linear> layers = new ArrayList<>();

    /**
     * @param weights provides {@code layers.0.weight} and so on, initialized with {@link Initializer#kaimingUniform}
     * @param bias whether the layers have biases
     * @param widths of the input, of each hidden layer, and of the output: at least two
     */
    public Mlp(WeightSource weights, boolean bias, int... widths) {
        if (widths.length < 2) {
            throw new IllegalArgumentException("mlp: needs at least an input and an output width");
        }
        for (int i = 0; i + 1 < widths.length; i++) {
            layers.add(register(new Linear(
                    weights.in("layers").in(i), widths[i], widths[i + 1], bias, Initializer.kaimingUniform())));
        }
    }

    /**
     * @param x {@code [.., widths[0]]}
     * @return {@code [.., last width]}
     */
    @Override
    public Variable forward(Variable x) {
        for (Linear layer : layers.subList(0, layers.size() - 1)) {
            x = layer.forward(x).relu();
        }
        return layers.getLast().forward(x);
    }

    /** The layers, first to last. */
    public List<Linear> layers() {
        return List.copyOf(layers);
    }
}
