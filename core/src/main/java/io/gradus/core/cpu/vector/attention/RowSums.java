package io.gradus.core.cpu.vector.attention;

import io.gradus.core.DType;
import io.gradus.core.cpu.common.Scratch;
import io.gradus.core.cpu.vector.Halves;
import io.gradus.core.cpu.vector.gemm.Matrix;

/**
 * Rows of a gradient that are summed in F32: where they are stored if that is F32, and otherwise in memory of this thread. Then each
 * sum is rounded once.
 *
 * @param stored the gradient
 * @param sums its sums
 */
record RowSums(Matrix stored, Matrix sums, int rows, int width) {

    /**
     * @param slot of scratch memory
     */
    RowSums(Matrix stored, int slot, int rows, int width) {
        this(stored, stored.dtype() == DType.F32 ? stored : scratch(slot, rows, width), rows, width);
    }

    private static Matrix scratch(int slot, int rows, int width) {
        return new Matrix(Scratch.ofThread().memory(slot, (long) rows * width), 0, width, false);
    }

    private boolean rounds() {
        return stored.dtype() != DType.F32;
    }

    /** Begins with what is stored if {@code accumulate}, and otherwise with zeros. */
    void begin(boolean accumulate) {
        for (int i = 0; i < rows; i++) {
            if (!accumulate) {
                sums.clearRow(i, width);
            } else if (rounds()) {
                Halves.widen(
                        stored.memory(), stored.dtype(), stored.place(i, 0), sums.memory(), sums.place(i, 0), width);
            }
        }
    }

    /** Stores the sums. */
    void end() {
        for (int i = 0; i < rows && rounds(); i++) {
            Halves.narrow(sums.memory(), sums.place(i, 0), stored.memory(), stored.dtype(), stored.place(i, 0), width);
        }
    }
}
