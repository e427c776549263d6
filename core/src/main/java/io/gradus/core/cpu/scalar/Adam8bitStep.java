package io.gradus.core.cpu.scalar;

import static io.gradus.core.kernel.OptimizerStepKernels.BLOCK;

import io.gradus.core.Tensor;
import io.gradus.core.cpu.common.CpuStorage;
import io.gradus.core.cpu.common.Scratch;
import io.gradus.core.cpu.common.Workers;
import io.gradus.core.kernel.AdamStep;
import io.gradus.core.kernel.DynamicMap;
import io.gradus.core.kernel.OptimizerStepKernels;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * {@link OptimizerStepKernels#adam8bit}: one block at a time, in arrays that stay in the first-level cache. Most of the time is
 * spent on code lookups, which do not vectorize.
 */
final class Adam8bitStep {
    /** The number of blocks per chunk. */
    private static final long GRAIN = 32;

    private Adam8bitStep() {}

    static void run(
            Workers workers,
            Tensor parameter,
            Tensor gradient,
            Tensor firstCodes,
            Tensor firstLargest,
            Tensor secondCodes,
            Tensor secondLargest,
            AdamStep.Factors factors) {
        MemorySegment weights = CpuStorage.of(parameter);
        MemorySegment gradients = CpuStorage.of(gradient);
        Moments first = new Moments(DynamicMap.SIGNED, CpuStorage.of(firstCodes), CpuStorage.of(firstLargest));
        Moments second = new Moments(DynamicMap.UNSIGNED, CpuStorage.of(secondCodes), CpuStorage.of(secondLargest));
        long size = parameter.size();
        workers.forEach(OptimizerStepKernels.blocks(size), GRAIN, (from, to) -> {
            Scratch scratch = Scratch.ofThread();
            float[] w = scratch.floats(0, BLOCK);
            float[] g = scratch.floats(1, BLOCK);
            float[] m = scratch.floats(2, BLOCK);
            float[] v = scratch.floats(3, BLOCK);
            byte[] codes = new byte[BLOCK];
            for (long block = from; block < to; block++) {
                long at = block * BLOCK;
                int n = (int) Math.min(BLOCK, size - at);
                CpuStorage.load(weights, at, w, n);
                CpuStorage.load(gradients, at, g, n);
                first.load(block, codes, m, n);
                second.load(block, codes, v, n);
                OptimizerSteps.adam(w, g, m, v, n, factors);
                CpuStorage.store(w, weights, at, n);
                first.store(block, codes, m, n);
                second.store(block, codes, v, n);
            }
        });
    }

    /** One of the two moments. */
    private record Moments(DynamicMap map, MemorySegment codes, MemorySegment largest) {

        void load(long block, byte[] bytes, float[] moments, int n) {
            MemorySegment.copy(codes, ValueLayout.JAVA_BYTE, block * BLOCK, bytes, 0, n);
            float scale = CpuStorage.get(largest, block);
            for (int i = 0; i < n; i++) {
                moments[i] = map.value(bytes[i] & 0xFF) * scale;
            }
        }

        void store(long block, byte[] bytes, float[] moments, int n) {
            float most = 0;
            for (int i = 0; i < n; i++) {
                most = Math.max(most, Math.abs(moments[i]));
            }
            for (int i = 0; i < n; i++) {
                bytes[i] = (byte) map.code(most == 0 ? 0 : moments[i] / most);
            }
            CpuStorage.set(largest, block, most);
            MemorySegment.copy(bytes, 0, codes, ValueLayout.JAVA_BYTE, block * BLOCK, n);
        }
    }
}
