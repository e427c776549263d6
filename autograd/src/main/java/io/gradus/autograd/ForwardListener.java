package io.gradus.autograd;

import io.gradus.core.Tensor;
import java.util.List;

/** Receives the result of every operation as soon as it is computed; see {@link Autograd#listening}. */
@FunctionalInterface
public interface ForwardListener {

    /**
     * Called after an operation's forward pass.
     *
     * @param result whose memory may be reused once a scope closes
     */
    void computed(Operation operation, List<Variable> inputs, Tensor result);
}
