package io.gradus.optim;

import io.gradus.autograd.Variable;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.TreeMap;
import java.util.function.ToIntFunction;

/**
 * First only the layers nearest to the output are trained, then one more group from the top at each interval, until all
 * are (Howard &amp; Ruder 2018, section 3.3, where the interval is an epoch). What the lower layers know is not upset by
 * the gradients of a head that knows nothing yet.
 *
 * <pre>{@code
 * GradualUnfreezing unfreezing = new GradualUnfreezing(model.parameters(), LayerDepth.of(model.parameters()), 100);
 * for (int step = 0; step < steps; step++) {
 *     unfreezing.apply(step);
 *     ...
 * }
 * }</pre>
 *
 * What is trained follows from the step alone, so that a run that is resumed has nothing to restore: apply it to the
 * first step that is left, before the optimiser is made. State comes into being as groups are thawed.
 */
public final class GradualUnfreezing {
    private final List<List<Variable>> groups;
    private final long interval;

    /**
     * @param parameters those that are frozen already stay so for good and belong to no group
     * @param depth by name: the greatest is the top
     * @param interval steps from one group to the next, at least 1
     * @throws IllegalArgumentException when the interval is smaller, or there is nothing to train
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

    /** The parameters that are thawed together, from the top down. */
    public List<List<Variable>> groups() {
        return groups;
    }

    /**
     * How many groups are trained in a step.
     *
     * @param step how many steps have been done: 0 for the first
     * @throws IllegalArgumentException when it is negative
     */
    public int trained(long step) {
        if (step < 0) {
            throw new IllegalArgumentException("gradual unfreezing: the step is " + step + "; it must be at least 0");
        }
        return (int) Math.min(groups.size(), 1 + step / interval);
    }

    /**
     * Thaws what is trained in a step and freezes the rest.
     *
     * @return what was frozen until now
     */
    public List<Variable> apply(long step) {
        int trained = trained(step);
        List<Variable> thawed = new ArrayList<>();
        for (int i = 0; i < groups.size(); i++) {
            for (Variable parameter : groups.get(i)) {
                if (i < trained && !parameter.requiresGrad()) {
                    thawed.add(parameter);
                }
                parameter.setRequiresGrad(i < trained);
            }
        }
        return thawed;
    }
}
