package io.gradus.autograd;

import io.gradus.core.Storage;
import io.gradus.core.Tensor;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/**
 * The values between the leaves and the root of a graph, whose memory is given back during the backward pass.
 *
 * <p>When the pass has visited a variable it has visited everything that read it, and what is still to come reads only what
 * lies before it: its value is of no more use. Views lie in one storage; that goes with the last of them.
 */
final class IntermediateValues {
    private static final String REASON = "backwardAndRelease() had given its memory back;"
            + " call backward() instead, or retainGrad() on the variable before";

    /** How many variables still to be visited lie in each storage that may go. */
    private final Map<Storage, Integer> inUse = new IdentityHashMap<>();

    /**
     * @param variables all that operations made
     */
    IntermediateValues(List<Variable> variables) {
        for (Variable variable : variables) {
            inUse.merge(variable.value().storage(), 1, Integer::sum);
        }
        for (Variable variable : variables) {
            if (variable.retainsGrad()) {
                keep(variable.value());
            }
            for (Variable input : Node.of(variable).inputs()) {
                if (input.isLeaf()) {
                    keep(input.value());
                }
            }
        }
    }

    /** Leaves the memory that a tensor lies in alone. */
    void keep(Tensor tensor) {
        inUse.remove(tensor.storage());
    }

    /** Gives the memory of a value back, if no other lies in it that is still to be visited. */
    void visited(Variable variable) {
        Tensor value = variable.value();
        Storage storage = value.storage();
        Integer left = inUse.computeIfPresent(storage, (_, count) -> count - 1);
        if (left != null && left == 0) {
            value.release(REASON);
        }
    }
}
