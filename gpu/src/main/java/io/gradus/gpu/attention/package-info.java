/** Attention in tiles, forward and backward, without the matrix of scores in memory. */
@NullMarked
package io.gradus.gpu.attention;

import org.jspecify.annotations.NullMarked;
