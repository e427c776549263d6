package io.gradus.core.cpu.scalar;

/** A reduction of many numbers to one, with totals in double. */
public enum Reducer {
    SUM(0) {
        @Override
        public double pair(double a, double b) {
            return a + b;
        }

        @Override
        double row(float[] x, int n) {
            return FloatMath.sum(x, n);
        }

        @Override
        void elements(double[] totals, float[] x, int n) {
            for (int i = 0; i < n; i++) {
                totals[i] += x[i];
            }
        }
    },
    /** NaN if one is NaN. */
    MAX(Double.NEGATIVE_INFINITY) {
        @Override
        public double pair(double a, double b) {
            return Math.max(a, b);
        }

        @Override
        double row(float[] x, int n) {
            float max = Float.NEGATIVE_INFINITY;
            for (int i = 0; i < n; i++) {
                max = Math.max(max, x[i]);
            }
            return max;
        }

        @Override
        void elements(double[] totals, float[] x, int n) {
            for (int i = 0; i < n; i++) {
                totals[i] = Math.max(totals[i], x[i]);
            }
        }
    };

    private final double identity;

    Reducer(double identity) {
        this.identity = identity;
    }

    /** The reduction of no elements. */
    public double identity() {
        return identity;
    }

    public abstract double pair(double a, double b);

    /** The reduction of the first n elements. */
    abstract double row(float[] x, int n);

    /** Combines element i of {@code x} with total i. */
    abstract void elements(double[] totals, float[] x, int n);
}
