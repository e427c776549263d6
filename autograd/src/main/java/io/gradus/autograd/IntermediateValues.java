package io.gradus.autograd;

import io.gradus.core.Storage;
import io.gradus.core.Tensor;
import java.util.IdentityHashMap;
import java.util.List;

/**
 * Frees the values between the leaves and the root of a graph during the backward pass.
 *
 * <p>When the pass has visited a variable, it has visited every operation that read it, and the rest of the pass reads
 * only variables that come before: the value is not needed any more. Views share one storage, which is freed with the
 * last of them.
 */
final class IntermediateValues implements BackwardListener {
    private static final String REASON = "backwardAndRelease() freed its memory;"
            + " call backward() instead, or retainGrad() on the variable before";

    /** The number of variables still to be visited in each storage that may be freed. */
    private final IdentityHashMap<Storage, Integer> inUse = new IdentityHashMap<>();

    /**
     * Finds out which storages may be freed.
     *
     * @param results all variables of the graph that are results of operations
     */
    IntermediateValues(List<Variable> results) {
        for (Variable result : results) {
            inUse.merge(result.value().sharedStorage(), 1, Integer::sum);
        }
        for (Variable result : results) {
            if (result.retainsGrad()) {
                keep(result.value());
            }
            for (Variable input : Node.of(result).inputs()) {
                if (input.isLeaf()) {
                    keep(input.value());
                }
            }
        }
    }

    /** Never frees the storage of a tensor. */
    void keep(Tensor tensor) {
        inUse.remove(tensor.sharedStorage());
    }

    @Override
    public void borrowed(Tensor gradient) {
        keep(gradient);
    }

    /** Frees the storage of the result, unless another variable in it is still to be visited. */
    @Override
    public void visited(Variable result, List<Variable> inputs) {
        Tensor value = result.value();
        Integer left = inUse.computeIfPresent(value.sharedStorage(), (_, count) -> count - 1);
        if (left != null && left == 0) {
            value.release(REASON);
        }
    }
}
