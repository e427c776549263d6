/**
 * Reverse-mode differentiation. A {@link io.gradus.autograd.Variable} is a tensor with a history; an
 * {@link io.gradus.autograd.Operation} knows its own derivative; {@link io.gradus.autograd.BackwardPass} walks the history
 * backwards and adds up gradients. Read these three, then any file of {@code op}. {@link io.gradus.autograd.Checkpoint} saves
 * the memory of what lies between.
 */
@NullMarked
package io.gradus.autograd;

import org.jspecify.annotations.NullMarked;
