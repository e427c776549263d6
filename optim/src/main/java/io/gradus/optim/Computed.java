package io.gradus.optim;

import io.gradus.autograd.Variable;
import io.gradus.core.DType;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Scope;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.ElementwiseKernels.Binary;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;

/** Weights in a dtype that is computed in, and what is remembered of them by name. */
final class Computed {
    private Computed() {}

    private static DType wide(DType dtype) {
        return dtype.bytes() < DType.F32.bytes() ? DType.F32 : dtype;
    }

    /** A copy to be kept beside the weights: in their dtype, or in F32 where that has 16 bits. */
    private static Tensor copy(Tensor value) {
        return value.to(value.device(), wide(value.dtype()), MemoryCategory.OPTIMIZER_STATE);
    }

    /** Copies to be kept by name, which outlive every {@link Scope}. */
    static Map<String, Tensor> copies(Collection<Variable> parameters, Function<Variable, Tensor> weights) {
        return Scope.outside(() -> {
            Map<String, Tensor> copies = new LinkedHashMap<>();
            parameters.forEach(
                    parameter -> copies.put(ParameterGroup.nameOf(parameter), copy(weights.apply(parameter))));
            return copies;
        });
    }

    /** Zeros of the shape of weights, to be kept beside them. */
    static Tensor zeros(Tensor value) {
        return Tensor.zeros(value.device(), wide(value.dtype()), value.shape(), MemoryCategory.OPTIMIZER_STATE);
    }

    /** Works something out from weights; what is allocated on the way is given back. */
    static <T> T inScope(Tensor value, Function<Tensor, T> work) {
        try (Scope _ = Scope.open("weights")) {
            return work.apply(value.to(wide(value.dtype())));
        }
    }

    /** Changes weights in place, through a wider copy if need be. */
    static void change(Tensor value, Consumer<Tensor> change) {
        inScope(value, wide -> {
            change.accept(wide);
            if (wide != value) {
                value.copyFrom(wide);
            }
            return wide;
        });
    }

    /** {@code a − b}. */
    static Tensor difference(Tensor a, Tensor b) {
        Tensor result = Tensor.empty(a.device(), a.dtype(), a.shape(), MemoryCategory.WORKSPACE);
        a.backend().elementwise().binary(Binary.SUBTRACT, a, b, result, false);
        return result;
    }

    /** Parameters for which there is no tensor, or one of another shape, by name. */
    static List<String> unknown(Map<String, Tensor> tensors, Collection<Variable> parameters) {
        return parameters.stream()
                .filter(parameter -> {
                    Tensor tensor = tensors.get(ParameterGroup.nameOf(parameter));
                    return tensor == null || !tensor.shape().equals(parameter.shape());
                })
                .map(ParameterGroup::nameOf)
                .toList();
    }

    /**
     * What is remembered of a parameter.
     *
     * @throws IllegalArgumentException when there is nothing, or it has another shape
     */
    static Tensor named(String what, Map<String, Tensor> tensors, Variable parameter) {
        Tensor tensor = tensors.get(ParameterGroup.nameOf(parameter));
        if (tensor == null || !tensor.shape().equals(parameter.shape())) {
            throw new IllegalArgumentException(what + ": it has "
                    + (tensor == null ? "nothing" : "the shape " + tensor.shape()) + " for "
                    + ParameterGroup.nameOf(parameter) + " " + parameter.shape()
                    + "; make it from all parameters of the same model");
        }
        return tensor;
    }
}
