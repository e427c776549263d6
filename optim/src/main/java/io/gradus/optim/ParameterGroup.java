package io.gradus.optim;

import io.gradus.autograd.Variable;
import java.util.List;
import java.util.Objects;

/**
 * Parameters that share a learning rate and a weight decay.
 *
 * @param name the group's name, for reports and errors
 * @param parameters named leaves; frozen ones are allowed and are not updated
 * @param learningRateFactor multiplies the optimizer's learning rate for this group; usually 1
 * @param weightDecay λ; 0 for none
 */
public record ParameterGroup(String name, List<Variable> parameters, double learningRateFactor, double weightDecay) {

    /**
     * @throws IllegalArgumentException if a number is negative or not finite, or a parameter has no name or is the result of an
     *     operation
     */
    public ParameterGroup {
        requireNotNegative("learningRateFactor", name, learningRateFactor);
        requireNotNegative("weightDecay", name, weightDecay);
        parameters = List.copyOf(parameters);
        for (Variable parameter : parameters) {
            if (!parameter.isLeaf() || parameter.name() == null) {
                throw new IllegalArgumentException("parameter group '" + name + "': " + parameter
                        + " is not a named parameter; create it with Variable.parameter(name, tensor)");
            }
        }
    }

    /** A group without weight decay, at the optimizer's learning rate. */
    public ParameterGroup(String name, List<Variable> parameters) {
        this(name, parameters, 1, 0);
    }

    /** The number of weights in the group, including frozen ones. */
    public long weightCount() {
        return parameters.stream()
                .mapToLong(parameter -> parameter.shape().size())
                .sum();
    }

    /** The name of a parameter of a group, which is not null. */
    static String nameOf(Variable parameter) {
        return Objects.requireNonNull(parameter.name());
    }

    private static void requireNotNegative(String what, String name, double value) {
        if (!(value >= 0) || Double.isInfinite(value)) {
            throw new IllegalArgumentException(
                    "parameter group '" + name + "': " + what + " is " + value + "; it must be a number of at least 0");
        }
    }
}
