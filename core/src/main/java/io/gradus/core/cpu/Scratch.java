package io.gradus.core.cpu;

/**
 * Arrays that a thread works in, kept for its next kernel. A kernel numbers the arrays that it needs at once; what they hold
 * is whatever was left there.
 */
final class Scratch {
    private static final ThreadLocal<Scratch> OF_THREAD = ThreadLocal.withInitial(Scratch::new);
    private static final int SLOTS = 8;

    private final float[][] arrays = new float[SLOTS][0];

    private Scratch() {}

    static Scratch ofThread() {
        return OF_THREAD.get();
    }

    /** An array of at least {@code length} floats; the same one each time for the same slot, 0 to 7. */
    float[] floats(int slot, int length) {
        if (arrays[slot].length < length) {
            arrays[slot] = new float[Math.max(length, 1024)];
        }
        return arrays[slot];
    }
}
