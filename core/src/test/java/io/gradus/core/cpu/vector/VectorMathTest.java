package io.gradus.core.cpu.vector;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.gradus.core.Device;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.ElementwiseKernels.Unary;
import java.util.Arrays;
import java.util.Comparator;
import java.util.function.DoubleUnaryOperator;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import jdk.incubator.vector.FloatVector;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The errors of vector functions relative to double precision, for arguments at even steps of their bits. */
final class VectorMathTest {
    private static final int ARGUMENTS = 1 << 18;

    @BeforeEach
    void vectorKernelsAreUsed() {
        assumeTrue(VectorSupport.isUsable(), "the scalar kernels are used");
    }

    @Test
    void expIsWithinOneUnit() {
        within(1, VectorMath::exp, StrictMath::exp, -87.33654f, 88.72283f);
        within(1, VectorMath::exp, StrictMath::exp, -87.33654f, -60);
        within(1, VectorMath::exp, StrictMath::exp, 60, 88.72283f);
        within(1, VectorMath::exp, StrictMath::exp, 0.01f, 10);
    }

    @Test
    void expUnderflowsOverflowsAndKeepsNan() {
        float[] x = {
            Float.NEGATIVE_INFINITY,
            -Float.MAX_VALUE,
            -1e9f,
            -104,
            -87.33655f,
            -0f,
            0,
            88.72284f,
            89,
            1e30f,
            Float.MAX_VALUE,
            Float.POSITIVE_INFINITY
        };
        float inf = Float.POSITIVE_INFINITY;
        assertThat(apply(VectorMath::exp, x)).containsExactly(0, 0, 0, 0, 0, 1, 1, inf, inf, inf, inf, inf);
        keepsNan(VectorMath::exp);
    }

    @Test
    void expOfNonPositiveIsWithinFiveUnits() {
        within(2, VectorMath::expOfNonPositive, StrictMath::exp, -5, -0f);
        within(5, VectorMath::expOfNonPositive, StrictMath::exp, -87.33654f, -5);
        float[] x = {0, -0f, -87.33655f, -88, -1000, -1e30f, -Float.MAX_VALUE, Float.NEGATIVE_INFINITY};
        assertThat(apply(VectorMath::expOfNonPositive, x)).containsExactly(1, 1, 0, 0, 0, 0, 0, 0);
        keepsNan(VectorMath::expOfNonPositive);
    }

    @Test
    void tanhIsWithinTwoAndAHalfUnits() {
        within(2.5, VectorMath::tanh, StrictMath::tanh, -100, 100);
        within(2.5, VectorMath::tanh, StrictMath::tanh, 0.1f, 10);
        within(2.5, VectorMath::tanh, StrictMath::tanh, -3, -0.3f);
        float[] x = {Float.NEGATIVE_INFINITY, -1e30f, 1e30f, Float.POSITIVE_INFINITY};
        assertThat(apply(VectorMath::tanh, x)).containsExactly(-1, -1, 1, 1);
        assertThat(apply(VectorMath::tanh, 0f, -0f)).containsExactly(0f, -0f);
        keepsNan(VectorMath::tanh);
    }

    @Test
    void sigmoidIsWithinFiveUnits() {
        within(5, VectorMath::sigmoid, x -> 1 / (1 + StrictMath.exp(-x)), -87.33654f, 100);
        within(4, VectorMath::sigmoid, x -> 1 / (1 + StrictMath.exp(-x)), -10, 10);
        float[] x = {Float.NEGATIVE_INFINITY, -1e30f, -88, -0f, 0, 1e30f, Float.POSITIVE_INFINITY};
        assertThat(apply(VectorMath::sigmoid, x)).containsExactly(0, 0, 0, 0.5f, 0.5f, 1, 1);
        keepsNan(VectorMath::sigmoid);
    }

    @Test
    void logIsWithinOneUnit() {
        within(1, VectorMath::log, StrictMath::log, Float.MIN_VALUE, Float.MAX_VALUE);
        within(1, VectorMath::log, StrictMath::log, 0.5f, 2);
        within(1, VectorMath::log, StrictMath::log, Float.MIN_VALUE, Float.MIN_NORMAL);
        float[] x = {-0f, 0, 1, Float.POSITIVE_INFINITY};
        assertThat(apply(VectorMath::log, x))
                .containsExactly(Float.NEGATIVE_INFINITY, Float.NEGATIVE_INFINITY, 0, Float.POSITIVE_INFINITY);
        assertThat(apply(VectorMath::log, -1e-40f, -1, Float.NEGATIVE_INFINITY)).containsOnly(Float.NaN);
        keepsNan(VectorMath::log);
    }

