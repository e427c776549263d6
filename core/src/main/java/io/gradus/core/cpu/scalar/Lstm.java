package io.gradus.core.cpu.scalar;

import io.gradus.core.Tensor;
import io.gradus.core.cpu.common.CpuStorage;
import io.gradus.core.cpu.common.Workers;
import io.gradus.core.kernel.ElementwiseKernels.Unary;
import io.gradus.core.kernel.LstmKernels;
import io.gradus.core.reference.Functions;
import java.lang.foreign.MemorySegment;

/** One unit at a time, in double precision. */
public final class Lstm implements LstmKernels {
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
        Chunks.elements(workers, cell.size(), (_, from, n) -> {
            for (long i = from; i < from + n; i++) {
                long at = i / width * 4 * width + i % width;
                double in = activate(Unary.SIGMOID, sums, at);
                double forget = activate(Unary.SIGMOID, sums, at + width);
                double candidate = activate(Unary.TANH, sums, at + 2 * width);
                double out = activate(Unary.SIGMOID, sums, at + 3 * width);
                double next = forget * CpuStorage.get(before, i) + in * candidate;
                CpuStorage.set(after, i, (float) next);
                CpuStorage.set(result, i, (float) (out * Math.tanh(next)));
            }
        });
    }

    private static double activate(Unary op, MemorySegment sums, long at) {
        double value = Functions.value(op, CpuStorage.get(sums, at));
        CpuStorage.set(sums, at, (float) value);
        return value;
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
        Chunks.elements(workers, cell.size(), (_, from, n) -> {
            for (long i = from; i < from + n; i++) {
                long at = i / width * 4 * width + i % width;
                double in = CpuStorage.get(values, at);
                double forget = CpuStorage.get(values, at + width);
                double candidate = CpuStorage.get(values, at + 2 * width);
                double out = CpuStorage.get(values, at + 3 * width);
                double state = Math.tanh(CpuStorage.get(after, i));
                double dh = CpuStorage.get(outer, i);
                double delta = CpuStorage.get(toCell, i) + dh * out * (1 - state * state);
                CpuStorage.set(toGates, at, (float) (delta * candidate * in * (1 - in)));
                CpuStorage.set(
                        toGates, at + width, (float) (delta * CpuStorage.get(before, i) * forget * (1 - forget)));
                CpuStorage.set(toGates, at + 2 * width, (float) (delta * in * (1 - candidate * candidate)));
                CpuStorage.set(toGates, at + 3 * width, (float) (dh * state * out * (1 - out)));
                CpuStorage.set(toCell, i, (float) (delta * forget));
            }
        });
    }
}
