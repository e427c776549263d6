package io.gradus.autograd;

import io.gradus.core.Device;
import io.gradus.core.Tensor;

/** Vectors in double precision for tests of the engine: small sums are exact. */
final class OnReference {
    private OnReference() {}

    static Variable parameter(String name, double... elements) {
        return Variable.parameter(name, vector(elements));
    }

    static Variable constant(double... elements) {
        return Variable.constant(vector(elements));
    }

    static Tensor vector(double... elements) {
        return Tensor.of(Device.reference(), elements, elements.length);
    }

    static Tensor ids(int... ids) {
        return Tensor.of(Device.reference(), ids, ids.length);
    }

    /** The elements of the gradient; fails if there is none. */
    static double[] grad(Variable variable) {
        Tensor gradient = variable.grad();
        if (gradient == null) {
            throw new AssertionError(variable + " has no gradient");
        }
        return gradient.toDoubles();
    }
}
