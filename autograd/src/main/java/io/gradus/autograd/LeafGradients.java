package io.gradus.autograd;

import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Tells when the gradient of a leaf is complete in a backward pass: when all that read the leaf were visited. Nothing that
 * is still to come reads the leaf's value then, and its gradient may be used and freed.
 */
final class LeafGradients {
    /** How many operations still to be visited read each leaf; gone when its gradient is complete. */
    private final Map<Variable, Integer> readers = new IdentityHashMap<>();

    private final Consumer<Variable> whenComplete;

    /**
     * @param variables all that operations made
     */
    LeafGradients(List<Variable> variables, Consumer<Variable> whenComplete) {
        this.whenComplete = whenComplete;
        for (Variable variable : variables) {
            for (Variable input : Node.of(variable).inputs()) {
                if (input.isLeaf() && input.requiresGrad()) {
                    readers.merge(input, 1, Integer::sum);
                }
            }
        }
    }

    /** One operation that read these is being visited. */
    void begin(List<Variable> inputs) {
        inputs.forEach(input -> readers.computeIfPresent(input, (_, count) -> count - 1));
    }

    /** It was visited. */
    void end(List<Variable> inputs) {
        inputs.forEach(this::complete);
    }

    /** Tells of a leaf if nobody is left to read it. */
    void complete(Variable leaf) {
        if (readers.remove(leaf, 0) && leaf.grad() != null) {
            whenComplete.accept(leaf);
        }
    }
}
