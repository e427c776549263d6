package io.gradus.core;

/**
 * How precisely matrix products of F32 are computed, with the names and meaning of PyTorch's
 * {@code torch.set_float32_matmul_precision}. A lower precision permits less exact products where they are faster. Results remain
 * F32, and so do sums.
 *
 * <p>A device computes everything but matrix products as before, including products of fewer than four rows. Products within attention
 * are matrix products on processors with AMX.
 */
public enum MatmulPrecision {
    /** F32. The default. */
    HIGHEST,

    /**
     * Each operand as a sum of two BF16, and three products of these: 16 of the 24 bits of a float count. F32 where that is no
     * slower, which is everywhere but on processors with AMX. An infinity in an operand may become NaN.
     */
    HIGH,

    /** Operands rounded to BF16, 8 of the 24 bits of a float. */
    MEDIUM
}
