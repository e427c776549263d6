package io.gradus.core.cpu.vector;

import static io.gradus.core.cpu.vector.VectorMath.ONE;

import io.gradus.core.Tensor;
import io.gradus.core.cpu.common.CpuStorage;
import io.gradus.core.cpu.common.Workers;
import io.gradus.core.kernel.LstmKernels;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;

/**
 * The gates of a row are activated in short loops with one exponential each, which the JIT compiler inlines; the update of the
 * state then finds them in the first-level cache. The end of a row that does not fill a vector is masked.
 */
public final class Lstm implements LstmKernels {
    private static final int COUNT = Lanes.COUNT;

    private final Workers workers;

    public Lstm(Workers workers) {
        this.workers = workers;
    }

    @Override
    public void lstmCell(Tensor gates, Tensor cell, Tensor nextCell, Tensor hidden) {
        MemorySegment sums = CpuStorage.of(gates);
        MemorySegment before = CpuStorage.of(cell);
        MemorySegment after = CpuStorage.of(nextCell);
        MemorySegment result = CpuStorage.of(hidden);
        long width = cell.shape().last();
        Rows.forEach(workers, cell.shape().rows(), 4 * width, (from, to) -> {
            for (long row = from; row < to; row++) {
                long at = row * 4 * width;
                sigmoid(sums, at, at + 2 * width);
                tanh(sums, at + 2 * width, at + 3 * width);
                sigmoid(sums, at + 3 * width, at + 4 * width);
                update(sums, at, before, after, result, row * width, width);
            }
        });
    }

    private static void sigmoid(MemorySegment x, long from, long to) {
        long i = from;
        for (; i <= to - COUNT; i += COUNT) {
            Lanes.store(VectorMath.sigmoid(Lanes.load(x, i)), x, i);
        }
        if (i < to) {
            VectorMask<Float> rest = Lanes.first(to - i);
            Lanes.store(VectorMath.sigmoid(Lanes.load(x, i, rest)), x, i, rest);
        }
    }

    private static void tanh(MemorySegment x, long from, long to) {
        long i = from;
        for (; i <= to - COUNT; i += COUNT) {
            Lanes.store(VectorMath.tanh(Lanes.load(x, i)), x, i);
        }
        if (i < to) {
            tanhOfRest(x, i, to);
        }
    }

    private static void tanhOfRest(MemorySegment x, long from, long to) {
        VectorMask<Float> rest = Lanes.first(to - from);
        Lanes.store(VectorMath.tanh(Lanes.load(x, from, rest)), x, from, rest);
    }

    /** The update of {@code width} units, with the gates of the row from element {@code at} on. */
    private static void update(
            MemorySegment gates,
            long at,
            MemorySegment before,
            MemorySegment after,
            MemorySegment hidden,
            long from,
            long width) {
        long i = 0;
        for (; i <= width - COUNT; i += COUNT) {
            FloatVector gain = Lanes.load(gates, at + i).mul(Lanes.load(gates, at + 2 * width + i));
            FloatVector next = Lanes.load(gates, at + width + i).fma(Lanes.load(before, from + i), gain);
            Lanes.store(next, after, from + i);
            Lanes.store(Lanes.load(gates, at + 3 * width + i).mul(VectorMath.tanh(next)), hidden, from + i);
        }
        if (i < width) {
            updateRest(gates, at + i, before, after, hidden, from + i, width, Lanes.first(width - i));
        }
    }

    private static void updateRest(
            MemorySegment gates,
            long at,
            MemorySegment before,
            MemorySegment after,
            MemorySegment hidden,
            long from,
            long width,
            VectorMask<Float> rest) {
        FloatVector gain = Lanes.load(gates, at, rest).mul(Lanes.load(gates, at + 2 * width, rest));
        FloatVector next = Lanes.load(gates, at + width, rest).fma(Lanes.load(before, from, rest), gain);
        Lanes.store(next, after, from, rest);
        Lanes.store(Lanes.load(gates, at + 3 * width, rest).mul(VectorMath.tanh(next)), hidden, from, rest);
    }

