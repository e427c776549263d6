/** Mathematical functions that kernels call: activations, their derivatives, and the normal distribution. */
@NullMarked
package io.gradus.gpu.math;

import org.jspecify.annotations.NullMarked;
