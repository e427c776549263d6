package io.gradus.gpu.gemm;

import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.gpu.math.Activations;
import io.gradus.gpu.runtime.Kernel;
import io.gradus.gpu.runtime.Launcher;
import org.jspecify.annotations.Nullable;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * A matrix product, its descriptor, and how kernels store a sum. The operands of each kernel are a, b, bias and out.
 * Element (i, p) of {@code op(A)} is at {@code A_ROW·i + A_INNER·p} from the start of its matrix, so a transposed
 * operand only has other strides.
 */
record GemmProduct(
        Tensor a,
        boolean transposeA,
        Tensor b,
        boolean transposeB,
        Tensor out,
        boolean accumulate,
        @Nullable Tensor bias,
        int activation) {
    static final int A = 0;
    static final int B = 1;
    static final int BIAS = 2;
    static final int OUT = 3;
    static final int M = Kernel.INTS;
    static final int N = Kernel.INTS + 1;
    static final int K = Kernel.INTS + 2;
    static final int A_ROW = Kernel.INTS + 3;
    static final int A_INNER = Kernel.INTS + 4;
    static final int B_INNER = Kernel.INTS + 5;
    static final int B_COLUMN = Kernel.INTS + 6;
    static final int ACCUMULATE = Kernel.INTS + 7;
    static final int HAS_BIAS = Kernel.INTS + 8;
    static final int ACTIVATION = Kernel.INTS + 9;
    /** The amount of work, in units of the kernel. */
    static final int ITEMS = Kernel.INTS + 10;

    static final int AXES = Kernel.INTS + 11;
    /** For each batch axis: its length and the strides of a and b. */
    static final int AXIS = Kernel.INTS + 12;
    /** The maximum number of products that are added one after another. */
    static final int PART = 1024;

    /** Values of {@link #ACTIVATION}. */
    static final int IDENTITY = 0;

    static final int GELU = 1;
    static final int GELU_TANH = 2;
    static final int SILU = 3;

    private static final int MOST_AXES = 12;

    /** The same product with other tensors of the same shapes. */
    GemmProduct of(Tensor a, Tensor b) {
        return new GemmProduct(a, transposeA, b, transposeB, out, accumulate, bias, activation);
    }

    /** The same product with a transposed copy of b. */
    GemmProduct withTransposedB(Tensor b) {
        Shape shape = b.shape();
        Shape transposed = shape.with(-2, shape.get(-1)).with(-1, shape.get(-2));
        return new GemmProduct(a, transposeA, b.reshape(transposed), false, out, accumulate, bias, activation);
    }

    /**
     * The same product with fewer matrices: if one matrix b serves the whole batch, the rows of the batch become rows
     * of one matrix.
     */
    GemmProduct folded() {
        Shape shape = b.shape();
        if (batch() == 1 || transposeA || b.size() != (long) k() * n() || a.size() != batch() * m() * k()) {
            return this;
        }
        return new GemmProduct(
                a.reshape(batch() * m(), k()),
                false,
                b.reshape(shape.get(-2), shape.get(-1)),
                transposeB,
                out.reshape(batch() * m(), n()),
                accumulate,
                bias,
                activation);
    }

    /** Rows of one matrix of the result. */
    int m() {
        return Math.toIntExact(out.shape().get(-2));
    }

    /** Columns of one matrix of the result. */
    int n() {
        return Math.toIntExact(out.shape().get(-1));
    }

    /** The number of products per sum. */
    int k() {
        return Math.toIntExact(a.shape().get(transposeA ? -2 : -1));
    }

    /** The number of matrices in the result. */
    long batch() {
        return batchShape().size();
    }

    private Shape batchShape() {
        return out.shape().sub(0, out.shape().rank() - 2);
    }

    /**
     * The integers of a launch.
     *
     * @param items {@link #ITEMS}
     */
    int[] ints(long items) {
        Shape batch = batchShape();
        if (batch.rank() > MOST_AXES) {
            throw new IllegalArgumentException("matmul: a batch of more than " + MOST_AXES + " axes: " + out.shape()
                    + "; reshape the operands to fewer");
        }
        long[] aStrides = a.shape().sub(0, a.shape().rank() - 2).broadcastStrides(batch);
        long[] bStrides = b.shape().sub(0, b.shape().rank() - 2).broadcastStrides(batch);
        long[] values = new long[AXIS - M + 3 * batch.rank()];
        values[0] = m();
        values[N - M] = n();
        values[K - M] = k();
        values[A_ROW - M] = transposeA ? 1 : k();
        values[A_INNER - M] = transposeA ? m() : 1;
        values[B_INNER - M] = transposeB ? 1 : n();
        values[B_COLUMN - M] = transposeB ? k() : 1;
        values[ACCUMULATE - M] = accumulate ? 1 : 0;
        values[HAS_BIAS - M] = bias != null ? 1 : 0;
        values[ACTIVATION - M] = activation;
        values[ITEMS - M] = items;
        values[AXES - M] = batch.rank();
        for (int axis = 0; axis < batch.rank(); axis++) {
            values[AXIS - M + 3 * axis] = batch.get(axis);
            values[AXIS - M + 3 * axis + 1] = aStrides[axis] * m() * k();
            values[AXIS - M + 3 * axis + 2] = bStrides[axis] * k() * n();
        }
        return Launcher.ints(values);
    }

    /**
     * The operands in the order of the kernel parameters. Without a bias, the result takes its place and is not read.
     */
    Tensor[] operands() {
        return new Tensor[] {a, b, bias != null ? bias : out, out};
    }

    // ---- for kernels ----

    /**
     * The offset of the matrix of an operand that belongs to one matrix of the result.
     *
     * @param operand 0 for a, 1 for b
     */
    static int matrix(IntArray d, int operand, int batch) {
        int offset = d.get(operand);
        int rest = batch;
        for (int axis = d.get(AXES) - 1; axis >= 0; axis--) {
            int length = d.get(AXIS + 3 * axis);
            offset += rest % length * d.get(AXIS + 3 * axis + 1 + operand);
            rest = rest / length;
        }
        return offset;
    }

    /**
     * Stores a sum or a part of it. The {@code first} part overwrites the element, further parts are added, and the
     * {@code last} part adds the bias and applies the activation.
     *
     * @param row counted over all matrices
     */
    static void store(
            IntArray d, FloatArray bias, FloatArray out, int row, int column, float sum, boolean first, boolean last) {
        int at = d.get(OUT) + row * d.get(N) + column;
        float y = sum;
        if (!first || d.get(ACCUMULATE) != 0) {
            y += out.get(at);
        }
        if (last) {
            if (d.get(HAS_BIAS) != 0) {
                y += bias.get(d.get(BIAS) + column);
            }
            int activation = d.get(ACTIVATION);
            if (activation == GELU) {
                y = Activations.gelu(y);
            } else if (activation == GELU_TANH) {
                y = Activations.geluTanh(y);
            } else if (activation == SILU) {
                y = Activations.silu(y);
            }
        }
        out.set(at, y);
    }
}
