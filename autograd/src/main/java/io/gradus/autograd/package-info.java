/**
 * Reverse-mode differentiation. A {@link io.gradus.autograd.Variable} is a tensor with a history; an
 * {@link io.gradus.autograd.Operation} knows its own derivative; {@code BackwardPass} walks the history backward and
 * adds up gradients. Read these three first, then any file of {@link io.gradus.autograd.op}.
 * {@link io.gradus.autograd.Checkpoint} trades computation for memory.
 */
@NullMarked
package io.gradus.autograd;

import org.jspecify.annotations.NullMarked;
