package io.gradus.gpu;

import static io.gradus.gpu.runtime.Launcher.floats;

import io.gradus.core.DType;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.gpu.runtime.DeviceMemory;
import io.gradus.gpu.runtime.Kernel;
import io.gradus.gpu.runtime.Launcher;
import io.gradus.gpu.runtime.TornadoStorage;
import java.lang.ref.Reference;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * The sum of squares of many tensors in double precision, for the global gradient norm. One launch handles as many
 * tensors as fit in a descriptor, and each work-group sums part of one tensor. A last work-group adds the sums of all
 * groups, and a single result is downloaded.
 *
 * <p>The device has no arrays of doubles. A sum is stored as {@code (a + b)·c²} in three floats: a is {@code sum/c²}
 * rounded to float and b is the rounding error, which together have 48 bits. The power of two c keeps very large and
 * very small sums within the range of a float.
 */
final class SumOfSquares {
    private static final Kernel SQUARES = Kernel.of("sum_of_squares", SumOfSquares::squaresKernel);
    private static final Kernel TOTAL = Kernel.of("sum_of_squares_total", SumOfSquares::totalKernel);

    // The descriptor; from TENSORS on, the offset and the length of each tensor.
    private static final int SUMS = 0;
    private static final int DONE = Kernel.INTS;
    private static final int GROUPS = Kernel.INTS;
    private static final int TENSORS = Kernel.INTS + 1;

    private static final int ELEMENTS_OF_GROUP = 64 * Kernel.GROUP;
    private static final int TENSORS_OF_LAUNCH = 27;
    /** Floats that store one sum. */
    private static final int WIDTH = 3;

    private static final float LARGE = 0x1p80f;
    private static final float SMALL = 0x1p-80f;

    private final Launcher launcher;

    SumOfSquares(Launcher launcher) {
        this.launcher = launcher;
    }

    double of(List<Tensor> tensors) {
        long groups = 0;
        Map<DeviceMemory.Arena, List<Tensor>> byArena = new LinkedHashMap<>();
        for (Tensor tensor : tensors) {
            if (tensor.size() > 0) {
                groups += groups(tensor);
                byArena.computeIfAbsent(TornadoStorage.of(tensor).arena(), _ -> new ArrayList<>())
                        .add(tensor);
            }
        }
        if (groups == 0) {
            return 0;
        }
        Tensor sums = Tensor.empty(
                tensors.getFirst().device(), DType.F32, Shape.of(groups + 1, WIDTH), MemoryCategory.WORKSPACE);
        try {
            int done = 0;
            for (List<Tensor> ofArena : byArena.values()) {
                for (int from = 0; from < ofArena.size(); from += TENSORS_OF_LAUNCH) {
                    int to = Math.min(from + TENSORS_OF_LAUNCH, ofArena.size());
                    done += squares(ofArena.subList(from, to), sums, done);
                }
            }
            launcher.run(TOTAL, Kernel.GROUP, Launcher.ints(groups), floats(), sums);
            float[] total = sums.slice(groups, groups + 1).toFloats();
            return ((double) total[0] + total[1]) * total[2] * total[2];
        } finally {
            Reference.reachabilityFence(tensors); // a launch receives the first tensor and the offsets of the others
            sums.release();
        }
    }

    private static long groups(Tensor tensor) {
        return Math.ceilDiv(tensor.size(), ELEMENTS_OF_GROUP);
    }

    private int squares(List<Tensor> tensors, Tensor sums, int done) {
        int[] ints = new int[1 + 2 * tensors.size()];
        ints[0] = done;
        long groups = 0;
        for (int i = 0; i < tensors.size(); i++) {
            ints[1 + 2 * i] = TornadoStorage.offset(tensors.get(i));
            ints[2 + 2 * i] = Math.toIntExact(tensors.get(i).size());
            groups += groups(tensors.get(i));
        }
        launcher.run(SQUARES, groups * Kernel.GROUP, ints, floats(), sums, tensors.getFirst());
        return Math.toIntExact(groups);
    }

    private static void squaresKernel(KernelContext c, IntArray d, FloatArray s, FloatArray sums, FloatArray x) {
        int group = c.groupIdx;
        int item = c.localIdx;
        // Find the tensor of this group, and where in it the group begins.
        int tensor = TENSORS;
        int from = group * ELEMENTS_OF_GROUP;
        int padded = (d.get(tensor + 1) + ELEMENTS_OF_GROUP - 1) / ELEMENTS_OF_GROUP * ELEMENTS_OF_GROUP;
        while (from >= padded) {
            from -= padded;
            tensor += 2;
            padded = (d.get(tensor + 1) + ELEMENTS_OF_GROUP - 1) / ELEMENTS_OF_GROUP * ELEMENTS_OF_GROUP;
        }
        int length = d.get(tensor + 1);
        int to = from + ELEMENTS_OF_GROUP < length ? from + ELEMENTS_OF_GROUP : length;
        double sum = 0;
        for (int i = from + item; i < to; i += Kernel.GROUP) {
            double value = x.get(d.get(tensor) + i);
            sum += value * value;
        }
        store(sums, d.get(SUMS) + WIDTH * (d.get(DONE) + group), item, groupSum(c, sum));
    }

    private static void totalKernel(KernelContext c, IntArray d, FloatArray s, FloatArray sums) {
        int item = c.localIdx;
        int groups = d.get(GROUPS);
        double sum = 0;
        for (int i = item; i < groups; i += Kernel.GROUP) {
            int at = d.get(SUMS) + WIDTH * i;
            double scale = sums.get(at + 2);
            double part = sums.get(at);
            part += sums.get(at + 1);
            sum += part * scale * scale;
        }
        store(sums, d.get(SUMS) + WIDTH * groups, item, groupSum(c, sum));
    }

    /** The sum over the items of a group. */
    private static double groupSum(KernelContext c, double value) {
        double[] shared = c.allocateDoubleLocalArray(Kernel.GROUP);
        int item = c.localIdx;
        shared[item] = value;
        c.localBarrier();
        for (int half = Kernel.GROUP / 2; half > 0; half >>= 1) {
            if (item < half) {
                shared[item] += shared[item + half];
            }
            c.localBarrier();
        }
        return shared[0];
    }

    /** Stores a sum as three floats; the rounding error of an infinite or NaN sum is 0. */
    private static void store(FloatArray sums, int at, int item, double sum) {
        if (item == 0) {
            float scale = sum > LARGE ? LARGE : sum < SMALL ? SMALL : 1;
            double scaled = sum / scale / scale;
            float nearest = (float) scaled;
            float rest = (float) (scaled - nearest);
            sums.set(at, nearest);
            sums.set(at + 1, nearest < Float.POSITIVE_INFINITY ? rest : 0);
            sums.set(at + 2, scale);
        }
    }
}
