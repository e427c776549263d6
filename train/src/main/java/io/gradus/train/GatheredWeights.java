package io.gradus.train;

import io.gradus.autograd.Variable;
import io.gradus.core.AbsentStorage;
import io.gradus.core.DType;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Scope;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.parallel.Pending;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Weights of which each process has its part, and which are whole only while they are used (ZeRO stage 3; Rajbhandari et al. 2020).
 *
 * <p>When a weight of a layer is used, the weights of the layer are collected from all processes, those of the layer before it are
 * freed, and those of the layer after it begin to arrive, in the direction in which layers are used: upward in a forward pass,
 * downward in a backward pass. So at most two layers are whole. What belongs to no layer, such as the embedding table, is kept from
 * its first use until {@link #free}.
 *
 * <p>All processes must use the weights in the same order, or one alone, in {@link Ranks#lead}.
 */
final class GatheredWeights {
    private static final int NONE = 0; // what belongs to no layer is not used in turn

    private final Ranks ranks;
    private final ParameterShards shards;
    /** What belongs to no layer, then the layers. */
    private final List<List<Variable>> units;

    private final Map<Integer, Arrival> arrivals = new HashMap<>();
    private int current = NONE;

    GatheredWeights(Ranks ranks, ParameterShards shards, List<Variable> parameters) {
        this.ranks = ranks;
        this.shards = shards;
        this.units = ParameterShards.layers(parameters);
        for (int i = 0; i < units.size(); i++) {
            int unit = i;
            units.get(i).forEach(parameter -> storage(parameter).whenUsed(() -> use(unit)));
        }
    }

    /** The whole weights of a unit, and what must be waited for before they are used. */
    private record Arrival(List<Tensor> whole, List<Pending> pending) {}

    private static AbsentStorage storage(Variable parameter) {
        return AbsentStorage.of(parameter.value());
    }

    private void use(int unit) {
        boolean layer = unit > 0;
        int next = unit == current - 1 ? unit - 1 : unit + 1;
        if (layer && current != NONE) {
            free(current);
        }
        arrive(unit);
        if (layer) {
            current = unit;
            if (next > 0 && next < units.size() && !ranks.isLeading()) {
                arrivals.computeIfAbsent(next, this::start);
            }
        }
    }

    private void arrive(int unit) {
        Arrival arrival = arrivals.computeIfAbsent(unit, this::start);
        arrival.pending().forEach(Pending::await);
        for (int i = 0; i < arrival.whole().size(); i++) {
            storage(units.get(unit).get(i)).provide(arrival.whole().get(i));
        }
    }

    /** Starts to collect the weights of a unit. */
    private Arrival start(int unit) {
        List<Tensor> whole = new ArrayList<>();
        for (Variable parameter : units.get(unit)) {
            whole.add(empty(parameter, parameter.shape()));
        }
        if (ranks.isLeading()) {
            ranks.ask(question(unit));
            return new Arrival(whole, collect(unit, whole));
        }
        List<Pending> pending = new ArrayList<>();
        for (int i = 0; i < whole.size(); i++) {
            Variable parameter = units.get(unit).get(i);
            pending.add(ranks.all().allGatherAsync(own(parameter), whole.get(i), shards.of(parameter)));
        }
        return new Arrival(whole, pending);
    }

    /** What the first process asks for to use a unit alone. */
    private static int question(int unit) {
        return -2 - unit;
    }

    /** Whether a question is one of {@link #answer}. */
    static boolean isQuestion(int number) {
        return number <= question(0);
    }

    /** Sends this process's parts of the weights that the first process asked for. */
    void answer(int question) {
        collect(-2 - question, null).forEach(Pending::await);
    }

    private List<Pending> collect(int unit, @Nullable List<Tensor> whole) {
        List<Pending> pending = new ArrayList<>();
        for (int i = 0; i < units.get(unit).size(); i++) {
            Variable parameter = units.get(unit).get(i);
            Tensor target = whole == null ? null : whole.get(i);
            pending.add(ranks.all().gatherAsync(own(parameter), target, shards.of(parameter), 0));
        }
        return pending;
    }

    private Tensor own(Variable parameter) {
        Variable part = shards.own(parameter);
        return part == null ? empty(parameter, Shape.of(0)) : part.value();
    }

    /** A tensor of a parameter's dtype. */
    static Tensor empty(Variable parameter, Shape shape) {
        DType dtype = parameter.value().dtype();
        return Scope.outside(() -> Tensor.empty(parameter.device(), dtype, shape, MemoryCategory.WEIGHTS));
    }

    /** Frees all whole weights. Call this before the parts change: the next use collects them again. */
    void free() {
        List.copyOf(arrivals.keySet()).forEach(this::free);
        current = NONE;
    }

    private void free(int unit) {
        Arrival arrival = Objects.requireNonNull(arrivals.remove(unit));
        arrival.pending().forEach(Pending::await);
        units.get(unit).forEach(parameter -> storage(parameter).takeAway());
        arrival.whole().forEach(Tensor::release);
    }
}