    @Test
    void bellIsWithinTwoUnits() {
        UnaryOperator<FloatVector> bell = x -> VectorMath.bell(VectorMath.distanceFromMean(x));
        within(2, bell, x -> StrictMath.exp(-x * x / 2), -13.2f, 13.2f);
        within(2, bell, x -> StrictMath.exp(-x * x / 2), 1, 13.2f);
        keepsNan(bell);
    }

    /** Compared with the reference's GELU, {@code x·Φ(x)} in double. */
    @Test
    void normalTailIsWithinSevenUnitsDownToMinusTwo() {
        UnaryOperator<FloatVector> tail = VectorMathTest::tail;
        double[] arguments =
                IntStream.rangeClosed(1, 3200).mapToDouble(i -> -i / 256.0).toArray();
        Tensor x = Tensor.of(Device.reference(), arguments, arguments.length);
        Tensor gelu = Tensor.of(Device.reference(), new double[arguments.length], arguments.length);
        Device.reference().kernels().elementwise().unary(Unary.GELU, x, gelu);
        double[] expected = gelu.toDoubles();
        float[] actual = apply(tail, x.toFloats());
        for (int i = 0; i < arguments.length; i++) {
            double exact = expected[i] / arguments[i];
            double allowed = arguments[i] >= -2
                    ? 7 * Math.ulp((float) exact)
                    : arguments[i] >= -3 ? 2e-6 * exact : arguments[i] >= -5 ? 1.5e-4 * exact : 1e-9;
            assertThat((double) actual[i]).as("Φ(" + arguments[i] + ")").isCloseTo(exact, Offset.offset(allowed));
        }
        assertThat(actual).isSortedAccordingTo(Comparator.reverseOrder());
        assertThat(apply(tail, 0f)[0]).isEqualTo(0.5f);
        assertThat(apply(tail, 20, Float.POSITIVE_INFINITY)).isEqualTo(apply(tail, -20, -1e30f));
        assertThat(apply(tail, 20)[0]).isLessThan(1e-29f);
        keepsNan(tail);
    }

    private static FloatVector tail(FloatVector x) {
        return VectorMath.normalTail(VectorMath.distanceFromMean(x));
    }

    @Test
    void sinAndCosAreWithinTwoUnitsUpToTenThousand() {
        within(2, VectorMath::sin, StrictMath::sin, -10_000, 10_000);
        within(2, VectorMath::sin, StrictMath::sin, 1, 10_000);
        within(2, VectorMath::cos, StrictMath::cos, -10_000, 10_000);
        within(2, VectorMath::cos, StrictMath::cos, 1, 10_000);
        assertThat(apply(VectorMath::sin, 0f)).containsExactly(0);
        assertThat(apply(VectorMath::cos, 0f)).containsExactly(1);
        keepsNan(VectorMath::sin);
        keepsNan(VectorMath::cos);
    }

    /** Floats from the lowest to the highest at even steps of their bits: as many between 1 and 2 as between 2 and 4. */
    private static void within(
            double units, UnaryOperator<FloatVector> function, DoubleUnaryOperator exact, float lowest, float highest) {
        float[] x = new float[ARGUMENTS];
        double first = ordinal(lowest);
        double step = (ordinal(highest) - first) / (ARGUMENTS - 1);
        for (int i = 0; i < ARGUMENTS; i++) {
            x[i] = fromOrdinal((int) Math.round(first + i * step));
        }
        float[] y = apply(function, x);
        for (int i = 0; i < ARGUMENTS; i++) {
            double expected = exact.applyAsDouble(x[i]);
            double error = Math.abs(y[i] - expected) / Math.ulp((float) expected);
            if (!(error <= units)) {
                throw new AssertionError(
                        "at " + x[i] + " the result is " + y[i] + ", " + error + " units from " + expected);
            }
        }
    }

    /** Integers in the order of floats. */
    private static int ordinal(float x) {
        int bits = Float.floatToRawIntBits(x);
        return bits < 0 ? Integer.MIN_VALUE - bits : bits;
    }

    private static float fromOrdinal(int ordinal) {
        return Float.intBitsToFloat(ordinal < 0 ? Integer.MIN_VALUE - ordinal : ordinal);
    }

    /** NaN of both signs with various payloads, as in files. */
    private static void keepsNan(UnaryOperator<FloatVector> function) {
        float[] x = new float[64];
        for (int i = 0; i < x.length; i++) {
            int sign = i % 2 << 31;
            x[i] = Float.intBitsToFloat(sign | 0x7FC00000 | i * 0x10421);
        }
        assertThat(apply(function, x)).containsOnly(Float.NaN);
    }

    private static float[] apply(UnaryOperator<FloatVector> function, float... x) {
        float[] padded = Arrays.copyOf(x, x.length + Lanes.COUNT);
        float[] y = new float[padded.length];
        for (int i = 0; i < x.length; i += Lanes.COUNT) {
            function.apply(Lanes.load(padded, i)).intoArray(y, i);
        }
        return Arrays.copyOf(y, x.length);
    }
}
