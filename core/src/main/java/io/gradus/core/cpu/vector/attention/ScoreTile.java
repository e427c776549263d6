package io.gradus.core.cpu.vector.attention;

import io.gradus.core.cpu.common.CpuStorage;
import io.gradus.core.cpu.vector.Lanes;
import io.gradus.core.cpu.vector.VectorMath;
import io.gradus.core.cpu.vector.gemm.Matrix;
import java.lang.foreign.MemorySegment;

/**
 * The scores of a block of keys, one per row, for a block of queries, one per lane. So a softmax over keys handles several queries
 * at once, without horizontal reductions. Rows are {@link #STRIDE} apart; lanes without a query are computed but unused.
 *
 * @param memory per-thread memory
 * @param lanes the number of queries
 */
record ScoreTile(MemorySegment memory, int lanes) {
    /** The distance between rows, in floats. */
    static final int STRIDE = 128;

    private static final int V = Lanes.COUNT;

    /** {@code [keys, queries]}. */
    Matrix matrix() {
        return new Matrix(memory, 0, STRIDE, false);
    }

    /** Hides a key from the first {@code count} queries; from none if the count is negative. */
    void hide(int key, int count) {
        for (int i = 0; i < count; i++) {
            CpuStorage.set(memory, (long) key * STRIDE + i, Float.NEGATIVE_INFINITY);
        }
    }

    /** Hides a key from the queries from one on; from all if {@code first} is negative. */
    void hideFrom(int key, int first) {
        for (int i = Math.max(0, first); i < lanes; i++) {
            CpuStorage.set(memory, (long) key * STRIDE + i, Float.NEGATIVE_INFINITY);
        }
    }

    /** Hides the key at {@code place} from the queries whose first key comes later. */
    void hideFromLater(int key, int place, int[] documentStarts) {
        for (int i = 0; i < lanes; i++) {
            if (documentStarts[i] > place) {
                CpuStorage.set(memory, (long) key * STRIDE + i, Float.NEGATIVE_INFINITY);
            }
        }
    }

    /** Replaces raw scores s by {@code c·tanh(scale·s/c)}. */
    void cap(int keys, float scale, float softcap) {
        for (int i = 0; i < lanes; i += V) {
            cap(memory, i, keys, scale / softcap, softcap);
        }
    }

    private static void cap(MemorySegment memory, int lane, int keys, float scale, float softcap) {
        for (int j = 0; j < keys; j++) {
            long at = (long) j * STRIDE + lane;
            Lanes.store(VectorMath.tanh(Lanes.load(memory, at).mul(scale)).mul(softcap), memory, at);
        }
    }

    /** The derivatives of capped scores: {@code 1 − (s/c)²}. */
    void slopes(int keys, ScoreTile capped, float softcap) {
        for (int i = 0; i < lanes; i += V) {
            slopes(memory, capped.memory, i, keys, 1 / softcap);
        }
    }

    private static void slopes(MemorySegment slopes, MemorySegment capped, int lane, int keys, float factor) {
        for (int j = 0; j < keys; j++) {
            long at = (long) j * STRIDE + lane;
            var tanh = Lanes.load(capped, at).mul(factor);
            Lanes.store(tanh.neg().fma(tanh, VectorMath.ONE), slopes, at);
        }
    }

    /** Multiplies with another tile, in place. */
    void multiply(int keys, ScoreTile other) {
        for (int i = 0; i < lanes; i += V) {
            multiply(memory, other.memory, i, keys);
        }
    }

    private static void multiply(MemorySegment x, MemorySegment y, int lane, int keys) {
        for (int j = 0; j < keys; j++) {
            long at = (long) j * STRIDE + lane;
            Lanes.store(Lanes.load(x, at).mul(Lanes.load(y, at)), x, at);
        }
    }

    /** {@code exp(scale·score − shift)}, in place; {@code shift} has an element per lane. */
    void exponentials(int keys, float scale, float[] shift) {
        for (int i = 0; i < lanes; i += V) {
            exponentials(memory, i, keys, scale, shift);
        }
    }

    private static void exponentials(MemorySegment memory, int lane, int keys, float scale, float[] shift) {
        var minus = Lanes.load(shift, lane).neg();
        for (int j = 0; j < keys; j++) {
            long at = (long) j * STRIDE + lane;
            Lanes.store(VectorMath.exp(Lanes.load(memory, at).fma(Lanes.broadcast(scale), minus)), memory, at);
        }
    }

    /** {@code dS = scale·P·(dP − delta)}, where this holds dP before. */
    void scoreGradients(int keys, ScoreTile p, float[] delta, float scale) {
        for (int i = 0; i < lanes; i += V) {
            scoreGradients(memory, p.memory, i, keys, delta, scale);
        }
    }

    private static void scoreGradients(
            MemorySegment ds, MemorySegment p, int lane, int keys, float[] delta, float scale) {
        var mean = Lanes.load(delta, lane);
        for (int j = 0; j < keys; j++) {
            long at = (long) j * STRIDE + lane;
            Lanes.store(Lanes.load(ds, at).sub(mean).mul(Lanes.load(p, at)).mul(scale), ds, at);
        }
    }
}
