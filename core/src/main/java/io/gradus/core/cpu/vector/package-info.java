/**
 * Kernels written with the Vector API. Families with helpers have a package each; this one holds the others, and what all of
 * them use: {@link io.gradus.core.cpu.vector.Lanes}, {@link io.gradus.core.cpu.vector.VectorMath} and
 * {@link io.gradus.core.cpu.vector.Rows}.
 */
@NullMarked
package io.gradus.core.cpu.vector;

import org.jspecify.annotations.NullMarked;
