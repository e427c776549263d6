package io.gradus.core.cpu;

/**
 * Functions of one vector, written so that they stay in registers: no branches, no tables. Errors are against the exact
 * result, in units in the last place.
 */
final class VectorMath {
    private static final float LOG2_E = 1.44269504f;
    // ln 2 in two parts. The upper has 15 bits, so its product with a whole number below 256 is exact.
    private static final float LN2_UPPER = 0x1.62e4p-1f;
    private static final float LN2_LOWER = 0x1.7f7d1cp-20f;
    /** Adding it to a number of moderate size rounds that to a whole one, found in the lowest bits of the sum. */
    private static final float ROUNDER = 0x1.8p23f;

    private VectorMath() {}
}
