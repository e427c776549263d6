package io.gradus.optim;

import io.gradus.autograd.Variable;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.IntToDoubleFunction;
import java.util.function.ToIntFunction;
import java.util.stream.Stream;

/**
 * Common ways to divide a model's parameters into groups.
 *
 * {@snippet :
 * Variable weight = Variable.parameter("layers.0.weight", Tensor.of(new float[] {1, 2}, 1, 2));
 * Variable bias = Variable.parameter("layers.0.bias", Tensor.of(new float[] {0}, 1));
 * List<ParameterGroup> groups = ParameterGroups.withWeightDecay(List.of(weight, bias), 0.1);
 * // groups.get(0): "decay" with weight, groups.get(1): "no_decay" with bias
 * Optimizer optimizer = new AdamW(groups, 3e-4);
 * }
 */
public final class ParameterGroups {
    /** ξ as in Howard &amp; Ruder 2018. */
    public static final double XI = 2.6;

    private ParameterGroups() {}

    /** All parameters in one group. */
    public static List<ParameterGroup> single(Collection<Variable> parameters, double weightDecay) {
        return List.of(new ParameterGroup("all", List.copyOf(parameters), 1, weightDecay));
    }

    /**
     * Weight decay for parameters with two or more dimensions, and none for vectors and scalars: small biases and norm weights
     * do not make a model simpler (as in Radford et al. 2018, section 4.1).
     *
     * @return the groups {@code decay} and {@code no_decay}; an empty group is omitted
     */
    public static List<ParameterGroup> withWeightDecay(Collection<Variable> parameters, double weightDecay) {
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

    /**
     * Discriminative learning rates (Howard &amp; Ruder 2018, section 3.2): the top group has the optimizer's learning rate, and
     * each group below has the rate of the group above divided by ξ, {@code ηˡ⁻¹ = ηˡ/ξ}. Lower layers hold general features and
     * should change less.
     *
     * @param depth by parameter name; the greatest depth is the top: {@link LayerDepth}, or your own function
     * @param xi ξ, at least 1. The paper uses {@link #XI} for a language model with three layers; in a transformer with 13 groups
     *     that leaves the lowest group 1e-5 of the rate
     * @param weightDecay for parameters with two or more dimensions, as in {@link #withWeightDecay}
     * @return the groups {@code depth 3} and {@code depth 3, no decay} for each depth, from the lowest to the top; empty groups
     *     are omitted
     * @throws IllegalArgumentException if ξ is less than 1 or not finite
     */
    public static List<ParameterGroup> discriminative(
            Collection<Variable> parameters, ToIntFunction<String> depth, double xi, double weightDecay) {
        if (!(xi >= 1) || Double.isInfinite(xi)) {
            throw new IllegalArgumentException(
                    "discriminative learning rates: xi is " + xi + "; it must be at least 1");
        }
        return byDepth(parameters, depth, below -> Math.pow(xi, -below), weightDecay);
    }

    /**
     * Layer-wise learning rate decay (Clark et al. 2020, ELECTRA, appendix B): like {@link #discriminative} with ξ = 1/factor.
     *
     * @param factor multiplies the rate of each group to give the rate of the group below; greater than 0 and at most 1. 0.65 to
     *     0.95 is usual
     * @throws IllegalArgumentException if the factor is out of range
     */
    public static List<ParameterGroup> layerwiseDecay(
            Collection<Variable> parameters, ToIntFunction<String> depth, double factor, double weightDecay) {
        if (!(factor > 0 && factor <= 1)) {
            throw new IllegalArgumentException(
                    "layer-wise learning rate decay: the factor is " + factor + "; it must be in (0, 1]");
        }
        return byDepth(parameters, depth, below -> Math.pow(factor, below), weightDecay);
    }

    /** @param factor of the learning rate, by the number of depths below the top */
    private static List<ParameterGroup> byDepth(
            Collection<Variable> parameters,
            ToIntFunction<String> depth,
            IntToDoubleFunction factor,
            double weightDecay) {
        TreeMap<Integer, List<Variable>> byDepth = new TreeMap<>();
        for (Variable parameter : parameters) {
            byDepth.computeIfAbsent(depth.applyAsInt(ParameterGroup.nameOf(parameter)), _ -> new ArrayList<>())
                    .add(parameter);
        }
        List<ParameterGroup> groups = new ArrayList<>();
        byDepth.forEach((at, members) -> {
            double rate = factor.applyAsDouble(byDepth.lastKey() - at);
            for (ParameterGroup group : withWeightDecay(members, weightDecay)) {
                String name = "depth " + at + (group.name().equals("decay") ? "" : ", no decay");
                groups.add(new ParameterGroup(name, group.parameters(), rate, group.weightDecay()));
            }
        });
        return List.copyOf(groups);
    }

    /** Rejects groups that would update a parameter twice, or whose names would make state ambiguous. */
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
                    throw new IllegalArgumentException(
                            optimizer + ": the parameter '" + name + "' was given twice; list a shared parameter once");
                }
                if (!names.add(name)) {
                    throw new IllegalArgumentException(optimizer + ": two parameters are named '" + name
                            + "'; rename one, since state is saved by name");
                }
            }
        }
        if (parameters.isEmpty()) {
            throw new IllegalArgumentException(optimizer + ": there is no parameter to train; the groups are empty");
        }
    }
}
