package io.gradus.gpu;

import static io.gradus.core.kernel.OptimizerStepKernels.BLOCK;
import static io.gradus.gpu.runtime.Launcher.ints;

import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Scope;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.DynamicMap;
import io.gradus.core.kernel.OptimizerStepKernels;
import io.gradus.gpu.runtime.Kernel;
import io.gradus.gpu.runtime.Launcher;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.ByteArray;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * {@link OptimizerStepKernels#adam8bit}: one work-group per block and one work-item per element. Each item decodes its
 * moments, updates them, and stores their codes. The items of a group only share the search for the largest moment of
 * the block.
 */
final class Adam8bitStep {
    private static final Kernel STEP =
            Kernel.of("adam8bit", Adam8bitStep::stepKernel).group(BLOCK, 1);

    // The descriptor: where the operands begin, then the integers of the launch.
    private static final int WEIGHTS = 0;
    private static final int GRADIENTS = 1;
    private static final int FIRST_CODES = 2;
    private static final int FIRST_LARGEST = 3;
    private static final int SECOND_CODES = 4;
    private static final int SECOND_LARGEST = 5;
    private static final int TABLES = 6;
    private static final int N = Kernel.INTS;

    // Where the tables begin in their tensor: the values of the codes, and the boundaries between codes.
    private static final int CODES = 256;
    private static final int SIGNED = 0;
    private static final int SIGNED_BOUNDARIES = CODES;
    private static final int UNSIGNED = 2 * CODES;
    private static final int UNSIGNED_BOUNDARIES = 3 * CODES;

    private final Launcher launcher;
    private @Nullable Tensor tables;

    Adam8bitStep(Launcher launcher) {
        this.launcher = launcher;
    }

    /**
     * @param constants {@link OptimizerSteps#constants}
     */
    void run(
            Tensor parameter,
            Tensor gradient,
            Tensor firstCodes,
            Tensor firstLargest,
            Tensor secondCodes,
            Tensor secondLargest,
            float[] constants) {
        launcher.run(
                STEP,
                OptimizerStepKernels.blocks(parameter.size()) * BLOCK,
                ints(parameter.size()),
                constants,
                parameter,
                gradient,
                firstCodes,
                firstLargest,
                secondCodes,
                secondLargest,
                tables(parameter.device()));
    }

    /** The tables are uploaded once. They belong to the device, not to the scope of the step that needs them first. */
    private synchronized Tensor tables(Device device) {
        Tensor made = tables;
        if (made == null) {
            float[] numbers = new float[4 * CODES];
            for (int code = 0; code < CODES; code++) {
                numbers[SIGNED + code] = DynamicMap.SIGNED.value(code);
                numbers[SIGNED_BOUNDARIES + code] = DynamicMap.SIGNED.boundary(code);
                numbers[UNSIGNED + code] = DynamicMap.UNSIGNED.value(code);
                numbers[UNSIGNED_BOUNDARIES + code] = DynamicMap.UNSIGNED.boundary(code);
            }
            made = Scope.outside(
                    () -> Tensor.empty(device, DType.F32, Shape.of(numbers.length), MemoryCategory.WORKSPACE));
            device.backend().upload(MemorySegment.ofArray(numbers), made);
            tables = made;
        }
        return made;
    }

    private static void stepKernel(
            KernelContext c,
            IntArray d,
            FloatArray s,
            FloatArray weights,
            FloatArray gradients,
            ByteArray firstCodes,
            FloatArray firstLargest,
            ByteArray secondCodes,
            FloatArray secondLargest,
            FloatArray tables) {
        float[] first = c.allocateFloatLocalArray(BLOCK);
        float[] second = c.allocateFloatLocalArray(BLOCK);
        int i = c.globalIdx;
        int item = c.localIdx;
        int block = c.groupIdx;
        boolean inside = i < d.get(N);
        float m = 0;
        float v = 0;
        if (inside) {
            float w = weights.get(d.get(WEIGHTS) + i);
            float g = OptimizerSteps.decayed(s, gradients.get(d.get(GRADIENTS) + i), w);
            int firstCode = firstCodes.get(d.get(FIRST_CODES) + i) & 0xFF;
            int secondCode = secondCodes.get(d.get(SECOND_CODES) + i) & 0xFF;
            m = tables.get(d.get(TABLES) + SIGNED + firstCode) * firstLargest.get(d.get(FIRST_LARGEST) + block);
            v = tables.get(d.get(TABLES) + UNSIGNED + secondCode) * secondLargest.get(d.get(SECOND_LARGEST) + block);
            m = OptimizerSteps.firstMoment(s, m, g);
            v = OptimizerSteps.secondMoment(s, v, g);
            weights.set(d.get(WEIGHTS) + i, OptimizerSteps.updated(s, w, m, v));
        }
        first[item] = m < 0 ? -m : m;
        second[item] = v;
        c.localBarrier();
        for (int half = BLOCK / 2; half > 0; half >>= 1) {
            if (item < half) {
                first[item] = larger(first[item], first[item + half]);
                second[item] = larger(second[item], second[item + half]);
            }
            c.localBarrier();
        }
        // All items of the block have read the old scales.
        if (inside) {
            int firstCode = code(tables, d.get(TABLES) + SIGNED_BOUNDARIES, part(m, first[0]));
            int secondCode = code(tables, d.get(TABLES) + UNSIGNED_BOUNDARIES, part(v, second[0]));
            firstCodes.set(d.get(FIRST_CODES) + i, (byte) firstCode);
            secondCodes.set(d.get(SECOND_CODES) + i, (byte) secondCode);
        }
        if (item == 0) {
            firstLargest.set(d.get(FIRST_LARGEST) + block, first[0]);
            secondLargest.set(d.get(SECOND_LARGEST) + block, second[0]);
        }
    }

    /** The larger of two numbers; NaN is the largest value. */
    private static float larger(float a, float b) {
        return b > a || Float.isNaN(b) ? b : a;
    }

    private static float part(float moment, float largest) {
        return largest == 0 ? 0 : moment / largest;
    }

    /** The number of the first 255 boundaries that are below a number, by binary search; 0 for NaN. */
    private static int code(FloatArray tables, int boundaries, float number) {
        int code = 0;
        for (int step = CODES / 2; step > 0; step >>= 1) {
            if (number > tables.get(boundaries + code + step - 1)) {
                code += step;
            }
        }
        return code;
    }
}
