/** Matrix products: packed panels, a micro-kernel in registers, and matrix-vector products. */
@NullMarked
package io.gradus.core.cpu.vector.gemm;

import org.jspecify.annotations.NullMarked;
