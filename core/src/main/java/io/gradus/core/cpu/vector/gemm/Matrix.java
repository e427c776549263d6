package io.gradus.core.cpu.vector.gemm;

import io.gradus.core.DType;
import io.gradus.core.Tensor;
import io.gradus.core.cpu.common.CpuStorage;
import io.gradus.core.cpu.common.Scratch;
import io.gradus.core.cpu.vector.Halves;
import java.lang.foreign.MemorySegment;

/**
 * The layout of an operand of a matrix product.
 *
 * @param offset the position of the first element, in elements
 * @param stride the distance between stored rows, in elements
 * @param transposed whether the rows of the operand are stored as columns
 * @param dtype F32 or a 16-bit float
 */
public record Matrix(MemorySegment memory, long offset, long stride, boolean transposed, DType dtype) {

    /** An F32 matrix. */
    public Matrix(MemorySegment memory, long offset, long stride, boolean transposed) {
        this(memory, offset, stride, transposed, DType.F32);
    }

    /** The last two axes of a tensor, {@code [rows, columns]} after the transpose, if any. */
    static Matrix of(Tensor tensor, boolean transposed, int rows, int columns) {
        return new Matrix(CpuStorage.of(tensor), 0, transposed ? rows : columns, transposed, tensor.dtype());
    }

    /** The matrix at another offset. */
    Matrix at(long offset) {
        return new Matrix(memory, offset, stride, transposed, dtype);
    }

    /** The matrix without the rows before {@code row}. */
    public Matrix row(long row) {
        return at(place(row, 0));
    }

    /** Zeros the first {@code width} elements of a row of a matrix that is not transposed. */
    public void clearRow(long row, int width) {
        memory.asSlice(place(row, 0) * dtype.bytes(), (long) width * dtype.bytes())
                .fill((byte) 0);
    }

    public Matrix transpose() {
        return new Matrix(memory, offset, stride, !transposed, dtype);
    }

    public long place(long row, long column) {
        return offset + (transposed ? column * stride + row : row * stride + column);
    }

    public float get(long row, long column) {
        return CpuStorage.get(memory, place(row, column));
    }

    /** This matrix if it is F32; otherwise a part of it, converted to F32 in per-thread memory that is valid until the next call. */
    Matrix floats(int row0, int row1, int column0, int column1) {
        return floats(Scratch.CONVERTED, row0, row1, column0, column1);
    }

    /** The same in a slot of {@link Scratch}. */
    public Matrix floats(int slot, int row0, int row1, int column0, int column1) {
        if (dtype == DType.F32) {
            return this;
        }
        int lines = transposed ? column1 - column0 : row1 - row0;
        int length = transposed ? row1 - row0 : column1 - column0;
        MemorySegment floats = Scratch.ofThread().memory(slot, (long) lines * length);
        for (long line = 0; line < lines; line++) {
            long from = place(transposed ? row0 : row0 + line, transposed ? column0 + line : column0);
            Halves.widen(memory, dtype, from, floats, line * length, length);
        }
        Matrix whole = new Matrix(floats, 0, length, transposed);
        return whole.at(-whole.place(row0, column0));
    }

    /** Packs {@code [row0, row1)} × {@code [k0, k0 + depth)} into panels of rows, for the left side of a product. */
    void packRows(int row0, int row1, int k0, int depth, float[] panels, int to) {
        Matrix source = floats(row0, row1, k0, k0 + depth);
        long from = source.place(row0, k0);
        if (transposed) {
            Panels.copySixes(source.memory, from, source.stride, depth, row1 - row0, panels, to);
        } else {
            Panels.turnSixes(source.memory, from, source.stride, depth, row1 - row0, panels, to);
        }
    }

    /** Packs {@code [k0, k0 + depth)} × {@code [column0, column1)} into panels of columns, for the right side of a product. */
    void packColumns(int column0, int column1, int k0, int depth, MemorySegment panels, long to, float[] square) {
        Matrix source = floats(k0, k0 + depth, column0, column1);
        long from = source.place(k0, column0);
        int count = column1 - column0;
        int width = MicroKernel.COLUMNS;
        if (transposed) {
            Panels.turn(source.memory, from, source.stride, depth, count, width, panels, to, square);
        } else {
            Panels.copy(source.memory, from, source.stride, depth, count, width, panels, to);
        }
    }
}
