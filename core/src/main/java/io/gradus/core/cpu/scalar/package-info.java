/**
 * Kernels in plain Java, for JVMs without the Vector API. Loops run over arrays of at most a few thousand elements, copied
 * from memory, in forms that the JIT compiler vectorizes. Softmax, cross-entropy, normalization and the elementary functions are
 * those of the reference: next to matrix products and attention they take little time.
 */
@NullMarked
package io.gradus.core.cpu.scalar;

import org.jspecify.annotations.NullMarked;
