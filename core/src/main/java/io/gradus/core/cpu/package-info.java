/**
 * The CPU: memory outside the Java heap and the kernels, one file per family. Where vectors pay, a family has two: the one that
 * bears its name is written with the Vector API ({@link io.gradus.core.cpu.Lanes}) and reads memory in place; its scalar twin
 * (ScalarSoftmax beside Softmax) copies a chunk into a {@code float[]} ({@link io.gradus.core.cpu.Scratch}), runs a plain loop
 * over it and copies the result back. {@link io.gradus.core.cpu.VectorSupport} decides once which are used. In both, work is cut
 * by size alone ({@link io.gradus.core.cpu.Workers}), so that results do not depend on the number of threads.
 */
@NullMarked
package io.gradus.core.cpu;

import org.jspecify.annotations.NullMarked;
