package io.gradus.optim;

import io.gradus.autograd.Variable;
import java.util.List;
import java.util.Objects;

/**
 * Parameters that an optimiser treats alike.
 *
 * @param name what a person calls the group
 * @param parameters named leaves; a frozen one may be among them, and is then left alone
 * @param learningRateFactor what the optimiser's learning rate is multiplied by for this group: 1 usually
 * @param weightDecay λ, the pull towards zero: 0 for none
 */
public record ParameterGroup(String name, List<Variable> parameters, double learningRateFactor, double weightDecay) {

    /**
     * @throws IllegalArgumentException when a number is negative or not finite, or a parameter has no name or was made
     *     by an operation
     */
    public ParameterGroup {
        requireNotNegative("learningRateFactor", name, learningRateFactor);
        requireNotNegative("weightDecay", name, weightDecay);
        parameters = List.copyOf(parameters);
        for (Variable parameter : parameters) {
            if (!parameter.isLeaf() || parameter.name() == null) {
                throw new IllegalArgumentException("parameter group '" + name + "': " + parameter
                        + " is not a named parameter; make it with Variable.parameter(name, tensor)");
            }
        }
    }

    /** A group without weight decay that learns at the optimiser's rate. */
    public ParameterGroup(String name, List<Variable> parameters) {
        this(name, parameters, 1, 0);
    }

    /** The number of weights in the group, frozen ones included. */
    public long weights() {
        return parameters.stream()
                .mapToLong(parameter -> parameter.shape().size())
                .sum();
    }

    /** The name of a parameter that is in a group, and so has one. */
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
