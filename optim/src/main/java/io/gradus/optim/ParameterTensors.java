package io.gradus.optim;

import io.gradus.autograd.Variable;
import io.gradus.core.DType;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Scope;
import io.gradus.core.Tensor;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * One tensor for each parameter, by the parameter's name: an average, an anchor, an importance.
 *
 * @param owner what errors call the whole
 */
record ParameterTensors(String owner, Map<String, Tensor> byName) {

    ParameterTensors {
        byName = Collections.unmodifiableMap(new LinkedHashMap<>(byName));
    }

    /** Copies of weights, in F32 if they have 16 bits; they outlive every {@link Scope}. */
    static ParameterTensors copies(String owner, Collection<Variable> parameters, Function<Variable, Tensor> weights) {
        return make(owner, parameters, parameter -> {
            Tensor weight = weights.apply(parameter);
            return weight.to(weight.device(), weight.dtype().computed(), MemoryCategory.OPTIMIZER_STATE);
        });
    }

    /** Zeros in the parameters' shapes, in F32 if they have 16 bits; they outlive every {@link Scope}. */
    static ParameterTensors zeros(String owner, Collection<Variable> parameters) {
        return make(owner, parameters, parameter -> {
            Tensor value = parameter.value();
            DType dtype = value.dtype().computed();
            return Tensor.zeros(value.device(), dtype, value.shape(), MemoryCategory.OPTIMIZER_STATE);
        });
    }

    private static ParameterTensors make(
            String owner, Collection<Variable> parameters, Function<Variable, Tensor> tensor) {
        return Scope.outside(() -> {
            Map<String, Tensor> byName = new LinkedHashMap<>();
            parameters.forEach(p -> byName.put(ParameterGroup.nameOf(p), tensor.apply(p)));
            return new ParameterTensors(owner, byName);
        });
    }

    /**
     * The tensor of a parameter.
     *
     * @throws IllegalArgumentException if there is none, or it has another shape
     */
    Tensor of(Variable parameter) {
        Tensor tensor = byName.get(ParameterGroup.nameOf(parameter));
        if (tensor == null || !fits(tensor, parameter)) {
            throw new IllegalArgumentException(owner + ": it has "
                    + (tensor == null ? "no tensor" : "the shape " + tensor.shape()) + " for "
                    + ParameterGroup.nameOf(parameter) + " " + parameter.shape()
                    + "; create it from all parameters of the same model");
        }
        return tensor;
    }

    /** The names of the parameters that {@link #of} refuses. */
    List<String> unknown(Collection<Variable> parameters) {
        return parameters.stream()
                .filter(parameter -> !fits(byName.get(ParameterGroup.nameOf(parameter)), parameter))
                .map(ParameterGroup::nameOf)
                .toList();
    }

    private static boolean fits(@Nullable Tensor tensor, Variable parameter) {
        return tensor != null && tensor.shape().equals(parameter.shape());
    }

    /** The tensors by name and suffix. */
    Map<String, Tensor> state(String suffix) {
        Map<String, Tensor> state = new LinkedHashMap<>();
        byName.forEach((name, tensor) -> state.put(name + suffix, tensor));
        return state;
    }
}
