/** Matrix products: one file per algorithm, all with the operands and the descriptor of {@link io.gradus.gpu.gemm.GemmProduct}. */
@NullMarked
package io.gradus.gpu.gemm;

import org.jspecify.annotations.NullMarked;
