package io.gradus.train;

import io.gradus.autograd.Variable;
import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Scope;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.optim.Optimizer;
import io.gradus.optim.Optimizer.StateTensor;
import io.gradus.parallel.Shards;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * How the processes together have a tensor of the training state.
 *
 * @param name in checkpoints
 * @param dtype of the tensor
 * @param shape of the whole tensor
 * @param shards the range of each rank
 * @param own this rank's range, in any shape; null if it is empty. A rank may have all of a tensor whose range it is not: each has
 *     the number of steps of what it updates
 */
record StateShards(
        String name,
        DType dtype,
        Shape shape,
        Shards shards,
        @Nullable Tensor own) {

    /** A tensor that every rank has whole. */
    static StateShards whole(String name, Tensor tensor, int ranks) {
        return new StateShards(name, tensor.dtype(), tensor.shape(), Shards.whole(tensor.size(), ranks, 0), tensor);
    }

    /**
     * The tensors of a parameter in an optimizer, of which each rank has those of its range of the parameter.
     *
     * @param own this rank's tensors, by name
     */
    static List<StateShards> of(Optimizer optimizer, Variable parameter, Shards ranges, Map<String, Tensor> own) {
        int ranks = ranges.ranks();
        List<StateTensor> layout = optimizer.layout(parameter);
        List<long[]> bounds = new ArrayList<>();
        layout.forEach(_ -> bounds.add(new long[ranks + 1]));
        int owner = 0;
        for (int rank = 0; rank < ranks; rank++) {
            boolean empty = ranges.size(rank) == 0;
            owner = ranges.size(owner) == 0 ? rank : owner;
            List<StateTensor> part =
                    empty ? List.of() : optimizer.layout(Variable.constant(ranges.of(parameter.value(), rank)));
            for (int i = 0; i < layout.size(); i++) {
                bounds.get(i)[rank + 1] =
                        bounds.get(i)[rank] + (empty ? 0 : part.get(i).shape().size());
            }
        }
        List<StateShards> all = new ArrayList<>();
        for (int i = 0; i < layout.size(); i++) {
            StateTensor tensor = layout.get(i);
            String name = parameter.name() + "." + tensor.name();
            all.add(new StateShards(name, tensor.dtype(), tensor.shape(), Shards.of(bounds.get(i)), own.get(name)));
        }
        String steps = parameter.name() + ".step";
        all.add(new StateShards(steps, DType.I32, Shape.of(), Shards.whole(1, ranks, owner), own.get(steps)));
        return all;
    }

    /**
     * Sends the ranges of all ranks to the first.
     *
     * @return the whole tensor on the first rank, null on the others
     */
    @Nullable Tensor collect(Ranks ranks, Device device) {
        Device memory = dtype == DType.I32 ? Device.cpu() : device; // numbers of steps
        boolean empty = shards.size(ranks.rank()) == 0;
        Tensor part = empty ? nothing(memory) : Objects.requireNonNull(own);
        Tensor whole = ranks.isFirst()
                ? Scope.outside(() -> Tensor.empty(memory, dtype, shape, MemoryCategory.WORKSPACE))
                : null;
        ranks.all().gatherAsync(part, whole, shards, 0).await();
        return whole;
    }

    private Tensor nothing(Device device) {
        return Scope.outside(() -> Tensor.empty(device, dtype, Shape.of(0), MemoryCategory.WORKSPACE));
    }
}
