/**
 * Kernels of the CPU on tensors of BF16. Each converts a block of its operands to F32, in memory that stays in the cache, runs the
 * kernel of F32 on it, and rounds the result. So sums, exponentials and all else within a kernel are F32, and only 16 bits per
 * element move to and from memory.
 */
@NullMarked
package io.gradus.core.cpu.half;

import org.jspecify.annotations.NullMarked;
