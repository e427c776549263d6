/**
 * The differentiable operations, one per file. The Javadoc derives the gradient; {@code forward} and {@code backward}
 * compute it. Call them through the methods of {@link io.gradus.autograd.Variable}.
 */
@NullMarked
package io.gradus.autograd.op;

import org.jspecify.annotations.NullMarked;
