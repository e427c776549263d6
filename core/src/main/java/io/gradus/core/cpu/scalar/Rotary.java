package io.gradus.core.cpu.scalar;

import io.gradus.core.RopeLayout;
import io.gradus.core.Tensor;
import io.gradus.core.cpu.common.CpuStorage;
import io.gradus.core.cpu.common.Workers;
import io.gradus.core.kernel.RotaryKernels;
import java.lang.foreign.MemorySegment;

/**
 * Rotary position embedding. All heads of a position rotate by the same angles. A row is {@code x·c + partner·s}: c is each
 * element's cosine, s its sine with a sign that depends on its side of the pair, and partner is the other element of the pair.
 */
public final class Rotary implements RotaryKernels {
    private final Workers workers;

    public Rotary(Workers workers) {
        this.workers = workers;
    }

    @Override
    public void rotate(
            Tensor x,
            Tensor cos,
            Tensor sin,
            Tensor positions,
            RopeLayout layout,
            boolean inverse,
            Tensor out,
            boolean accumulate) {
        MemorySegment inputs = CpuStorage.of(x);
        MemorySegment cosines = CpuStorage.of(cos);
        MemorySegment sines = CpuStorage.of(sin);
        MemorySegment places = CpuStorage.of(positions);
        MemorySegment target = CpuStorage.of(out);
        long rows = positions.size();
        checkPositions(places, rows, cos.shape().get(0));
        int width = Math.toIntExact(x.shape().get(3));
        int n = Math.toIntExact(x.shape().get(2) * width);
        int half = width / 2;
        Chunks.rows(workers, rows, n, (scratch, row) -> {
            float[] values = scratch.floats(0, n);
            float[] partner = scratch.floats(1, n);
            float[] c = scratch.floats(2, n);
            float[] s = scratch.floats(3, n);
            float[] angle = scratch.floats(4, half);
            long entry = (long) CpuStorage.getInt(places, row) * half;
            CpuStorage.load(inputs, row * n, values, n);
            CpuStorage.load(cosines, entry, angle, half);
            spread(angle, 1, layout, c, half, n);
            CpuStorage.load(sines, entry, angle, half);
            FloatMath.scale(angle, inverse ? -1 : 1, half);
            spread(angle, -1, layout, s, half, n);
            swap(values, layout, partner, half, n);
            turn(values, partner, c, s, n);
            Chunks.write(scratch, values, target, row * n, n, accumulate);
        });
    }

    public static void checkPositions(MemorySegment positions, long count, long table) {
        long bad = Chunks.firstOutside(positions, count, table);
        if (bad >= 0) {
            throw RotaryKernels.badPosition(CpuStorage.getInt(positions, bad), table);
        }
    }

    /** Writes angle i to the second element of pair i, and times {@code sign} to the first, in each head. */
    private static void spread(float[] angle, float sign, RopeLayout layout, float[] target, int half, int n) {
        boolean split = layout == RopeLayout.HALF_SPLIT;
        for (int i = 0; i < Math.min(half, n); i++) {
            target[split ? i : 2 * i] = sign * angle[i];
            target[split ? i + half : 2 * i + 1] = angle[i];
        }
        for (int head = 2 * half; head < n; head += 2 * half) {
            System.arraycopy(target, 0, target, head, 2 * half);
        }
    }

    private static void swap(float[] x, RopeLayout layout, float[] partner, int half, int n) {
        if (layout == RopeLayout.HALF_SPLIT) {
            for (int head = 0; head < n; head += 2 * half) {
                System.arraycopy(x, head, partner, head + half, half);
                System.arraycopy(x, head + half, partner, head, half);
            }
        } else {
            for (int i = 0; i < n; i += 2) {
                partner[i] = x[i + 1];
                partner[i + 1] = x[i];
            }
        }
    }

    private static void turn(float[] x, float[] partner, float[] cos, float[] sin, int n) {
        for (int i = 0; i < n; i++) {
            x[i] = Math.fma(x[i], cos[i], partner[i] * sin[i]);
        }
    }
}
