package io.gradus.optim;

import io.gradus.autograd.Variable;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.TreeMap;
import java.util.function.ToIntFunction;

/**
 * Trains only the top layer group at first, and unfreezes one more group from the top at each interval (Howard &amp; Ruder
 * 2018, section 3.3, where the interval is an epoch). The lower layers are thereby protected from the gradients of a head that
 * has not been trained yet.
 *
 * {@snippet :
 * Variable bottom = Variable.parameter("layers.0.weight", Tensor.of(new float[] {1}, 1));
 * Variable top = Variable.parameter("layers.1.weight", Tensor.of(new float[] {1}, 1));
 * List<Variable> parameters = List.of(bottom, top);
 * GradualUnfreezing unfreezing = new GradualUnfreezing(parameters, LayerDepth.of(parameters), 100);
 * for (int step = 0; step < 200; step++) {
 *     unfreezing.apply(step); // bottom is trained from step 100 on
 * }
 * }
 *
 * The step alone determines which groups are trained, so a resumed run has nothing to restore: call {@link #apply} with the next
 * step before creating the optimizer. The optimizer allocates state for a group at its first step.
 */
public final class GradualUnfreezing {
    private final List<List<Variable>> groups;
    private final long interval;

    /**
     * @param parameters named parameters; those that are frozen already remain frozen and belong to no group
     * @param depth by parameter name; the greatest depth is the top
     * @param interval number of steps between groups, at least 1
     * @throws IllegalArgumentException if the interval is less than 1, or there is no parameter to train
     */
    public GradualUnfreezing(Collection<Variable> parameters, ToIntFunction<String> depth, long interval) {
        if (interval < 1) {
            throw new IllegalArgumentException(
                    "gradual unfreezing: the interval is " + interval + "; it must be at least 1 step");
        }
        TreeMap<Integer, List<Variable>> byDepth = new TreeMap<>(Comparator.reverseOrder());
        parameters.stream()
                .filter(Variable::requiresGrad)
                .forEach(parameter -> byDepth.computeIfAbsent(
                                depth.applyAsInt(ParameterGroup.nameOf(parameter)), _ -> new ArrayList<>())
                        .add(parameter));
        if (byDepth.isEmpty()) {
            throw new IllegalArgumentException("gradual unfreezing: there is no parameter to train");
        }
        this.groups = List.copyOf(byDepth.values());
        this.interval = interval;
    }

    /** The parameters that are unfrozen together, from the top down. */
    public List<List<Variable>> groups() {
        return groups;
    }

    /**
     * The number of groups that are trained in a step.
     *
     * @param step the number of steps done: 0 for the first
     * @throws IllegalArgumentException if it is negative
     */
    public int trainableGroups(long step) {
        if (step < 0) {
            throw new IllegalArgumentException("gradual unfreezing: the step is " + step + "; it must be at least 0");
        }
        return (int) Math.min(groups.size(), 1 + step / interval);
    }

    /**
     * Unfreezes the groups that are trained in a step, and freezes the others.
     *
     * @return the parameters that this call unfroze
     */
    public List<Variable> apply(long step) {
        int trainable = trainableGroups(step);
        List<Variable> unfrozen = new ArrayList<>();
        for (int i = 0; i < groups.size(); i++) {
            for (Variable parameter : groups.get(i)) {
                if (i < trainable && !parameter.requiresGrad()) {
                    unfrozen.add(parameter);
                }
                parameter.setRequiresGrad(i < trainable);
            }
        }
        return unfrozen;
    }
}
