package io.gradus.bench.cases;

import io.gradus.autograd.Variable;
import io.gradus.core.Tensor;

/** A tensor for which both libraries compute a gradient. */
final class TwinVariable {
    private final Variable ours;
    private final org.bytedeco.pytorch.Tensor theirs;

    TwinVariable(String name, Twin twin) {
        ours = Variable.parameter(name, twin.ours());
        theirs = twin.theirs();
        theirs.set_requires_grad(true);
    }

    Variable ours() {
        return ours;
    }

    org.bytedeco.pytorch.Tensor theirs() {
        return theirs;
    }

    /** The largest difference of the gradients, relative to their largest number. */
    double difference() {
        Tensor gradient = ours.grad();
        if (gradient == null) {
            throw new IllegalStateException(ours + " has no gradient");
        }
        return Twin.difference(gradient, theirs.grad());
    }
}
