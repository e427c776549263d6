package io.gradus.gpu.runtime;

import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.common.TornadoFunctions.Task10;
import uk.ac.manchester.tornado.api.common.TornadoFunctions.Task11;
import uk.ac.manchester.tornado.api.common.TornadoFunctions.Task12;
import uk.ac.manchester.tornado.api.common.TornadoFunctions.Task4;
import uk.ac.manchester.tornado.api.common.TornadoFunctions.Task5;
import uk.ac.manchester.tornado.api.common.TornadoFunctions.Task6;
import uk.ac.manchester.tornado.api.common.TornadoFunctions.Task7;
import uk.ac.manchester.tornado.api.common.TornadoFunctions.Task8;
import uk.ac.manchester.tornado.api.common.TornadoFunctions.Task9;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;
import uk.ac.manchester.tornado.api.types.arrays.TornadoNativeArray;

/**
 * A named static method that TornadoVM compiles for the device. Its parameters are the {@link KernelContext}, which
 * identifies the work-item; the integers of the descriptor, which are the offsets of the operands in their arrays
 * followed by the integers of the launch; the floats of the descriptor; and one array per operand: {@code FloatArray}
 * for F32, {@code IntArray} for I32 (and F64, two per element), {@code ShortArray} for BF16 and F16, {@code ByteArray}
 * for U8.
 *
 * <pre>{@code
 * private static final Kernel NEGATE = Kernel.of("negate", Example::negate);
 * private static final int X = 0;
 * private static final int OUT = 1;
 * private static final int N = Kernel.INTS;
 *
 * private static void negate(KernelContext c, IntArray d, FloatArray s, FloatArray x, FloatArray out) {
 *     int i = c.globalIdx;
 *     if (i < d.get(N)) {
 *         out.set(d.get(OUT) + i, -x.get(d.get(X) + i));
 *     }
 * }
 *
 * launcher.run(NEGATE, n, ints(n), floats(), x, out);
 * }</pre>
 *
 * @param name unique among all kernels; appears in errors
 * @param groupX work-items per group along x. The number of items of a launch is rounded up to a multiple of it, so a
 *     kernel must check that its item is within range.
 * @param groupY likewise along y
 * @param binding adds the method to a task graph
 */
public record Kernel(String name, int groupX, int groupY, Binding binding) {
    /** The name of the only task of each graph. */
    static final String TASK = "t";
    /** Where the integers of a launch begin in the descriptor: after the offsets of at most nine operands. */
    public static final int INTS = 9;
    /** The default number of work-items per group. */
    public static final int GROUP = 128;

    /** Adds the method as a task to a graph. The operands have the types of its parameters. */
    public interface Binding {
        void bind(
                TaskGraph graph,
                KernelContext context,
                IntArray ints,
                FloatArray floats,
                TornadoNativeArray[] operands);
    }

    /** The same kernel with a different group size. */
    public Kernel group(int x, int y) {
        return new Kernel(name, x, y, binding);
    }

    public static <A> Kernel of(String name, Task4<KernelContext, IntArray, FloatArray, A> code) {
        return new Kernel(name, GROUP, 1, (g, c, d, s, o) -> g.task(TASK, code, c, d, s, at(o, 0)));
    }

    public static <A, B> Kernel of(String name, Task5<KernelContext, IntArray, FloatArray, A, B> code) {
        return new Kernel(name, GROUP, 1, (g, c, d, s, o) -> g.task(TASK, code, c, d, s, at(o, 0), at(o, 1)));
    }

    public static <A, B, C> Kernel of(String name, Task6<KernelContext, IntArray, FloatArray, A, B, C> code) {
        return new Kernel(name, GROUP, 1, (g, c, d, s, o) -> g.task(TASK, code, c, d, s, at(o, 0), at(o, 1), at(o, 2)));
    }

    public static <A, B, C, D> Kernel of(String name, Task7<KernelContext, IntArray, FloatArray, A, B, C, D> code) {
        return new Kernel(
                name, GROUP, 1, (g, c, d, s, o) -> g.task(TASK, code, c, d, s, at(o, 0), at(o, 1), at(o, 2), at(o, 3)));
    }

    public static <A, B, C, D, E> Kernel of(
            String name, Task8<KernelContext, IntArray, FloatArray, A, B, C, D, E> code) {
        return new Kernel(
                name,
                GROUP,
                1,
                (g, c, d, s, o) -> g.task(TASK, code, c, d, s, at(o, 0), at(o, 1), at(o, 2), at(o, 3), at(o, 4)));
    }

    public static <A, B, C, D, E, F> Kernel of(
            String name, Task9<KernelContext, IntArray, FloatArray, A, B, C, D, E, F> code) {
        return new Kernel(
                name,
                GROUP,
                1,
                (g, c, d, s, o) ->
                        g.task(TASK, code, c, d, s, at(o, 0), at(o, 1), at(o, 2), at(o, 3), at(o, 4), at(o, 5)));
    }

    public static <A, B, C, D, E, F, G> Kernel of(
            String name, Task10<KernelContext, IntArray, FloatArray, A, B, C, D, E, F, G> code) {
        return new Kernel(
                name,
                GROUP,
                1,
                (g, c, d, s, o) -> g.task(
                        TASK, code, c, d, s, at(o, 0), at(o, 1), at(o, 2), at(o, 3), at(o, 4), at(o, 5), at(o, 6)));
    }

    public static <A, B, C, D, E, F, G, H> Kernel of(
            String name, Task11<KernelContext, IntArray, FloatArray, A, B, C, D, E, F, G, H> code) {
        return new Kernel(
                name,
                GROUP,
                1,
                (g, c, d, s, o) -> g.task(
                        TASK, code, c, d, s, at(o, 0), at(o, 1), at(o, 2), at(o, 3), at(o, 4), at(o, 5), at(o, 6),
                        at(o, 7)));
    }

    public static <A, B, C, D, E, F, G, H, I> Kernel of(
            String name, Task12<KernelContext, IntArray, FloatArray, A, B, C, D, E, F, G, H, I> code) {
        return new Kernel(
                name,
                GROUP,
                1,
                (g, c, d, s, o) -> g.task(
                        TASK, code, c, d, s, at(o, 0), at(o, 1), at(o, 2), at(o, 3), at(o, 4), at(o, 5), at(o, 6),
                        at(o, 7), at(o, 8)));
    }

    /** For kernels: sets an element, or adds to it if {@code accumulate} is not 0. */
    public static void write(FloatArray out, int at, float value, int accumulate) {
        out.set(at, accumulate != 0 ? out.get(at) + value : value);
    }

    /** An operand, cast to the array type of the parameter. */
    @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
    private static <T> T at(TornadoNativeArray[] operands, int index) {
        return (T) operands[index];
    }
}
