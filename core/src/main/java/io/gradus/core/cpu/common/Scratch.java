package io.gradus.core.cpu.common;

/**
 * Arrays that a thread works in, kept for its next kernel. A kernel numbers the arrays that it needs at once; what they hold
 * is whatever was left there.
 */
public final class Scratch {
    private static final ThreadLocal<Scratch> OF_THREAD = ThreadLocal.withInitial(Scratch::new);
    private static final int SLOTS = 8;
    private static final int LEAST = 1024;

    private final float[][] floats = new float[SLOTS][0];
    private final double[][] doubles = new double[SLOTS][0];

    private Scratch() {}

    public static Scratch ofThread() {
        return OF_THREAD.get();
    }

    /** An array of at least {@code length} floats; the same one each time for the same slot, 0 to 7. */
    public float[] floats(int slot, int length) {
        if (floats[slot].length < length) {
            floats[slot] = new float[Math.max(length, LEAST)];
        }
        return floats[slot];
    }

    /** An array of at least {@code length} doubles; the same one each time for the same slot, 0 to 7. */
    public double[] doubles(int slot, int length) {
        if (doubles[slot].length < length) {
            doubles[slot] = new double[Math.max(length, LEAST)];
        }
        return doubles[slot];
    }
}
