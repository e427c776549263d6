package io.gradus.optim;

import io.gradus.autograd.Variable;
import io.gradus.core.Names;
import io.gradus.core.Scope;
import io.gradus.core.Tensor;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;

/**
 * The exponential moving average (EMA) of the weights: {@code a = d·a + (1 − d)·θ} after each step. It averages out the noise
 * that batches add to the weights (Polyak &amp; Juditsky 1992, who use the plain average), and often forgets less.
 *
 * {@snippet :
 * Variable w = Variable.parameter("w", Tensor.of(new float[] {1}, 1));
 * Optimizer optimizer = new Sgd(ParameterGroups.single(List.of(w), 0), 0.1);
 * WeightAverage average = new WeightAverage(List.of(w), 0.999);
 * for (int step = 0; step < 100; step++) {
 *     optimizer.zeroGrad();
 *     w.multiply(w).sum().backward();
 *     optimizer.step();
 *     average.update();
 * }
 * average.swap(); // w holds the average: evaluate, or save
 * average.swap(); // w holds the weights again
 * }
 *
 * The average starts as a copy of the weights, takes as much memory, and covers about the last 1/(1 − d) steps.
 */
public final class WeightAverage {
    private static final String SUFFIX = ".average";

    private final List<Variable> parameters;
    private final double decay;
    private final Function<Variable, Tensor> weights;
    private final ParameterTensors averages;
    /** While swapped: the values of 16-bit parameters, which hold the rounded average. */
    private final Map<String, Tensor> kept = new HashMap<>();

    private boolean swapped;

    /**
     * @param parameters named parameters; the average of a frozen one is its weights
     * @param decay d, at least 0 and less than 1; the average with 0 is the last weights
     * @throws IllegalArgumentException if the decay is out of range
     */
    public WeightAverage(Collection<Variable> parameters, double decay) {
        this(parameters, decay, Variable::value);
    }

    /**
     * @param weights maps a parameter to the weights to average, such as {@link Optimizer#weight} for 16-bit parameters with
     *     a master
     * @throws IllegalArgumentException if the decay is out of range
     */
    public WeightAverage(Collection<Variable> parameters, double decay, Function<Variable, Tensor> weights) {
        if (!(decay >= 0 && decay < 1)) {
            throw new IllegalArgumentException("weight average: the decay is " + decay + "; it must be in [0, 1)");
        }
        this.parameters = List.copyOf(parameters);
        this.decay = decay;
        this.weights = weights;
        this.averages = ParameterTensors.copies("weight average", parameters, weights);
    }

    /** d. */
    public double decay() {
        return decay;
    }

    /**
     * Adds the current weights to the average. Call it after each optimizer step.
     *
     * @throws IllegalStateException if the weights and the average are swapped
     */
    public void update() {
        if (swapped) {
            throw new IllegalStateException(
                    "weight average: the model holds the average; call swap() before the next step");
        }
        for (Variable parameter : parameters) {
            // a proximal step of strength s covers s/(1 + s) of the distance, which is 1 − d
            Tensor average = averageOf(parameter);
            try (Scope _ = Scope.open("weight average")) {
                Tensor weight = Precision.widen(weights.apply(parameter));
                weight.kernels().optimizerSteps().proximalStep(average, weight, null, (1 - decay) / decay);
            }
        }
    }

    /**
     * Exchanges the parameters' values and the average exactly. The model computes with the average until the next call. A
     * 16-bit parameter receives the rounded average; its own value is restored by the next call.
     */
    public void swap() {
        for (Variable parameter : parameters) {
            Tensor value = parameter.value();
            Tensor average = averageOf(parameter);
            if (value.dtype() == average.dtype()) {
                exchange(value, average);
            } else if (swapped) {
                value.copyFrom(Objects.requireNonNull(kept.remove(ParameterGroup.nameOf(parameter))));
            } else {
                kept.put(ParameterGroup.nameOf(parameter), Scope.outside(value::copy));
                value.copyFrom(average);
            }
        }
        swapped = !swapped;
    }

    private static void exchange(Tensor a, Tensor b) {
        try (Scope _ = Scope.open("weight average")) {
            Tensor copy = InPlace.copy(a);
            a.copyFrom(b);
            b.copyFrom(copy);
        }
    }

    /** Whether the parameters currently hold the average. */
    public boolean isSwapped() {
        return swapped;
    }

    /** The average of a parameter, not rounded, whether swapped or not. The tensor is not a copy. */
    public Tensor of(Variable parameter) {
        Tensor average = averageOf(parameter);
        return swapped && parameter.value().dtype() == average.dtype() ? parameter.value() : average;
    }

    private Tensor averageOf(Variable parameter) {
        return averages.of(parameter);
    }

    /**
     * The average by {@code <parameter>.average}. The tensors are not copies.
     *
     * @throws IllegalStateException if the weights and the average are swapped
     */
    public Map<String, Tensor> state() {
        if (swapped) {
            throw new IllegalStateException("weight average: the model holds the average; call swap() before saving");
        }
        return averages.state(SUFFIX);
    }

    /**
     * Restores what {@link #state()} returned.
     *
     * @throws IllegalArgumentException if a tensor is missing, unexpected or of another shape; names it, and changes nothing
     */
    public void load(Map<String, Tensor> saved) {
        List<String> wrong = averages.byName().entrySet().stream()
                .filter(entry -> {
                    Tensor tensor = saved.get(entry.getKey() + SUFFIX);
                    return tensor == null
                            || !tensor.shape().equals(entry.getValue().shape());
                })
                .map(entry -> entry.getKey() + SUFFIX)
                .toList();
        List<String> unexpected = saved.keySet().stream()
                .filter(name -> !name.endsWith(SUFFIX)
                        || !averages.byName().containsKey(name.substring(0, name.length() - SUFFIX.length())))
                .toList();
        if (!wrong.isEmpty() || !unexpected.isEmpty()) {
            throw new IllegalArgumentException("weight average: the saved state does not fit"
                    + (wrong.isEmpty() ? "" : "; missing or of another shape: " + Names.few(wrong))
                    + (unexpected.isEmpty() ? "" : "; unexpected: " + Names.few(unexpected)));
        }
        averages.state(SUFFIX).forEach((name, tensor) -> tensor.copyFrom(required(saved, name)));
    }

    private static Tensor required(Map<String, Tensor> saved, String name) {
        return Objects.requireNonNull(saved.get(name));
    }
}
