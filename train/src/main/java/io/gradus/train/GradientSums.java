package io.gradus.train;

import io.gradus.autograd.GradientAccumulation;
import io.gradus.autograd.Variable;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Scope;
import io.gradus.core.Tensor;
import io.gradus.parallel.Pending;
import io.gradus.parallel.Shards;
import io.gradus.train.recipe.Recipe.ParallelKind;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Adds the gradients of all processes, in the order of the processes, while the backward pass goes on.
 *
 * <ul>
 *   <li>Data parallelism: every process gets the whole sum, after the last pass of a step.
 *   <li>ZeRO stage 1: each process gets its part of the sum, after the last pass, in place of its own gradient.
 *   <li>Stages 2 and 3: each process gets its part of the sum of every pass, and the whole gradient of the pass is freed.
 * </ul>
 *
 * <p>Whole gradients are freed at fixed points of the pass: before a gradient is sent, earlier ones are waited for until no more
 * than {@link #BUCKET} bytes are on their way. So the memory in use does not depend on the network.
 */
final class GradientSums {
    /** As the buckets of PyTorch's DistributedDataParallel (Li et al. 2020, section 5.2). */
    private static final long BUCKET = 25 << 20;

    private final Ranks ranks;
    private final ParallelKind kind;
    private final @Nullable ParameterShards shards;
    private final Deque<Sum> started = new ArrayDeque<>();
    private final Map<Variable, Tensor> buffers = new HashMap<>();
    private final Set<Variable> summed = new HashSet<>();
    private long bytes;

    /** @param shards null if each process has all of the optimizer's state */
    GradientSums(Ranks ranks, ParallelKind kind, @Nullable ParameterShards shards) {
        this.ranks = ranks;
        this.kind = kind;
        this.shards = shards;
    }

    /**
     * A sum on its way.
     *
     * @param whole the gradient of this process, to be freed; null if it is kept
     * @param received this rank's part of the sum
     * @param total to which it is added; null if it is the total itself
     */
    private record Sum(
            Pending pending,
            @Nullable Tensor whole,
            @Nullable Tensor received,
            @Nullable Tensor total) {}

    /** Whether whole gradients are freed as soon as they are added. */
    private boolean frees() {
        return kind == ParallelKind.ZERO2 || kind == ParallelKind.ZERO3;
    }

    /** Begins a step: no parameter has a gradient. */
    void begin() {
        summed.clear();
    }

    /** Whether a parameter has a gradient in this step. */
    boolean has(Variable parameter) {
        return summed.contains(parameter);
    }

    /**
     * Call when a pass has completed a gradient.
     *
     * @param last whether the pass is the last one of the step
     */
    void completed(Variable parameter, boolean last) {
        if (ranks.size() == 1 || (!last && !frees())) {
            return;
        }
        if (shards == null) {
            start(new Sum(ranks.all().allReduceAsync(Objects.requireNonNull(parameter.grad())), null, null, null));
            return;
        }
        Variable own = shards.own(parameter);
        Shards ranges = shards.of(parameter);
        if (frees()) {
            Tensor whole = parameter.takeGrad();
            waitUntilRoomFor(whole.byteSize());
            Tensor total = own == null ? null : buffer(own);
            boolean first = summed.add(parameter);
            boolean adds = !first && total != null;
            Tensor received;
            if (own == null || total == null) {
                received = shards.range(parameter, whole);
            } else {
                received = adds ? Scope.outside(() -> empty(own)) : total;
            }
            Pending pending = ranks.all().reduceScatterAsync(whole, received, ranges);
            start(new Sum(pending, whole, adds ? received : null, adds ? total : null));
            if (own != null && first) {
                own.setGrad(Objects.requireNonNull(total));
            }
        } else {
            summed.add(parameter);
            Tensor whole = Objects.requireNonNull(parameter.grad());
            Tensor part = shards.range(parameter, whole);
            start(new Sum(ranks.all().reduceScatterAsync(whole, part, ranges), null, null, null));
            if (own != null) {
                own.setGrad(part);
            }
        }
    }

    /** Takes this rank's part of a gradient as it is, without the other processes. */
    void takeOwn(Variable parameter) {
        ParameterShards divided = Objects.requireNonNull(shards);
        Variable own = divided.own(parameter);
        if (own != null) {
            Tensor part = divided.range(parameter, Objects.requireNonNull(parameter.grad()));
            if (frees()) {
                buffer(own).copyFrom(part);
                part = buffer(own);
            }
            own.setGrad(part);
        }
        if (frees()) {
            parameter.releaseGrad();
        }
    }

    /** The memory of the gradient of a part, which is kept from step to step. */
    private Tensor buffer(Variable own) {
        return buffers.computeIfAbsent(own, _ -> Scope.outside(() -> empty(own)));
    }

    private static Tensor empty(Variable own) {
        return Tensor.empty(own.device(), own.value().dtype(), own.shape(), MemoryCategory.GRADIENTS);
    }

    private void start(Sum sum) {
        started.add(sum);
        bytes += sum.whole() == null ? 0 : sum.whole().byteSize();
    }

    private void waitUntilRoomFor(long more) {
        while (!started.isEmpty() && bytes + more > BUCKET) {
            finish(started.remove());
        }
    }

    private void finish(Sum sum) {
        sum.pending().await();
        if (sum.received() != null && sum.total() != null) {
            GradientAccumulation.add(sum.received(), sum.total());
            sum.received().release();
        }
        if (sum.whole() != null) {
            bytes -= sum.whole().byteSize();
            sum.whole().release();
        }
    }

    /** Waits for all sums. */
    void finish() {
        while (!started.isEmpty()) {
            finish(started.remove());
        }
    }
}
