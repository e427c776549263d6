package io.gradus.nn;

import io.gradus.autograd.Autograd;
import io.gradus.autograd.Operation;
import io.gradus.autograd.Variable;
import io.gradus.core.Scope;
import io.gradus.core.Tensor;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Finds out why a result of a model is NaN or infinite. This reads all weights, so it is for results that are. */
public final class NonFinite {
    /** Elements read at a time. */
    private static final int RUN = 1 << 16;

    private @Nullable String lastParameter;
    private @Nullable String found;

    private NonFinite() {}

    /**
     * The cause: the first weight that has NaN or infinite numbers, or else the first operation with such a result.
     *
     * @param forward computes the result again; its tensors are freed
     * @return such as {@code the weight model.norm.weight has NaN at [3]; 1 of its 64 numbers is not finite}
     */
    public static String cause(Module model, Supplier<?> forward) {
        return weight(model).orElseGet(() -> activation(forward));
    }

    private static Optional<String> weight(Module model) {
        for (Map.Entry<String, Variable> parameter : model.namedParameters().entrySet()) {
            Tensor value = parameter.getValue().value();
            long first = -1;
            float example = 0;
            long count = 0;
            Tensor flat = value.reshape(value.size());
            for (long from = 0; from < value.size(); from += RUN) {
                float[] run =
                        flat.slice(from, Math.min(value.size(), from + RUN)).toFloats();
                for (int i = 0; i < run.length; i++) {
                    if (!Float.isFinite(run[i])) {
                        example = count == 0 ? run[i] : example;
                        first = count == 0 ? from + i : first;
                        count++;
                    }
                }
            }
            if (count > 0) {
                return Optional.of("the weight " + parameter.getKey() + " has " + example + " at "
                        + value.shape().position(first) + "; " + count + " of its " + value.size()
                        + (count == 1 ? " numbers is not finite" : " numbers are not finite"));
            }
        }
        return Optional.empty();
    }

    private static String activation(Supplier<?> forward) {
        NonFinite search = new NonFinite();
        try (Scope _ = Scope.open("search")) {
            Autograd.listening(search::inspect, forward);
        }
        return "all weights are finite"
                + (search.found == null
                        ? ""
                        : ", but activations overflow: the first result that is not is " + search.found);
    }

    private void inspect(Operation operation, List<Variable> inputs, Tensor result) {
        if (found != null) {
            return;
        }
        String where = lastParameter == null ? "" : " after " + module(lastParameter);
        for (Variable input : inputs) {
            String name = input.name();
            if (name != null && input.requiresGrad()) {
                where = " in " + module(name);
                lastParameter = name;
                break;
            }
        }
        if (!isFinite(result)) {
            found = "that of " + operation.label() + where;
        }
    }

    /** {@code model.norm} for {@code model.norm.weight}. */
    private static String module(String parameter) {
        int dot = parameter.lastIndexOf('.');
        return dot < 0 ? parameter : parameter.substring(0, dot);
    }

    private static boolean isFinite(Tensor tensor) {
        if (!tensor.dtype().isFloating()) {
            return true;
        }
        Tensor flat = tensor.reshape(tensor.size());
        for (long from = 0; from < tensor.size(); from += RUN) {
            for (float value :
                    flat.slice(from, Math.min(tensor.size(), from + RUN)).toFloats()) {
                if (!Float.isFinite(value)) {
                    return false;
                }
            }
        }
        return true;
    }
}
