package io.gradus.nn;

import io.gradus.autograd.Variable;

/** A function of one variable that can be part of a {@link Sequential}: a layer, or a method such as {@code Variable::relu}. */
@FunctionalInterface
public interface Layer {
    Variable forward(Variable x);
}
