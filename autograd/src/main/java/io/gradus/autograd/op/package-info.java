/**
 * The differentiable operations, one file each: the Javadoc derives the gradient, and {@code forward} and {@code backward}
 * under it compute what it says. Call them through the methods of {@link io.gradus.autograd.Variable}.
 */
@NullMarked
package io.gradus.autograd.op;

import org.jspecify.annotations.NullMarked;
