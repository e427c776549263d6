package io.gradus.autograd;

import java.util.IdentityHashMap;
import java.util.List;
import java.util.function.Consumer;

/**
 * Reports each leaf of a backward pass when its gradient is complete, that is, when every operation that read the leaf
 * has been visited. The rest of the pass reads neither its value nor its gradient.
 */
final class LeafGradients implements BackwardListener {
    /** The number of operations still to be visited that read each leaf; absent once the gradient is complete. */
    private final IdentityHashMap<Variable, Integer> readers = new IdentityHashMap<>();

    private final Consumer<Variable> whenComplete;

    /**
     * Counts the readers of each leaf.
     *
     * @param results all variables of the graph that are results of operations
     */
    LeafGradients(List<Variable> results, Consumer<Variable> whenComplete) {
        this.whenComplete = whenComplete;
        for (Variable result : results) {
            for (Variable input : Node.of(result).inputs()) {
                if (input.isLeaf() && input.requiresGrad()) {
                    readers.merge(input, 1, Integer::sum);
                }
            }
        }
    }

    @Override
    public void visiting(List<Variable> inputs) {
        inputs.forEach(input -> readers.computeIfPresent(input, (_, count) -> count - 1));
    }

    @Override
    public void visited(Variable result, List<Variable> inputs) {
        inputs.forEach(this::nestedPassDone);
    }

    @Override
    public void nestedPassDone(Variable leaf) {
        if (readers.remove(leaf, 0) && leaf.grad() != null) {
            whenComplete.accept(leaf);
        }
    }
}
