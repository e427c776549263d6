package io.gradus.core.reference;

/** The standard normal distribution, to double precision. */
final class NormalDistribution {
    /** Below this the power series is used, above it the continued fraction. */
    private static final double SERIES_BELOW = 2;
    /** Enough for the continued fraction to converge at 2, where convergence is slowest. */
    private static final int FRACTION_TERMS = 120;

    private NormalDistribution() {}

    /** φ(x) = exp(−x²/2)/√(2π). */
    static double density(double x) {
        return Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);
    }

    /** Φ(x) = ½·erfc(−x/√2), accurate in the lower tail too. */
    static double cumulative(double x) {
        return 0.5 * complementaryError(-x / Math.sqrt(2));
    }

    /** erfc(x) = 1 − erf(x). */
    private static double complementaryError(double x) {
        if (x < 0) {
            return 2 - complementaryError(-x);
        }
        return x < SERIES_BELOW ? 1 - errorSeries(x) : complementaryErrorFraction(x);
    }

    /**
     * erf(x) = 2/√π · exp(−x²) · Σ 2ⁿx²ⁿ⁺¹/(1·3·…·(2n+1)), whose terms all have the same sign (Abramowitz &amp; Stegun 1964,
     * 7.1.6).
     */
    private static double errorSeries(double x) {
        double term = x;
        double sum = x;
        for (int n = 1; term > sum * 0x1p-56; n++) {
            term *= 2 * x * x / (2 * n + 1);
            sum += term;
        }
        return 2 / Math.sqrt(Math.PI) * Math.exp(-x * x) * sum;
    }

    /**
     * erfc(x) = exp(−x²)/√π · 1/(x + (1/2)/(x + (2/2)/(x + (3/2)/(x + …)))) for positive x (Abramowitz &amp; Stegun 1964,
     * 7.1.14), from the innermost fraction outwards. NaN gives NaN.
     */
    private static double complementaryErrorFraction(double x) {
        double denominator = x;
        for (int n = FRACTION_TERMS; n >= 1; n--) {
            denominator = x + n / 2.0 / denominator;
        }
        return Math.exp(-x * x) / Math.sqrt(Math.PI) / denominator;
    }
}
