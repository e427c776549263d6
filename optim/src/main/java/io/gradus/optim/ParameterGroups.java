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

/** The usual ways to divide a model's parameters into groups. */
public final class ParameterGroups {
    /** The ξ of Howard &amp; Ruder 2018. */
    public static final double XI = 2.6;

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
     * Discriminative rates (Howard &amp; Ruder 2018, section 3.2): what is nearest to the output learns at the
     * optimiser's rate, and each group below at the rate of the one above divided by ξ, {@code ηˡ⁻¹ = ηˡ/ξ}. Lower
     * layers hold what is general and should move less.
     *
     * @param depth by name, the greatest being the top: {@link LayerDepth}, or a function of your own
     * @param xi ξ, at least 1; the paper found {@link #XI} for a language model of three layers, and 13 groups of a
     *     transformer with it leave the lowest at 1e-5 of the rate
     * @param weightDecay for matrices; biases and the weights of norms have none, as in {@link #withWeightDecay}
     * @return for each depth the groups {@code depth 3} and {@code depth 3, no decay}, from the lowest to the top,
     *     without any that would be empty
     * @throws IllegalArgumentException when ξ is smaller or not finite
     */
    public static List<ParameterGroup> discriminative(
            Collection<Variable> parameters, ToIntFunction<String> depth, double xi, double weightDecay) {
        if (!(xi >= 1) || Double.isInfinite(xi)) {
            throw new IllegalArgumentException("discriminative rates: xi is " + xi + "; it must be at least 1");
        }
        return byDepth(parameters, depth, below -> Math.pow(xi, -below), weightDecay);
    }

    /**
     * Layer-wise decay of the rate (Clark et al. 2020, ELECTRA, appendix B): as {@link #discriminative} with 1/factor in
     * place of ξ, for those who think in factors.
     *
     * @param factor what the rate of a group is multiplied by for the one below, above 0 and at most 1; 0.65 to 0.95 is
     *     usual
     * @throws IllegalArgumentException when the factor is out of its range
     */
    public static List<ParameterGroup> layerwiseDecay(
            Collection<Variable> parameters, ToIntFunction<String> depth, double factor, double weightDecay) {
        if (!(factor > 0 && factor <= 1)) {
            throw new IllegalArgumentException("layer-wise decay: the factor is " + factor + "; it must be in (0, 1]");
        }
        return byDepth(parameters, depth, below -> Math.pow(factor, below), weightDecay);
    }

    /** @param factor of the rate, by how many depths below the top */
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
