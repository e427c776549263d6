/**
 * The kernels of {@link io.gradus.core.Backend} for OpenCL, PTX and CUDA devices: Java methods that TornadoVM compiles. Files
 * bear the names of their twins in {@code io.gradus.core.cpu}.
 *
 * <p>TornadoVM bakes sizes into what it compiles and ties a buffer to the graph that made it. So nothing here is compiled for
 * a shape: {@link io.gradus.gpu.runtime.DeviceMemory} holds a few arrays as large as the device, in which a tensor is an offset; a
 * {@link io.gradus.gpu.runtime.Kernel} reads offsets and sizes from a descriptor that goes up with each launch; and the
 * {@link io.gradus.gpu.runtime.Launcher} compiles each kernel once. A kernel that does not compile is an error: nothing falls back
 * to Java.
 *
 * <p>What a kernel may use is less than Java: no objects but arrays, no recursion, constant sizes for arrays of its own, no
 * order between work-groups, and no check of bounds: a wild store ends the JVM. What compiles and is yet wrong, or does not
 * compile, as seen with TornadoVM 5.2 on OpenCL:
 *
 * <ul>
 *   <li>{@code Float.intBitsToFloat} and its inverse compile only where the result is stored at once;
 *   <li>{@code >>>} of a negative int shifts its sign in;
 *   <li>{@code >=} with NaN may be true: write {@code b > a || b != b ? b : a};
 *   <li>an array of local memory is allocated where it is used, never passed to a method;
 *   <li>a square root has the precision of a float, of doubles too;
 *   <li>a call of {@code Math.fma} is not known, and {@code a * b + c} may become one instruction.
 * </ul>
 */
@NullMarked
package io.gradus.gpu;

import org.jspecify.annotations.NullMarked;
