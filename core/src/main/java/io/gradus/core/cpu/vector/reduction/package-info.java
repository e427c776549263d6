/** Sums and maxima along axes. */
@NullMarked
package io.gradus.core.cpu.vector.reduction;

import org.jspecify.annotations.NullMarked;
