package io.gradus.core.cpu.scalar;

/** Functions of the first n elements of a {@code float[]}. Sums and exponentials are computed in double precision. */
final class FloatMath {
    private FloatMath() {}

    /** {@code y = exp(x − shift)}. */
    static void exp(float[] x, double shift, float[] y, int n) {
        for (int i = 0; i < n; i++) {
            y[i] = (float) Math.exp(x[i] - shift);
        }
    }

    /** {@code Σ x}. */
    static double sum(float[] x, int n) {
        double sum = 0;
        for (int i = 0; i < n; i++) {
            sum += x[i];
        }
        return sum;
    }

    /** {@code Σ x·y}. */
    static double dot(float[] x, float[] y, int n) {
        double sum = 0;
        for (int i = 0; i < n; i++) {
            sum += (double) x[i] * y[i];
        }
        return sum;
    }

    /** {@code x += y}. */
    static void add(float[] x, float[] y, int n) {
        for (int i = 0; i < n; i++) {
            x[i] += y[i];
        }
    }

    /** {@code x *= y}. */
    static void multiply(float[] x, float[] y, int n) {
        for (int i = 0; i < n; i++) {
            x[i] *= y[i];
        }
    }

    /** {@code x *= factor}. */
    static void scale(float[] x, float factor, int n) {
        for (int i = 0; i < n; i++) {
            x[i] *= factor;
        }
    }

    /** The largest element; −∞ of none, NaN if there is one. */
    static float max(float[] x, int n) {
        float max = Float.NEGATIVE_INFINITY;
        for (int i = 0; i < n; i++) {
            max = Math.max(max, x[i]);
        }
        return max;
    }
}
