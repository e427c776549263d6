package io.gradus.optim;

import io.gradus.autograd.Variable;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/** The usual ways to divide a model's parameters into groups. */
public final class ParameterGroups {
    private ParameterGroups() {}

    /** All parameters in one group. */
    public static List<ParameterGroup> single(Collection<Variable> parameters, double weightDecay) {
        return List.of(new ParameterGroup("all", List.copyOf(parameters), 1, weightDecay));
    }

    /**
     * Weight decay for matrices and anything with more axes, none for vectors and scalars: biases and the weights of
     * norms only shift and scale, and a model is no simpler when they are small (as in Radford et al. 2018, section
     * 4.1).
     *
     * @return the groups {@code decay} and {@code no_decay}, without one that would be empty
     */
    public static List<ParameterGroup> decayed(Collection<Variable> parameters, double weightDecay) {
        List<Variable> matrices =
                parameters.stream().filter(p -> p.shape().rank() >= 2).toList();
        List<Variable> others =
                parameters.stream().filter(p -> p.shape().rank() < 2).toList();
        return Stream.of(
                        new ParameterGroup("decay", matrices, 1, weightDecay),
                        new ParameterGroup("no_decay", others, 1, 0))
                .filter(group -> !group.parameters().isEmpty())
                .toList();
    }

    /** Refuses groups that would step a parameter twice or whose state could not be told apart. */
    static void requireDistinct(String optimizer, List<ParameterGroup> groups) {
        Set<String> groupNames = new HashSet<>();
        Set<String> names = new HashSet<>();
        Set<Variable> parameters = new HashSet<>();
        for (ParameterGroup group : groups) {
            if (!groupNames.add(group.name())) {
                throw new IllegalArgumentException(
                        optimizer + ": two parameter groups are named '" + group.name() + "'");
            }
            for (Variable parameter : group.parameters()) {
                String name = ParameterGroup.nameOf(parameter);
                if (!parameters.add(parameter)) {
                    throw new IllegalArgumentException(optimizer + ": the parameter '" + name
                            + "' was given twice; a shared parameter must be listed once");
                }
                if (!names.add(name)) {
                    throw new IllegalArgumentException(optimizer + ": two parameters are named '" + name
                            + "'; their state could not be told apart");
                }
            }
        }
        if (parameters.isEmpty()) {
            throw new IllegalArgumentException(optimizer + ": there is no parameter to train");
        }
    }
}
