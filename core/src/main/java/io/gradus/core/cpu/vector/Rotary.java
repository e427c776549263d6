package io.gradus.core.cpu.vector;

import io.gradus.core.RopeLayout;
import io.gradus.core.Tensor;
import io.gradus.core.cpu.common.CpuStorage;
import io.gradus.core.cpu.common.Workers;
import io.gradus.core.kernel.RotaryKernels;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;

/**
 * Rotary position embedding of pairs that are half a head apart: two rows of vectors, rotated by the same angles in each head.
 * Interleaved pairs, and heads whose half is not a whole number of vectors, use {@link io.gradus.core.cpu.scalar.Rotary}.
 */
public final class Rotary implements RotaryKernels {
    /** Elements in a chunk. */
    private static final long GRAIN = 1 << 14;

    private final Workers workers;
    private final RotaryKernels scalar;

    public Rotary(Workers workers) {
        this.workers = workers;
        this.scalar = new io.gradus.core.cpu.scalar.Rotary(workers);
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
        int half = Math.toIntExact(cos.shape().get(1));
        if (layout != RopeLayout.HALF_SPLIT || half == 0 || half % Lanes.COUNT != 0) {
            scalar.rotate(x, cos, sin, positions, layout, inverse, out, accumulate);
            return;
        }
        MemorySegment places = CpuStorage.of(positions);
        io.gradus.core.cpu.scalar.Rotary.checkPositions(
                places, positions.size(), cos.shape().get(0));
        MemorySegment source = CpuStorage.of(x);
        MemorySegment cosines = CpuStorage.of(cos);
        MemorySegment sines = CpuStorage.of(sin);
        MemorySegment target = CpuStorage.of(out);
        float sign = inverse ? -1 : 1;
        long row = x.shape().get(2) * 2 * half;
        workers.forEach(positions.size(), Math.max(1, GRAIN / Math.max(1, row)), (from, to) -> {
            for (long i = from; i < to; i++) {
                long entry = (long) CpuStorage.getInt(places, i) * half;
                for (long head = i * row; head < (i + 1) * row; head += 2 * half) {
                    if (accumulate) {
                        addTurned(source, head, half, cosines, sines, entry, sign, target);
                    } else {
                        turn(source, head, half, cosines, sines, entry, sign, target);
                    }
                }
            }
        });
    }

    private static void turn(
            MemorySegment x,
            long at,
            int half,
            MemorySegment cos,
            MemorySegment sin,
            long entry,
            float sign,
            MemorySegment out) {
        FloatVector direction = Lanes.broadcast(sign);
        for (int i = 0; i < half; i += Lanes.COUNT) {
            FloatVector u = Lanes.load(x, at + i);
            FloatVector v = Lanes.load(x, at + half + i);
            FloatVector c = Lanes.load(cos, entry + i);
            FloatVector s = Lanes.load(sin, entry + i).mul(direction);
            Lanes.store(u.mul(c).sub(v.mul(s)), out, at + i);
            Lanes.store(v.fma(c, u.mul(s)), out, at + half + i);
        }
    }

    private static void addTurned(
            MemorySegment x,
            long at,
            int half,
            MemorySegment cos,
            MemorySegment sin,
            long entry,
            float sign,
            MemorySegment out) {
        FloatVector direction = Lanes.broadcast(sign);
        for (int i = 0; i < half; i += Lanes.COUNT) {
            FloatVector u = Lanes.load(x, at + i);
            FloatVector v = Lanes.load(x, at + half + i);
            FloatVector c = Lanes.load(cos, entry + i);
            FloatVector s = Lanes.load(sin, entry + i).mul(direction);
            FloatVector first = u.mul(c).sub(v.mul(s));
            FloatVector second = v.fma(c, u.mul(s));
            Lanes.store(Lanes.load(out, at + i).add(first), out, at + i);
            Lanes.store(Lanes.load(out, at + half + i).add(second), out, at + half + i);
        }
    }
}
