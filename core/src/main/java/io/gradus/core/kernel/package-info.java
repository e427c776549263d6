/**
 * What a backend must be able to compute: one interface per family of kernels, with the contract in its Javadoc and the
 * checks of shapes that every implementation shares. The CPU's implementation of {@code GemmKernels} is
 * {@code io.gradus.core.cpu.Gemm}, and so on for each family and device.
 */
@NullMarked
package io.gradus.core.kernel;

import org.jspecify.annotations.NullMarked;
