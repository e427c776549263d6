package io.gradus.autograd;

import io.gradus.core.Tensor;
import java.util.List;

/** Receives the events of one backward pass. */
interface BackwardListener {

    /** The pass is about to compute the gradients of an operation's inputs. */
    default void visiting(List<Variable> inputs) {}

    /** The pass is done with an operation: it reads neither the result's value nor its gradient again. */
    default void visited(Variable result, List<Variable> inputs) {}

    /** The pass will read a tensor that an operation passed on as a gradient but still owns. */
    default void borrowed(Tensor gradient) {}

    /** A nested pass will not add to a leaf's gradient any more. */
    default void nestedPassDone(Variable leaf) {}
}
