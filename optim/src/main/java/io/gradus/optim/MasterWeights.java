package io.gradus.optim;

import io.gradus.autograd.Variable;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Scope;
import io.gradus.core.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What steps really change of parameters of 16 bits (Micikevicius et al. 2018, section 3.1): a copy in F32, from which the
 * parameter is rounded after each step. An update is often smaller than half the distance to the parameter's neighbour, a
 * 256th of it for BF16, and would be lost if it were rounded each time; in the master it adds up.
 *
 * <p>Masters count as optimiser state: with two moments that makes 12 bytes for each weight, beside 2 of the weight and 2 of
 * its gradient. A parameter of F32 is its own master.
 */
final class MasterWeights {
    /** What state is named after the parameter's name. */
    static final String NAME = "master";

    private final Map<String, Tensor> masters = new LinkedHashMap<>();

    static boolean isNeeded(Variable parameter) {
        return parameter.value().dtype().isHalf();
    }

    /** The weights in the precision that they are trained in; starts as the parameter is. */
    Tensor of(Variable parameter) {
        return isNeeded(parameter)
                ? masters.computeIfAbsent(ParameterGroup.nameOf(parameter), _ -> copy(parameter))
                : parameter.value();
    }

    private static Tensor copy(Variable parameter) {
        Tensor value = parameter.value();
        Tensor master =
                Scope.outside(() -> value.to(value.device(), value.dtype().computed(), MemoryCategory.OPTIMIZER_STATE));
        return master.named(ParameterGroup.nameOf(parameter) + "." + NAME);
    }

    /** Rounds the master into the parameter. */
    void write(Variable parameter) {
        if (isNeeded(parameter)) {
            parameter.value().copyFrom(of(parameter));
        }
    }

    /** All masters by the names of their parameters. */
    Map<String, Tensor> all() {
        return masters;
    }
}
