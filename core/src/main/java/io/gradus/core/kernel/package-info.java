/**
 * The kernels that a backend implements: one interface per family, with its contract in the Javadoc. Operands are checked once,
 * in front of every backend. Implementations of {@code GemmKernels} are called {@code Gemm}, and so on for each family.
 */
@NullMarked
package io.gradus.core.kernel;

import org.jspecify.annotations.NullMarked;
