/**
 * The CPU backend. It runs the kernels of {@code cpu.vector} if the Vector API is available, and those of {@code cpu.scalar}
 * otherwise. A kernel family has the same class name in both, and in {@code io.gradus.core.reference}.
 */
@NullMarked
package io.gradus.core.cpu;

import org.jspecify.annotations.NullMarked;
