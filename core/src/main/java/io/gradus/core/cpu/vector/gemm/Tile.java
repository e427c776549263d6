package io.gradus.core.cpu.vector.gemm;

import io.gradus.core.DType;
import io.gradus.core.cpu.common.CpuStorage;
import io.gradus.core.cpu.vector.Halves;
import io.gradus.core.cpu.vector.Lanes;
import io.gradus.core.cpu.vector.elementwise.Activations;
import io.gradus.core.cpu.vector.elementwise.Elementwise;
import io.gradus.core.kernel.ElementwiseKernels.Unary;
import io.gradus.core.kernel.GemmKernels.Epilogue;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.VectorMask;
import org.jspecify.annotations.Nullable;

/**
 * How a tile of a product is written to the result.
 *
 * @param add whether to add to the result
 * @param bias one element per column, or null
 * @param activation or null
 */
record Tile(
        boolean add, @Nullable MemorySegment bias, @Nullable Unary activation) {
    private static final int V = Lanes.COUNT;

    /** Columns written at a time: more than two cache lines, so that pages are not visited too often. */
    static final int STRIDE = Math.max(MicroKernel.COLUMNS, 32);

    /** The most rows that a tile has. */
    static final int MOST_ROWS = 32;

    static Tile accumulating(boolean add) {
        return new Tile(add, null, null);
    }

    static Tile of(Epilogue epilogue) {
        return new Tile(false, epilogue.bias() == null ? null : CpuStorage.of(epilogue.bias()), epilogue.activation());
    }

    /** Whether nothing is added to a row but what it was before. */
    boolean isPlain() {
        return bias == null && activation == null;
    }

    /** For one of several blocks of k: all but the first add, and only the last applies the bias and the activation. */
    Tile ofBlock(boolean first, boolean last) {
        return new Tile(add || !first, last ? bias : null, last ? activation : null);
    }

    /** Applies the bias and the activation in place to the first rows and columns of a square in F32. */
    void finish(MemorySegment square, int stride, int column, int rows, int columns) {
        for (int i = 0; i < rows && bias != null; i++) {
            add(bias, column, square, (long) i * stride, columns);
        }
        if (activation != null) {
            Activations.forward(activation).run(square, 0, square, 0, rows * stride);
        }
    }

    /** Writes the first rows and columns of a tile to the result, starting at {@code row} and {@code column}. */
    void store(float[] tile, int from, Matrix c, int row, int column, int rows, int columns) {
        for (int i = 0; i < rows; i++) {
            int at = from + i * STRIDE;
            long to = c.place(row + i, column);
            if (c.dtype() == DType.F32) {
                storeRow(tile, at, column, c.memory(), to, columns);
            } else {
                storeHalves(tile, at, column, c, to, columns);
            }
        }
    }

    /** Writes a row to F32 memory. */
    private void storeRow(float[] tile, int at, int column, MemorySegment memory, long to, int columns) {
        if (add) {
            add(tile, at, memory, to, columns);
        } else if (bias == null) {
            store(tile, at, memory, to, columns);
        } else {
            store(tile, at, bias, column, memory, to, columns);
        }
        if (add && bias != null) {
            add(bias, column, memory, to, columns);
        }
        if (activation != null) {
            activate(Activations.forward(activation), memory, to, columns);
        }
    }

    /** Writes a row to memory of 16-bit floats, each rounded once, after everything else. */
    private void storeHalves(float[] tile, int at, int column, Matrix c, long to, int columns) {
        MemorySegment floats = GemmBuffers.ofThread().line();
        for (int j = 0; j < columns; j += GemmBuffers.LINE) {
            int count = Math.min(GemmBuffers.LINE, columns - j);
            if (add) {
                Halves.widen(c.memory(), c.dtype(), to + j, floats, 0, count);
            }
            storeRow(tile, at + j, column + j, floats, 0, count);
            Halves.narrow(floats, 0, c.memory(), c.dtype(), to + j, count);
        }
    }

    private static void add(float[] tile, int at, MemorySegment memory, long to, int count) {
        int j = 0;
        for (; j <= count - V; j += V) {
            Lanes.store(Lanes.load(tile, at + j).add(Lanes.load(memory, to + j)), memory, to + j);
        }
        if (j < count) {
            VectorMask<Float> rest = Lanes.first(count - j);
            Lanes.store(Lanes.load(tile, at + j).add(Lanes.load(memory, to + j, rest)), memory, to + j, rest);
        }
    }

    private static void add(MemorySegment terms, long from, MemorySegment memory, long to, int count) {
        int j = 0;
        for (; j <= count - V; j += V) {
            Lanes.store(Lanes.load(memory, to + j).add(Lanes.load(terms, from + j)), memory, to + j);
        }
        if (j < count) {
            VectorMask<Float> rest = Lanes.first(count - j);
            Lanes.store(Lanes.load(memory, to + j, rest).add(Lanes.load(terms, from + j, rest)), memory, to + j, rest);
        }
    }

    /** Applies the activation in place; a partial vector is computed in scratch memory. */
    private static void activate(Elementwise.Loop function, MemorySegment memory, long from, int count) {
        int whole = count - count % V;
        function.run(memory, from, memory, from, whole);
        if (whole < count) {
            MemorySegment rest = GemmBuffers.ofThread().vector();
            MemorySegment.copy(memory, (from + whole) * 4, rest, 0, (count - whole) * 4L);
            function.run(rest, 0, rest, 0, V);
            MemorySegment.copy(rest, 0, memory, (from + whole) * 4, (count - whole) * 4L);
        }
    }

    private static void store(float[] tile, int at, MemorySegment memory, long to, int count) {
        int j = 0;
        for (; j <= count - V; j += V) {
            Lanes.store(Lanes.load(tile, at + j), memory, to + j);
        }
        if (j < count) {
            Lanes.store(Lanes.load(tile, at + j), memory, to + j, Lanes.first(count - j));
        }
    }

    /** Writes a row plus the bias, in one pass. */
    private static void store(
            float[] tile, int at, MemorySegment bias, long column, MemorySegment memory, long to, int count) {
        int j = 0;
        for (; j <= count - V; j += V) {
            Lanes.store(Lanes.load(tile, at + j).add(Lanes.load(bias, column + j)), memory, to + j);
        }
        if (j < count) {
            VectorMask<Float> rest = Lanes.first(count - j);
            Lanes.store(Lanes.load(tile, at + j).add(Lanes.load(bias, column + j, rest)), memory, to + j, rest);
        }
    }
}
