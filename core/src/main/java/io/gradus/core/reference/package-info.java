/**
 * The definition of every kernel: plain loops in double precision, in one thread, in the order in which the formula is read.
 * Every other backend is compared with this one, and gradients are checked on it. It computes in
 * {@link io.gradus.core.DType#F64} and takes ids in {@link io.gradus.core.DType#I32}; nothing here is fast.
 */
@NullMarked
package io.gradus.core.reference;

import org.jspecify.annotations.NullMarked;
