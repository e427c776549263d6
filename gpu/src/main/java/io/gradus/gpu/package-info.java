/**
 * The GPU backend: the kernels of {@link io.gradus.core.Backend} for OpenCL, PTX and CUDA devices, written as Java methods that
 * TornadoVM compiles. Files have the names of their counterparts in {@code io.gradus.core.cpu}.
 *
 * <p>TornadoVM compiles sizes into the code and ties a buffer to the graph that created it. Therefore nothing here is compiled
 * for a shape. {@link io.gradus.gpu.runtime.DeviceMemory} holds a few arrays as large as the device, in which a tensor is an
 * offset. A {@link io.gradus.gpu.runtime.Kernel} reads offsets and sizes from a descriptor that is uploaded with each launch.
 * The {@link io.gradus.gpu.runtime.Launcher} compiles each kernel once. A kernel that does not compile is an error; nothing
 * falls back to Java.
 *
 * <p>Kernels are limited to a subset of Java: no objects except arrays, no recursion, private arrays of constant size only, no
 * order between work-groups, and no bounds checks, so a store outside an array crashes the JVM. TornadoVM 5.2 on OpenCL also
 * miscompiles or rejects the following:
 *
 * <ul>
 *   <li>{@code Float.intBitsToFloat} and its inverse compile only if the result is stored at once;
 *   <li>{@code >>>} of a negative int shifts its sign in;
 *   <li>{@code >=} with NaN may be true: write {@code b > a || Float.isNaN(b) ? b : a};
 *   <li>a boolean from {@code ||} and {@code &&} over NaN checks may be wrong: use ints and {@code if};
 *   <li>a local array cannot be passed to a method, and a variable cannot hold one of two arrays;
 *   <li>a square root has the precision of a float, even for doubles;
 *   <li>{@code Math.fma} is not supported, but {@code a * b + c} may become one instruction.
 * </ul>
 */
@NullMarked
package io.gradus.gpu;

import org.jspecify.annotations.NullMarked;
