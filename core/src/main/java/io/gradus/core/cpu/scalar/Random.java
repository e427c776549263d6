package io.gradus.core.cpu.scalar;

import io.gradus.core.Philox;
import io.gradus.core.Tensor;
import io.gradus.core.cpu.common.CpuStorage;
import io.gradus.core.cpu.common.FloatMemory;
import io.gradus.core.cpu.common.Workers;
import io.gradus.core.kernel.RandomKernels;
import java.lang.foreign.MemorySegment;

/** Random elements, four per {@link Philox} block. Chunks begin at block boundaries. */
public final class Random implements RandomKernels {
    private final Workers workers;

    public Random(Workers workers) {
        this.workers = workers;
    }

    @Override
    public void uniform(Tensor out, double low, double high, Philox.Key key) {
        MemorySegment target = CpuStorage.of(out);
        // Rounding to float must not reach the bound.
        float below = high > low ? Math.nextDown((float) high) : Float.POSITIVE_INFINITY;
        Chunks.elements(workers, out.size(), (scratch, from, n) -> {
            float[] values = scratch.floats(0, n + 3);
            uniform(key, from, values, n);
            for (int i = 0; i < n; i++) {
                values[i] = Math.min((float) (low + (high - low) * values[i]), below);
            }
            CpuStorage.store(values, target, from, n);
        });
    }

    /** Uniform numbers for the elements starting at {@code from}, the first of a block; up to three more than requested. */
    private static void uniform(Philox.Key key, long from, float[] target, int n) {
        int[] words = new int[4];
        for (int i = 0; i < n; i += 4) {
            Philox.block(key, (from + i) / 4, words);
            for (int j = 0; j < 4; j++) {
                target[i + j] = Philox.uniform(words[j]);
            }
        }
    }

    @Override
    public void normal(Tensor out, double mean, double standardDeviation, Philox.Key key) {
        MemorySegment target = CpuStorage.of(out);
        Chunks.elements(workers, out.size(), (scratch, from, n) -> {
            float[] values = scratch.floats(0, n + 3);
            int[] words = new int[4];
            double[] pair = new double[2];
            for (int i = 0; i < n; i += 4) {
                Philox.block(key, (from + i) / 4, words);
                for (int j = 0; j < 4; j += 2) {
                    Philox.normalPair(words[j], words[j + 1], pair);
                    values[i + j] = (float) (mean + standardDeviation * pair[0]);
                    values[i + j + 1] = (float) (mean + standardDeviation * pair[1]);
                }
            }
            CpuStorage.store(values, target, from, n);
        });
    }

    @Override
    public void dropout(Tensor x, double p, Philox.Key key, Tensor out, boolean accumulate) {
        FloatMemory source = FloatMemory.of(x);
        FloatMemory target = FloatMemory.of(out);
        float factor = (float) (1 / (1 - p));
        Chunks.elements(workers, x.size(), (scratch, from, n) -> {
            float[] values = scratch.floats(0, n);
            float[] chance = scratch.floats(1, n + 3);
            source.load(from, values, n);
            uniform(key, from, chance, n);
            for (int i = 0; i < n; i++) {
                int mask = chance[i] >= p ? -1 : 0;
                values[i] = Float.intBitsToFloat(Float.floatToRawIntBits(values[i] * factor) & mask);
            }
            target.store(values, from, n, accumulate);
        });
    }
}