    @Override
    public void lstmCellBackward(
            Tensor gates, Tensor cell, Tensor nextCell, Tensor dhidden, Tensor dcell, Tensor dgates) {
        MemorySegment values = CpuStorage.of(gates);
        MemorySegment before = CpuStorage.of(cell);
        MemorySegment after = CpuStorage.of(nextCell);
        MemorySegment outer = CpuStorage.of(dhidden);
        MemorySegment toCell = CpuStorage.of(dcell);
        MemorySegment toGates = CpuStorage.of(dgates);
        long width = cell.shape().last();
        Rows.forEach(workers, cell.shape().rows(), 4 * width, (from, to) -> {
            for (long row = from; row < to; row++) {
                long at = row * 4 * width;
                long start = row * width;
                outputGate(values, at, after, outer, toCell, toGates, start, width);
                otherGates(values, at, before, toCell, toGates, start, width);
            }
        });
    }

    /** {@code do}, and dc′ plus what comes through h. */
    private static void outputGate(
            MemorySegment gates,
            long at,
            MemorySegment after,
            MemorySegment dhidden,
            MemorySegment dcell,
            MemorySegment dgates,
            long from,
            long width) {
        long out = at + 3 * width;
        long i = 0;
        for (; i <= width - COUNT; i += COUNT) {
            FloatVector state = VectorMath.tanh(Lanes.load(after, from + i));
            FloatVector v = Lanes.load(gates, out + i);
            FloatVector outer = Lanes.load(dhidden, from + i).mul(v);
            FloatVector delta = outer.mul(ONE.sub(state.mul(state))).add(Lanes.load(dcell, from + i));
            Lanes.store(outer.mul(state).mul(ONE.sub(v)), dgates, out + i);
            Lanes.store(delta, dcell, from + i);
        }
        if (i < width) {
            outputGateRest(gates, out + i, after, dhidden, dcell, dgates, from + i, Lanes.first(width - i));
        }
    }

    private static void outputGateRest(
            MemorySegment gates,
            long out,
            MemorySegment after,
            MemorySegment dhidden,
            MemorySegment dcell,
            MemorySegment dgates,
            long from,
            VectorMask<Float> rest) {
        FloatVector state = VectorMath.tanh(Lanes.load(after, from, rest));
        FloatVector v = Lanes.load(gates, out, rest);
        FloatVector outer = Lanes.load(dhidden, from, rest).mul(v);
        FloatVector delta = outer.mul(ONE.sub(state.mul(state))).add(Lanes.load(dcell, from, rest));
        Lanes.store(outer.mul(state).mul(ONE.sub(v)), dgates, out, rest);
        Lanes.store(delta, dcell, from, rest);
    }

    /** {@code di}, {@code df}, {@code dg} and {@code dc}, from the δ that {@code dcell} holds. */
    private static void otherGates(
            MemorySegment gates,
            long at,
            MemorySegment before,
            MemorySegment dcell,
            MemorySegment dgates,
            long from,
            long width) {
        for (long i = 0; i < width; i += COUNT) {
            VectorMask<Float> lanes = Lanes.first(width - i);
            FloatVector delta = Lanes.load(dcell, from + i, lanes);
            FloatVector a = Lanes.load(gates, at + i, lanes);
            FloatVector b = Lanes.load(gates, at + width + i, lanes);
            FloatVector u = Lanes.load(gates, at + 2 * width + i, lanes);
            FloatVector toCell = delta.mul(b);
            FloatVector toIn = delta.mul(a);
            Lanes.store(toCell, dcell, from + i, lanes);
            Lanes.store(toIn.mul(u).mul(ONE.sub(a)), dgates, at + i, lanes);
            FloatVector c = Lanes.load(before, from + i, lanes);
            Lanes.store(toCell.mul(c).mul(ONE.sub(b)), dgates, at + width + i, lanes);
            Lanes.store(toIn.mul(ONE.sub(u.mul(u))), dgates, at + 2 * width + i, lanes);
        }
    }
}
