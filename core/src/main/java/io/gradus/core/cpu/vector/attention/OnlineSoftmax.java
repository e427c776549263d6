package io.gradus.core.cpu.vector.attention;

import io.gradus.core.DType;
import io.gradus.core.cpu.common.CpuStorage;
import io.gradus.core.cpu.vector.Halves;
import io.gradus.core.cpu.vector.Lanes;
import io.gradus.core.cpu.vector.VectorMath;
import io.gradus.core.cpu.vector.gemm.Matrix;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/**
 * A softmax over blocks of keys, for several queries at once, one per lane (Milakov &amp; Gimelshein 2018). With m the largest
 * score so far and l the sum of {@code exp(score − m)}, a block with a larger score m′ changes l to
 * {@code l·exp(m − m′) + Σ exp(score − m′)}.
 */
final class OnlineSoftmax {
    private static final int V = Lanes.COUNT;

    private final int lanes;
    private final float[] max = new float[ScoreTile.STRIDE];
    private final float[] sum = new float[ScoreTile.STRIDE];
    /** The factor of the last block for earlier weights. */
    private final float[] factor = new float[ScoreTile.STRIDE];

    OnlineSoftmax(int lanes) {
        this.lanes = lanes;
        Arrays.fill(max, Float.NEGATIVE_INFINITY);
    }

    /** Replaces a block of raw scores by their weights {@code exp(scale·score − m)}. */
    void next(ScoreTile scores, int keys, float scale) {
        for (int lane = 0; lane < lanes; lane += V) {
            FloatVector before = Lanes.load(max, lane);
            FloatVector largest = largest(scores.memory(), lane, keys, scale, before);
            largest.intoArray(max, lane);
            // If a query has no keys yet, all scores are −∞: any finite shift gives weights of 0.
            FloatVector shift = largest.blend(0, largest.compare(VectorOperators.EQ, Float.NEGATIVE_INFINITY));
            FloatVector change = VectorMath.exp(before.sub(shift));
            change.intoArray(factor, lane);
            Lanes.load(sum, lane).mul(change).intoArray(sum, lane);
            weigh(scores.memory(), lane, keys, scale, max, sum);
        }
    }

    private static FloatVector largest(MemorySegment scores, int lane, int keys, float scale, FloatVector start) {
        FloatVector largest = start;
        for (int j = 0; j < keys; j++) {
            largest = Lanes.greater(
                    largest,
                    Lanes.load(scores, (long) j * ScoreTile.STRIDE + lane).mul(scale));
        }
        return largest;
    }

    private static void weigh(MemorySegment scores, int lane, int keys, float scale, float[] max, float[] sum) {
        FloatVector largest = Lanes.load(max, lane);
        FloatVector minus = largest.blend(0, largest.compare(VectorOperators.EQ, Float.NEGATIVE_INFINITY))
                .neg();
        FloatVector total = Lanes.zero();
        for (int j = 0; j < keys; j++) {
            long at = (long) j * ScoreTile.STRIDE + lane;
            FloatVector weight = VectorMath.exp(Lanes.load(scores, at).fma(Lanes.broadcast(scale), minus));
            Lanes.store(weight, scores, at);
            total = total.add(weight);
        }
        Lanes.load(sum, lane).add(total).intoArray(sum, lane);
    }

    /** Rescales the weighted sums of values, a row of {@code width} per query, to the maximum of the last block. */
    void rescale(Matrix sums, int width) {
        for (int i = 0; i < lanes; i++) {
            if (factor[i] != 1) {
                scale(sums.memory(), sums.place(i, 0), factor[i], sums.memory(), sums.place(i, 0), width);
            }
        }
    }

    /** Writes the weighted means of the values and the log-sum-exp of the scores; zeros and −∞ without keys. */
    void finish(Matrix sums, Matrix out, int width, MemorySegment logSumExp, long at) {
        boolean rounds = out.dtype() != DType.F32;
        Matrix means = rounds ? sums : out;
        for (int i = 0; i < lanes; i++) {
            if (sum[i] == 0) {
                means.clearRow(i, width);
            } else {
                scale(sums.memory(), sums.place(i, 0), 1 / sum[i], means.memory(), means.place(i, 0), width);
            }
            if (rounds) {
                Halves.narrow(means.memory(), means.place(i, 0), out.memory(), out.dtype(), out.place(i, 0), width);
            }
            CpuStorage.set(logSumExp, at + i, (float) (max[i] + Math.log(sum[i])));
        }
    }

    private static void scale(MemorySegment x, long from, float factor, MemorySegment y, long to, int count) {
        int i = 0;
        for (; i <= count - V; i += V) {
            Lanes.store(Lanes.load(x, from + i).mul(factor), y, to + i);
        }
        for (; i < count; i++) {
            CpuStorage.set(y, to + i, CpuStorage.get(x, from + i) * factor);
        }
    }
}
