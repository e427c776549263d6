package io.gradus.core.cpu.vector.gemm;

import io.gradus.core.cpu.machine.MachineCode;

/**
 * Products of BF16 in tiles.
 *
 * @param split whether to split operands, {@code a = h + r}, a BF16 and the BF16 of what is left, instead of rounding them
 */
record TileArithmetic(boolean split) implements Arithmetic {

    static boolean isUsable() {
        return MachineCode.hasTiles();
    }

    /** The maximum length of a block of k. */
    int depth() {
        return split ? TileProduct.DEPTH / 2 : TileProduct.DEPTH;
    }
}
