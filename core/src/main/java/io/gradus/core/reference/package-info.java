/**
 * The specification of every kernel: plain loops in double precision, in one thread, in the order of the formula. All other
 * backends are tested against this one, and gradients are checked on it. It computes in {@link io.gradus.core.DType#F64}, with
 * ids in {@link io.gradus.core.DType#I32}. It is not optimized.
 */
@NullMarked
package io.gradus.core.reference;

import org.jspecify.annotations.NullMarked;
