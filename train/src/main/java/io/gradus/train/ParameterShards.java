package io.gradus.train;

import io.gradus.autograd.Variable;
import io.gradus.core.Tensor;
import io.gradus.optim.LayerDepth;
import io.gradus.optim.ParameterGroup;
import io.gradus.optim.Sharding;
import io.gradus.optim.SquareSums;
import io.gradus.parallel.Partition;
import io.gradus.parallel.Shards;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The part of each parameter that this process updates, when the optimizer's state is divided among processes (ZeRO; Rajbhandari et
 * al. 2020). The part is a parameter itself, of the same name. So the optimizer, the moving average, and the penalties, which are
 * created for the parts, have state for nothing else.
 *
 * <p>Every process has a part of each layer. Parameters are cut only where a chunk of the {@linkplain SquareSums sum of squares}
 * begins, so that processes together compute the same bits as one.
 */
final class ParameterShards {
    private final Ranks ranks;
    private final Map<Variable, Shards> shards;
    private final Map<Variable, Variable> own = new LinkedHashMap<>();

    /**
     * Divides parameters.
     *
     * @param value the value of this rank's part, which is not empty, of a parameter
     */
    ParameterShards(
            List<Variable> parameters, Sharding sharding, Ranks ranks, BiFunction<Variable, Shards, Tensor> value) {
        this.ranks = ranks;
        this.shards = divide(parameters, sharding, ranks.size());
        for (Variable parameter : parameters) {
            Shards ranges = of(parameter);
            if (ranges.size(ranks.rank()) > 0) {
                add(parameter, value.apply(parameter, ranges));
            }
        }
        if (own.isEmpty()) { // an optimizer has at least one parameter
            Variable first = parameters.getFirst();
            add(first, first.value().reshape(first.shape().size()).slice(0, 0));
        }
    }

    private void add(Variable parameter, Tensor value) {
        Variable part = Variable.parameter(nameOf(parameter), value);
        part.setRequiresGrad(parameter.requiresGrad());
        own.put(parameter, part);
    }

    /** The ranges of all ranks, layer by layer. */
    static Map<Variable, Shards> divide(List<Variable> parameters, Sharding sharding, int ranks) {
        Partition partition = new Partition(ranks, SquareSums.CHUNK);
        Map<Variable, Shards> shards = new LinkedHashMap<>();
        for (List<Variable> layer : layers(parameters)) {
            List<Long> sizes = layer.stream().map(each -> each.shape().size()).toList();
            List<Shards> ranges = sharding == Sharding.RANGES ? partition.ranges(sizes) : partition.whole(sizes);
            for (int i = 0; i < layer.size(); i++) {
                shards.put(layer.get(i), ranges.get(i));
            }
        }
        return shards;
    }

    /** The rank that has most elements of a model's parameters. */
    static int largest(List<Variable> parameters, Sharding sharding, int ranks) {
        long[] loads = new long[ranks];
        divide(parameters, sharding, ranks).values().forEach(each -> {
            for (int rank = 0; rank < ranks; rank++) {
                loads[rank] += each.size(rank);
            }
        });
        int largest = 0;
        for (int rank = 1; rank < ranks; rank++) {
            largest = loads[rank] > loads[largest] ? rank : largest;
        }
        return largest;
    }

    /** What belongs to no layer, such as the embedding table, then the parameters of each layer. */
    static List<List<Variable>> layers(List<Variable> parameters) {
        Function<Variable, Integer> layer;
        try {
            LayerDepth depth = LayerDepth.of(parameters);
            layer = parameter -> depth.applyAsInt(nameOf(parameter)) % depth.top();
        } catch (IllegalArgumentException e) { // no name has the number of a layer
            layer = _ -> 0;
        }
        return List.copyOf(parameters.stream()
                .collect(Collectors.groupingBy(layer, TreeMap::new, Collectors.toList()))
                .values());
    }

    /** The ranges of all ranks of a parameter. */
    Shards of(Variable parameter) {
        return Objects.requireNonNull(shards.get(parameter));
    }

    /** The elements of the longest range of a parameter. */
    long longest() {
        return shards.values().stream().mapToLong(Shards::longest).max().orElse(0);
    }

    /** This rank's part of a parameter; null if it has none. */
    @Nullable Variable own(Variable parameter) {
        return of(parameter).size(ranks.rank()) == 0 ? null : own.get(parameter);
    }

    /** This rank's part of all parameters. */
    Collection<Variable> own() {
        return own.values();
    }

    /** This rank's range of a tensor that has the shape of a parameter: a view. */
    Tensor range(Variable parameter, Tensor whole) {
        return of(parameter).of(whole, ranks.rank());
    }

    /** The groups with this rank's parts in place of the parameters. */
    List<ParameterGroup> groups(List<ParameterGroup> groups) {
        return groups.stream()
                .map(group -> new ParameterGroup(
                        group.name(),
                        group.parameters().stream()
                                .map(own::get)
                                .filter(Objects::nonNull)
                                .toList(),
                        group.learningRateFactor(),
                        group.weightDecay()))
                .toList();
    }

    /** Freezes and unfreezes the parts as the parameters are. */
    void freezeAsParameters() {
        own.forEach((parameter, part) -> part.setRequiresGrad(parameter.requiresGrad()));
    }

    /**
     * The sums of squares of whole tensors, from those that each rank has of its parts.
     *
     * @param mine by the names of parameters, in the order of {@code order}
     * @param order of the sums of the result
     * @param present selects the parameters of which there are sums
     * @param half as in the result
     */
    SquareSums complete(SquareSums mine, List<Variable> order, Predicate<Variable> present, boolean half) {
        double[] all = ranks.gather(
                mine.byName().values().stream().flatMapToDouble(Arrays::stream).toArray());
        List<Variable> summed = order.stream().filter(present).toList();
        int[] next = new int[ranks.size()];
        for (int rank = 1; rank < next.length; rank++) {
            int before = rank - 1;
            next[rank] = next[before]
                    + summed.stream().mapToInt(each -> chunks(of(each), before)).sum();
        }
        Map<String, double[]> sums = new LinkedHashMap<>();
        for (Variable parameter : summed) {
            List<Double> chunks = new ArrayList<>();
            for (int rank = 0; rank < next.length; rank++) {
                for (int i = chunks(of(parameter), rank); i > 0; i--) {
                    chunks.add(all[next[rank]++ % all.length]); // all is shorter if traffic is only counted
                }
            }
            sums.put(
                    nameOf(parameter),
                    chunks.stream().mapToDouble(Double::doubleValue).toArray());
        }
        return new SquareSums(sums, half);
    }

    private static int chunks(Shards ranges, int rank) {
        return Math.toIntExact(Math.ceilDiv(ranges.size(rank), SquareSums.CHUNK));
    }

    static String nameOf(Variable parameter) {
        return Objects.requireNonNull(parameter.name());
    }
}
