package io.gradus.optim;

import io.gradus.autograd.Variable;
import io.gradus.core.Tensor;
import java.util.List;

/** Parameters and gradients for tests. */
final class TestParameters {
    private TestParameters() {}

    /** A vector parameter on the CPU. */
    static Variable parameter(String name, float... elements) {
        return Variable.parameter(name, Tensor.of(elements, elements.length));
    }

    /** Replaces the gradient of a parameter by these elements, row by row. */
    static void gradient(Variable parameter, float... elements) {
        gradient(parameter, Tensor.of(elements, parameter.shape().toArray()));
    }

    static void gradient(Variable parameter, Tensor gradient) {
        parameter.clearGrad();
        parameter.backward(gradient, false);
    }

    /** One group without weight decay. */
    static List<ParameterGroup> group(Variable... parameters) {
        return List.of(new ParameterGroup("all", List.of(parameters)));
    }
}
