package io.gradus.autograd;

import io.gradus.core.Device;
import io.gradus.core.Tensor;

/** Vectors and matrices in double precision, for tests of the engine: sums come out exactly. */
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

    /** The gradient's elements; fails when there is none. */
    static double[] grad(Variable variable) {
        Tensor gradient = variable.grad();
        if (gradient == null) {
            throw new AssertionError(variable + " has no gradient");
        }
        return gradient.toDoubles();
    }
}
