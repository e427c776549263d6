/**
 * The CPU's kernels in plain Java, one file per family. The pattern is the same in each: work is cut into chunks by size
 * alone ({@link io.gradus.core.cpu.Workers}), a chunk is copied into a {@code float[]} ({@link io.gradus.core.cpu.Scratch}),
 * a plain loop that the JIT compiler turns into vector instructions does the arithmetic, and the result is copied back.
 */
@NullMarked
package io.gradus.core.cpu;

import org.jspecify.annotations.NullMarked;
