package io.gradus.train;

import io.gradus.autograd.Variable;
import io.gradus.parallel.Pending;
import io.gradus.parallel.Shards;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Gives all processes the weights that each has updated. A parameter is sent as soon as it is updated, while the next ones are; all
 * processes send the parameters in the same order.
 */
final class WeightExchange implements AutoCloseable {
    private final Ranks ranks;
    private final ParameterShards shards;
    private final List<Variable> parameters;
    private final Map<String, Integer> positions = new HashMap<>();
    private final List<Pending> started = new ArrayList<>();
    private int next;

    /** @param parameters in the order in which they are updated */
    WeightExchange(Ranks ranks, ParameterShards shards, List<Variable> parameters) {
        this.ranks = ranks;
        this.shards = shards;
        this.parameters = parameters;
        for (int i = 0; i < parameters.size(); i++) {
            positions.put(ParameterShards.nameOf(parameters.get(i)), i);
        }
    }

    /** Call when this process has updated its part of a parameter, and of all that come before. */
    void updated(String parameter) {
        startUntil(positions.getOrDefault(parameter, -1) + 1);
    }

    private void startUntil(int end) {
        for (; next < end; next++) {
            Variable parameter = parameters.get(next);
            Shards ranges = shards.of(parameter);
            started.add(
                    ranks.all().allGatherAsync(shards.range(parameter, parameter.value()), parameter.value(), ranges));
        }
    }

    /** Sends the rest, and waits until this process has all weights. */
    @Override
    public void close() {
        startUntil(parameters.size());
        started.forEach(Pending::await);
    }
}
