package io.gradus.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.gradus.core.Philox;
import io.gradus.core.Tensor;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The bounds and deviations are those of the papers for a weight of 300 outputs and 200 inputs. */
class InitializerTest {
    private static final int OUT = 300;
    private static final int IN = 200;

    private static double[] fill(Initializer initializer, long... shape) {
        Tensor tensor = Given.random(1, shape);
        initializer.fill(tensor, new Philox.Key(5, 0, 1));
        return tensor.toDoubles();
    }

    static Stream<Arguments> normals() {
        return Stream.of(
                Arguments.of("normal", Initializer.normal(0.02), 0.02),
                Arguments.of("kaimingNormal", Initializer.kaimingNormal(), Math.sqrt(2.0 / IN)));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("normals")
    void normalHasItsMeanAndStandardDeviation(String name, Initializer initializer, double deviation) {
        double[] x = fill(initializer, OUT, IN);
        assertMoments(x, deviation);
        double beyondTwo =
                Arrays.stream(x).filter(v -> Math.abs(v) > 2 * deviation).count() / (double) x.length;
        assertThat(beyondTwo).isCloseTo(0.0455, within(0.004));
    }

    static Stream<Arguments> uniforms() {
        return Stream.of(
                Arguments.of("uniform", Initializer.uniform(0.3), 0.3),
                Arguments.of("kaimingUniform", Initializer.kaimingUniform(), Math.sqrt(6.0 / IN)),
                Arguments.of("xavierUniform", Initializer.xavierUniform(), Math.sqrt(6.0 / (IN + OUT))),
                Arguments.of("fanInUniform", Initializer.fanInUniform(), 1 / Math.sqrt(IN)));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("uniforms")
    void uniformFillsItsBounds(String name, Initializer initializer, double bound) {
        double[] x = fill(initializer, OUT, IN);
        assertMoments(x, bound / Math.sqrt(3));
        assertThat(Arrays.stream(x).min().orElseThrow()).isBetween(-bound * (1 + 1e-6), -0.999 * bound);
        assertThat(Arrays.stream(x).max().orElseThrow()).isBetween(0.999 * bound, bound * (1 + 1e-6));
    }

    /** Within five standard errors of the mean and of the standard deviation. */
    private static void assertMoments(double[] x, double deviation) {
        double mean = Arrays.stream(x).average().orElseThrow();
        double variance =
                Arrays.stream(x).map(v -> (v - mean) * (v - mean)).average().orElseThrow();
        assertThat(mean).isCloseTo(0, within(5 * deviation / Math.sqrt(x.length)));
        assertThat(Math.sqrt(variance)).isCloseTo(deviation, within(5 * deviation / Math.sqrt(2.0 * x.length)));
    }

    @Test
    void constantFillsEveryElement() {
        assertThat(fill(Initializer.zeros(), 7)).containsOnly(0);
        assertThat(fill(Initializer.ones(), 7)).containsOnly(1);
        assertThat(fill(Initializer.constant(-2.5), 3, 2)).containsOnly(-2.5).hasSize(6);
    }

    @Test
    void sameKeyGivesTheSameNumbers() {
        assertThat(fill(Initializer.normal(1), 33)).isEqualTo(fill(Initializer.normal(1), 33));
    }
}
