/** Attention in tiles of queries and keys, with an online softmax. */
@NullMarked
package io.gradus.core.cpu.vector.attention;

import org.jspecify.annotations.NullMarked;
