/** Matrix products: one file per algorithm. All share the operands and the descriptor of {@code GemmProduct}. */
@NullMarked
package io.gradus.gpu.gemm;

import org.jspecify.annotations.NullMarked;
