/**
 * Mathematical functions for kernels: activations and their derivatives, sine and cosine, and the normal distribution.
 */
@NullMarked
package io.gradus.gpu.math;

import org.jspecify.annotations.NullMarked;
