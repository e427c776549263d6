package io.gradus.optim;

import io.gradus.autograd.Variable;
import io.gradus.core.Scope;
import io.gradus.core.Tensor;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;

/**
 * An average of the weights along the run, older ones counting less and less (exponential moving average; Polyak &amp;
 * Juditsky 1992 average all alike): {@code a = d·a + (1 − d)·θ} after each step. It lies nearer to the valley's floor
 * than the last weights, which the noise of the batches throws about, and often forgets less.
 *
 * <pre>{@code
 * WeightAverage average = new WeightAverage(model.parameters(), 0.999);
 * ...
 * optimizer.step();
 * average.update();
 * ...
 * average.swap();   // evaluate or save with the average
 * average.swap();   // and back to the weights
 * }</pre>
 *
 * It begins as a copy of the weights, as large as they are; about the last 1/(1 − d) steps are in it.
 */
public final class WeightAverage {
    private static final String SUFFIX = ".average";

    private final List<Variable> parameters;
    private final double decay;
    private final Function<Variable, Tensor> weights;
    private final ParameterTensors averages;
    /** The values of parameters of 16 bits while the average, which they cannot hold, is in their place. */
    private final Map<String, Tensor> kept = new HashMap<>();

    private boolean swapped;

    /**
     * @param parameters named ones; of one that stays frozen the average is the weight itself
     * @param decay d, at least 0 and below 1; 0 is the weights themselves
     * @throws IllegalArgumentException when the decay is out of its range
     */
    public WeightAverage(Collection<Variable> parameters, double decay) {
        this(parameters, decay, Variable::value);
    }

    /**
     * @param weights what is averaged of a parameter: its value, or the wider tensor that an optimiser keeps beside one of
     *     16 bits
     * @throws IllegalArgumentException when the decay is out of its range
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

    public double decay() {
        return decay;
    }

    /**
     * Takes the weights in as they are now; after each step of the optimiser.
     *
     * @throws IllegalStateException when weights and average are swapped
     */
    public void update() {
        if (swapped) {
            throw new IllegalStateException(
                    "weight average: the model holds the average; swap back before the next step");
        }
        for (Variable parameter : parameters) {
            // a pull of s goes the fraction s/(1 + s) of the way, and that is 1 − d
            Tensor average = averageOf(parameter);
            try (Scope _ = Scope.open("weight average")) {
                Tensor weight = Precision.widen(weights.apply(parameter));
                weight.kernels().optimizerSteps().pullTowards(average, weight, null, (1 - decay) / decay);
            }
        }
    }

    /**
     * Exchanges the parameters' values and the average, to the bit: the model computes with the average until the next
     * call. A parameter of 16 bits gets it rounded, and its own value is kept meanwhile.
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

    /** Whether the model computes with the average now. */
    public boolean isSwapped() {
        return swapped;
    }

    /** The average of a parameter, not rounded, whether it is swapped or not; the tensor itself and not a copy. */
    public Tensor of(Variable parameter) {
        Tensor average = averageOf(parameter);
        return swapped && parameter.value().dtype() == average.dtype() ? parameter.value() : average;
    }

    private Tensor averageOf(Variable parameter) {
        return averages.of(parameter);
    }

    /**
     * The average under {@code <parameter>.average}, the tensors themselves and not copies.
     *
     * @throws IllegalStateException when weights and average are swapped
     */
    public Map<String, Tensor> state() {
        if (swapped) {
            throw new IllegalStateException("weight average: the model holds the average; swap back before saving");
        }
        return averages.state(SUFFIX);
    }

    /**
     * Takes over what {@link #state()} gave, so that averaging goes on as if it had not stopped.
     *
     * @throws IllegalArgumentException that names what is missing, unexpected or of another shape; nothing has changed
     *     then
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
