package io.gradus.core.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class NormalDistributionTest {

    /** Φ to 16 digits, including both tails. */
    @ParameterizedTest
    @CsvSource({
        "0, 0.5",
        "0.5, 0.6914624612740131",
        "1, 0.8413447460685429",
        "-1, 0.1586552539314571",
        "2, 0.9772498680518208",
        "-2, 0.02275013194817921",
        "-3, 0.001349898031630095",
        "-5, 2.866515718791939e-7",
        "-10, 7.619853024160527e-24",
        "8, 1"
    })
    void cumulativeMatchesPublishedValues(double x, double expected) {
        assertThat(NormalDistribution.cumulative(x)).isCloseTo(expected, Percentage.withPercentage(1e-11));
    }

    /** The derivative is the density, also where the formula changes. */
    @Test
    void densityIsTheDerivativeOfCumulative() {
        double h = 1e-4;
        for (double x = -6; x <= 6; x += 0.01) {
            double slope = (NormalDistribution.cumulative(x + h) - NormalDistribution.cumulative(x - h)) / (2 * h);
            assertThat(NormalDistribution.density(x)).isCloseTo(slope, within(1e-8));
        }
    }

    @Test
    void cumulativeOfInfinityAndNan() {
        assertThat(NormalDistribution.cumulative(Double.POSITIVE_INFINITY)).isEqualTo(1);
        assertThat(NormalDistribution.cumulative(Double.NEGATIVE_INFINITY)).isZero();
        assertThat(NormalDistribution.cumulative(-100)).isZero();
        assertThat(NormalDistribution.cumulative(Double.NaN)).isNaN();
    }
}
