package io.gradus.core.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.gradus.core.DType;
import io.gradus.core.ShapeException;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.OptimizerStepKernels.Adafactor;
import io.gradus.core.kernel.OptimizerStepKernels.Sgd;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The contract of {@link OptimizerStepKernels} on any device. */
public abstract class OptimizerStepsContract extends KernelContract {
    private static final long[][] SHAPES = {{}, {0}, {1}, {7}, {5003}, {3, 10_007}};

    static Stream<Sgd> sgd() {
        return Stream.of(
                new Sgd(0.1, 0, 0, false, 0),
                new Sgd(0.1, 0, 0, false, 0.01),
                new Sgd(0.1, 0.9, 0, false, 0),
                new Sgd(0.1, 0.9, 0.5, false, 0.01),
                new Sgd(0.1, 0.9, 0, true, 0.01));
    }

    @Test
    void firstStepsOfSgdAndAdamForOneWeight() {
        Operand sgdWeight = state(1, 1, 1);
        Operand adamWeight = state(1, 1, 1);
        Operand gradient = of(new float[] {2}, 1);
        Operand first = state(0, 0, 1);
        Operand second = state(0, 0, 1);
        run(side -> {
            OptimizerStepKernels kernels = side.kernels().optimizerSteps();
            kernels.sgd(side.of(sgdWeight), side.of(gradient), null, new Sgd(0.1, 0, 0, false, 0), 1, true);
            kernels.adam(
                    side.of(adamWeight),
                    side.of(gradient),
                    side.of(first),
                    side.of(second),
                    new AdamStep(0.1, 0.9, 0.999, 1e-8, 0, true, 1, 1));
        });
        assertThat(sgdWeight.actual()).containsExactly(0.8f); // 1 − 0.1·2
        assertThat(adamWeight.actual()).containsExactly(0.9f); // 1 − 0.1·2/√2²
        assertThat(first.actual()).containsExactly(0.2f);
        assertThat(second.actual()).containsExactly(0.004f);
    }

    @ParameterizedTest
    @MethodSource("sgd")
    void sgdMatchesReference(Sgd settings) {
        for (long[] shape : SHAPES) {
            Operand parameter = state(-2, 2, shape);
            Operand gradient = random(shape);
            run(side -> side.kernels()
                    .optimizerSteps()
                    .sgd(side.of(parameter), side.of(gradient), null, settings, 0.5, false));
            parameter.assertClose(4 * ULP, 2);
        }
    }

    @ParameterizedTest
    @MethodSource("sgd")
    void momentumMatchesReferenceOverSeveralSteps(Sgd settings) {
        for (long[] shape : SHAPES) {
            Operand parameter = state(-2, 2, shape);
            Operand buffer = output(false, shape); // NaN: the first step must not read it
            for (int step = 0; step < 3; step++) {
                boolean first = step == 0;
                Operand gradient = random(shape);
                run(side -> side.kernels()
                        .optimizerSteps()
                        .sgd(side.of(parameter), side.of(gradient), side.of(buffer), settings, 0.5, first));
            }
            parameter.assertClose(8 * ULP, 2);
            buffer.assertClose(8 * ULP, 2);
        }
    }

    private static AdamStep at(AdamStep settings, double gradientScale, long step) {
        return new AdamStep(
                settings.learningRate(),
                settings.beta1(),
                settings.beta2(),
                settings.epsilon(),
                settings.weightDecay(),
                settings.decoupled(),
                gradientScale,
                step);
    }

    static Stream<AdamStep> adam() {
        return Stream.of(
                new AdamStep(1e-3, 0.9, 0.999, 1e-8, 0, true, 1, 1),
                new AdamStep(1e-3, 0.9, 0.95, 1e-8, 0.1, true, 1, 1),
                new AdamStep(1e-2, 0.9, 0.999, 1e-6, 0.1, false, 1, 1),
                new AdamStep(1e-2, 0, 0.999, 1e-8, 0, false, 1, 1));
    }

    @ParameterizedTest
    @MethodSource("adam")
    void adamMatchesReferenceOverSeveralSteps(AdamStep settings) {
        for (long[] shape : SHAPES) {
            Operand parameter = state(-2, 2, shape);
            Operand firstMoment = state(0, 0, shape);
            Operand secondMoment = state(0, 0, shape);
            for (int step = 1; step <= 3; step++) {
                int t = step;
                // away from zero: the first update is lr·g/|g|, which is ill-conditioned if weight decay nearly cancels
                // g
                Operand gradient = step == 2 ? range(-2, -1, shape) : range(1, 2, shape);
                run(side -> side.kernels()
                        .optimizerSteps()
                        .adam(
                                side.of(parameter),
                                side.of(gradient),
                                side.of(firstMoment),
                                side.of(secondMoment),
                                at(settings, 0.25, t)));
            }
            parameter.assertClose(4 * ULP, 2);
            firstMoment.assertClose(8 * ULP, 0.5);
            secondMoment.assertClose(16 * ULP, 1e-6);
        }
    }

    /** A 16-bit gradient gives the bits of its F32 copy: the sizes have whole and partial pieces, and several chunks. */
    @ParameterizedTest
    @EnumSource(names = {"BF16", "F16"})
    void adamReads16BitGradients(DType half) {
        OptimizerStepKernels kernels = device().kernels().optimizerSteps();
        assumeTrue(kernels.adamReads(half), "this device takes gradients in F32");
        AdamStep settings = new AdamStep(1e-2, 0.9, 0.999, 1e-8, 0.1, true, 0.25, 1);
        for (int size : new int[] {0, 1, 4099, 70_003}) {
            float[] start = random(size).on(1).toFloats();
            Tensor gradient = random(size).on(1).to(half);
            List<Tensor> expected = threeOf(start);
            List<Tensor> actual = threeOf(start);
            kernels.adam(expected.get(0), gradient.to(DType.F32), expected.get(1), expected.get(2), settings);
            kernels.adam(actual.get(0), gradient, actual.get(1), actual.get(2), settings);
            for (int i = 0; i < 3; i++) {
                assertThat(actual.get(i).toFloats()).isEqualTo(expected.get(i).toFloats());
            }
        }
    }

    /** The master and the parameter have the bits that two kernels give, also with a 16-bit gradient. */
    @ParameterizedTest
    @EnumSource(names = {"BF16", "F16"})
    void parameterOf16BitsIsItsRoundedMasterAfterAdam(DType half) {
        assumeTrue(!device().type().equals("reference"), "the reference has no 16-bit floats");
        OptimizerStepKernels kernels = device().kernels().optimizerSteps();
        AdamStep settings = new AdamStep(1e-2, 0.9, 0.999, 1e-8, 0.1, true, 0.25, 1);
        for (int size : new int[] {0, 1, 4099, 70_003}) {
            float[] start = random(size).on(1).toFloats();
            Tensor floats = random(size).on(1);
            for (Tensor gradient : kernels.adamReads(half) ? List.of(floats, floats.to(half)) : List.of(floats)) {
                List<Tensor> expected = threeOf(start);
                List<Tensor> actual = threeOf(start);
                Tensor rounded = floats.to(half);
                kernels.adam(expected.get(0), gradient, expected.get(1), expected.get(2), settings);
                kernels.adamOfMaster(actual.get(0), gradient, actual.get(1), actual.get(2), settings, rounded);
                for (int i = 0; i < 3; i++) {
                    assertThat(actual.get(i).toFloats())
                            .isEqualTo(expected.get(i).toFloats());
                }
                assertThat(rounded.toFloats())
                        .isEqualTo(expected.get(0).to(half).toFloats());
            }
        }
    }

    /** A weight and two moments: numbers and, because the second moment is not negative, their magnitudes. */
    private List<Tensor> threeOf(float[] elements) {
        float[] magnitudes = new float[elements.length];
        for (int i = 0; i < elements.length; i++) {
            magnitudes[i] = Math.abs(elements[i]);
        }
        return Stream.of(elements, elements, magnitudes)
                .map(numbers -> Tensor.of(device(), numbers, numbers.length))
                .toList();
    }

    /** Late in a run both bias corrections are 1; in the first step 1 − 0.999 must be computed without cancellation. */
    @ParameterizedTest
    @MethodSource("adam")
    void adamBiasCorrectionInFirstAndLateSteps(AdamStep settings) {
        for (long step : new long[] {1, 3_000_000_000L}) {
            Operand moved = state(0, 0, 1);
            Operand gradient = of(new float[] {1e-4f}, 1);
            Operand firstMoment = state(0, 0, 1);
            Operand secondMoment = state(0, 0, 1);
            run(side -> side.kernels()
                    .optimizerSteps()
                    .adam(
                            side.of(moved),
                            side.of(gradient),
                            side.of(firstMoment),
                            side.of(secondMoment),
                            at(settings, 1, step)));
            moved.assertClose(16 * ULP, 0);
        }
    }

    @Test
    void zeroGradientAppliesOnlyWeightDecay() {
        Operand parameter = state(-2, 2, 7);
        Operand gradient = of(new float[7], 7);
        Operand firstMoment = state(0, 0, 7);
        Operand secondMoment = state(0, 0, 7);
        run(side -> side.kernels()
                .optimizerSteps()
                .adam(
                        side.of(parameter),
                        side.of(gradient),
                        side.of(firstMoment),
                        side.of(secondMoment),
                        new AdamStep(0.1, 0.9, 0.999, 1e-8, 0.5, true, 1, 1)));
        parameter.assertClose(2 * ULP, 0);
        firstMoment.assertExact();
        secondMoment.assertExact();
    }

    @Test
    void nonFiniteGradientMakesItsWeightNonFinite() {
        Operand parameter = state(1, 1, 3);
        Operand gradient = of(new float[] {1, Float.NaN, Float.POSITIVE_INFINITY}, 3);
        Operand descended = state(1, 1, 3);
        Operand firstMoment = state(0, 0, 3);
        Operand secondMoment = state(0, 0, 3);
        run(side -> {
            OptimizerStepKernels kernels = side.kernels().optimizerSteps();
            kernels.sgd(side.of(descended), side.of(gradient), null, new Sgd(0.1, 0, 0, false, 0), 1, false);
            kernels.adam(
                    side.of(parameter),
                    side.of(gradient),
                    side.of(firstMoment),
                    side.of(secondMoment),
                    new AdamStep(1e-3, 0.9, 0.999, 1e-8, 0, true, 1, 1));
        });
        descended.assertClose(4 * ULP, 1);
        parameter.assertClose(4 * ULP, 1);
    }

    private static final long[][] MATRICES = {
        {1, 1}, {1, 7}, {7, 1}, {5, 3}, {3, 5003}, {700, 97}, {2, 4, 3}, {3, 2, 1, 5}, {0, 4}, {4, 0}, {0, 2, 3}
    };

    static Stream<Adafactor> adafactor() {
        return Stream.of(
                new Adafactor(0.01, -0.8, 0x1p-23, 1e-3, 1, 0, true),
                new Adafactor(0.9, -0.5, 1e-15, 1e-3, 1.5, 0.1, true),
                new Adafactor(0.01, -0.8, 0.3, 1e-3, 1, 0, true),
                new Adafactor(0.01, -0.8, 0x1p-23, 5, 1, 0.1, false));
    }

    @ParameterizedTest
    @MethodSource("adafactor")
    void adafactorFactorsMatrices(Adafactor settings) {
        for (long[] shape : MATRICES) {
            int rank = shape.length;
            long[] rows = shape.clone();
            rows[rank - 1] = 1;
            long[] columns = shape.clone();
            columns[rank - 2] = 1;
            Operand parameter = state(-2, 2, shape);
            Operand rowVariance = state(0, 0, rows);
            Operand columnVariance = state(0, 0, columns);
            for (int step = 1; step <= 3; step++) {
                int t = step;
                Operand gradient = random(shape);
                run(side -> side.kernels()
                        .optimizerSteps()
                        .adafactor(
                                side.of(parameter),
                                side.of(gradient),
                                side.of(rowVariance),
                                side.of(columnVariance),
                                settings,
                                0.25,
                                t));
            }
            parameter.assertClose(16 * ULP, 2);
            rowVariance.assertClose(8 * ULP, 0);
            columnVariance.assertClose(8 * ULP, 0);
        }
    }

    @ParameterizedTest
    @MethodSource("adafactor")
    void adafactorOfVectorsKeepsOneVariancePerElement(Adafactor settings) {
        for (long[] shape : new long[][] {{}, {0}, {1}, {7}, {50_021}}) {
            Operand parameter = state(-2, 2, shape);
            Operand variance = state(0, 0, shape);
            for (int step = 1; step <= 3; step++) {
                int t = step;
                Operand gradient = random(shape);
                run(side -> side.kernels()
                        .optimizerSteps()
                        .adafactor(side.of(parameter), side.of(gradient), side.of(variance), null, settings, 0.25, t));
            }
            parameter.assertClose(16 * ULP, 2);
            variance.assertClose(8 * ULP, 0);
        }
    }

    /** The row of a token that never occurred has a variance of 0; 0/√0 must not become NaN for any ε₁. */
    @Test
    void adafactorLeavesRowsWithZeroGradientUnchanged() {
        Operand parameter = state(-2, 2, 2, 3);
        Operand gradient = of(new float[] {0, 0, 0, 1, 2, 0}, 2, 3);
        Operand rows = state(0, 0, 2, 1);
        Operand columns = state(0, 0, 1, 3);
        float[] before = parameter.actual();
        run(side -> side.kernels()
                .optimizerSteps()
                .adafactor(
                        side.of(parameter),
                        side.of(gradient),
                        side.of(rows),
                        side.of(columns),
                        new Adafactor(0.01, -0.8, 1e-30, 1e-3, 1, 0, true),
                        1,
                        1));
        parameter.assertClose(4 * ULP, 1);
        assertThat(Arrays.copyOf(parameter.actual(), 3)).containsExactly(Arrays.copyOf(before, 3));
    }

    @Test
    void adafactorRejectsVariancesOfWrongShape() {
        OptimizerStepKernels kernels = device().kernels().optimizerSteps();
        Adafactor settings = new Adafactor(0.01, -0.8, 1e-3, 1e-3, 1, 0, true);
        refuses(
                ShapeException.class,
                () -> kernels.adafactor(zeros(2, 3), zeros(2, 3), zeros(1, 3), zeros(2, 1), settings, 1, 1),
                "adafactor",
                "[1, 3]",
                "[2, 1]");
        refuses(
                ShapeException.class,
                () -> kernels.adafactor(zeros(2, 3), zeros(2, 3), zeros(2, 1), null, settings, 1, 1),
                "adafactor",
                "[2, 1]");
        refuses(
                IllegalArgumentException.class,
                () -> kernels.adafactor(zeros(3), zeros(3), zeros(1), zeros(3), settings, 1, 1),
                "adafactor",
                "[3]");
        refuses(
                IllegalArgumentException.class,
                () -> kernels.adafactor(zeros(3), zeros(3), zeros(3), null, settings, 1, 0),
                "adafactor: steps are counted from 1, not 0");
    }

    /**
     * Weights match; codes match except for values so close to a boundary that the last bit decides.
     */
    @ParameterizedTest
    @MethodSource("adam")
    void adam8bitMatchesReference(AdamStep settings) {
        for (long[] shape : new long[][] {{}, {0}, {1}, {255}, {256}, {257}, {5003}, {100, 101}}) {
            Operand parameter = state(-2, 2, shape);
            Operand gradient = range(1, 2, shape);
            long blocks = OptimizerStepKernels.blocks(parameter.shape().size());
            Operand firstCodes = codes(0, 255, shape);
            Operand firstLargest = state(0.1, 3, blocks);
            Operand secondCodes = codes(150, 255, shape);
            Operand secondLargest = state(0.1, 3, blocks);
            run(side -> side.kernels()
                    .optimizerSteps()
                    .adam8bit(
                            side.of(parameter),
                            side.of(gradient),
                            side.of(firstCodes),
                            side.of(firstLargest),
                            side.of(secondCodes),
                            side.of(secondLargest),
                            at(settings, 0.25, 3)));
            parameter.assertClose(8 * ULP, 2);
            firstLargest.assertClose(8 * ULP, 0);
            secondLargest.assertClose(8 * ULP, 0);
            assertSameCodes(firstCodes);
            assertSameCodes(secondCodes);
        }
    }

    private static void assertSameCodes(Operand codes) {
        double[] expected = codes.expected();
        float[] actual = codes.actual();
        int different = 0;
        for (int i = 0; i < expected.length; i++) {
            assertThat(Math.abs(actual[i] - expected[i])).isLessThanOrEqualTo(1);
            different += actual[i] == expected[i] ? 0 : 1;
        }
        assertThat(different).isLessThanOrEqualTo(1 + expected.length / 1000);
    }

    @Test
    void adam8bitOfZeroMomentsStaysZero() {
        Operand parameter = state(-2, 2, 300);
        Operand gradient = of(new float[300], 300);
        Operand firstCodes = codes(0, 255, 300);
        Operand secondCodes = codes(0, 255, 300);
        Operand firstLargest = state(0, 0, 2);
        Operand secondLargest = state(0, 0, 2);
        float[] before = parameter.actual();
        run(side -> side.kernels()
                .optimizerSteps()
                .adam8bit(
                        side.of(parameter),
                        side.of(gradient),
                        side.of(firstCodes),
                        side.of(firstLargest),
                        side.of(secondCodes),
                        side.of(secondLargest),
                        new AdamStep(0.1, 0.9, 0.999, 1e-8, 0, true, 1, 1)));
        assertThat(parameter.actual()).containsExactly(before);
        assertThat(firstCodes.actual()).containsOnly(127);
        assertThat(secondCodes.actual()).containsOnly(0);
        firstLargest.assertExact();
        secondLargest.assertExact();
    }

    /** One large gradient, and small ones that occur once: their v is far below what 8 bits can distinguish from 0. */
    @Test
    void adam8bitDoesNotRoundSmallSecondMomentsToZero() {
        float[] first = new float[256];
        Arrays.fill(first, 1e-4f);
        first[0] = 1;
        Operand parameter = state(0, 0, 256);
        Operand firstCodes = codes(127, 127, 256);
        Operand secondCodes = codes(0, 0, 256);
        Operand firstLargest = state(0, 0, 1);
        Operand secondLargest = state(0, 0, 1);
        for (int step = 1; step <= 4; step++) {
            int t = step;
            Operand gradient = of(step == 1 ? first : new float[256], 256);
            run(side -> side.kernels()
                    .optimizerSteps()
                    .adam8bit(
                            side.of(parameter),
                            side.of(gradient),
                            side.of(firstCodes),
                            side.of(firstLargest),
                            side.of(secondCodes),
                            side.of(secondLargest),
                            new AdamStep(0.01, 0.9, 0.999, 1e-8, 0, true, 1, t)));
        }
        for (float weight : parameter.actual()) {
            assertThat(weight).isBetween(-0.04f, 0f);
        }
    }

    @Test
    void adam8bitRejectsStateOfWrongShapeOrDtype() {
        OptimizerStepKernels kernels = device().kernels().optimizerSteps();
        AdamStep settings = new AdamStep(1e-3, 0.9, 0.999, 1e-8, 0, true, 1, 1);
        Tensor codes = Tensor.of(device(), new byte[300], 300);
        refuses(
                IllegalArgumentException.class,
                () -> kernels.adam8bit(zeros(300), zeros(300), zeros(300), zeros(2), codes, zeros(2), settings),
                "adam8bit",
                "U8");
        refuses(
                ShapeException.class,
                () -> kernels.adam8bit(zeros(300), zeros(300), codes, zeros(2), codes, zeros(1), settings),
                "adam8bit",
                "[1]",
                "[2]");
        refuses(
                ShapeException.class,
                () -> kernels.adam8bit(zeros(299), zeros(299), codes, zeros(2), codes, zeros(2), settings),
                "adam8bit",
                "[300]");
    }

    @ParameterizedTest
    @ValueSource(doubles = {1e-9, 1e-3, 0.9, 1, 1.1, 50, 1e12})
    void proximalStepMovesTowardAnchor(double strength) {
        for (long[] shape : SHAPES) {
            Operand parameter = state(-2, 2, shape);
            Operand weighted = state(-2, 2, shape);
            Operand anchor = random(shape);
            Operand importance = range(0, 3, shape);
            run(side -> {
                OptimizerStepKernels kernels = side.kernels().optimizerSteps();
                kernels.proximalStep(side.of(parameter), side.of(anchor), null, strength);
                kernels.proximalStep(side.of(weighted), side.of(anchor), side.of(importance), strength);
            });
            parameter.assertClose(2 * ULP, 2);
            weighted.assertClose(4 * ULP, 2);
        }
    }

    @Test
    void proximalStepIsExactForStrengthsZeroAndInfinity() {
        float[] weights = {1, -0f, 0.1f, 1e30f, -3, 0.3f, 7, 1e-30f, 2};
        float[] anchors = {0.7f, 0, -1e10f, 1, 1e-20f, 0.1f, 7, 5, -2};
        float[] importance = {0, 1, 1e-30f, 5, 0, 1e30f, 0, 1, 0.5f};
        float[] pulled = anchors.clone();
        for (int i = 0; i < pulled.length; i++) {
            pulled[i] = importance[i] == 0 ? weights[i] : anchors[i];
        }
        float[] none = new float[weights.length];
        double infinity = Double.POSITIVE_INFINITY;
        assertProximal(weights, anchors, null, 0, weights);
        assertProximal(weights, anchors, importance, 0, weights);
        assertProximal(weights, anchors, none, 0.5, weights);
        assertProximal(weights, anchors, none, infinity, weights);
        assertProximal(weights, anchors, null, infinity, anchors);
        assertProximal(weights, anchors, importance, infinity, pulled);
    }

    private void assertProximal(
            float[] weights, float[] anchors, float @Nullable [] importance, double strength, float[] expected) {
        for (int copies : new int[] {1, 5}) { // within a vector and in the remainder
            Tensor parameter = Tensor.of(device(), repeat(weights, copies), (long) weights.length * copies);
            Tensor anchor = Tensor.of(device(), repeat(anchors, copies), parameter.size());
            Tensor factors =
                    importance == null ? null : Tensor.of(device(), repeat(importance, copies), parameter.size());
            device().kernels().optimizerSteps().proximalStep(parameter, anchor, factors, strength);
            assertThat(parameter.toFloats()).containsExactly(repeat(expected, copies));
        }
    }

    private static float[] repeat(float[] elements, int copies) {
        float[] all = new float[elements.length * copies];
        for (int i = 0; i < all.length; i++) {
            all[i] = elements[i % elements.length];
        }
        return all;
    }

    @Test
    void proximalStepRejectsNegativeAndNanStrength() {
        OptimizerStepKernels kernels = device().kernels().optimizerSteps();
        for (double strength : new double[] {-1, Double.NaN}) {
            refuses(
                    IllegalArgumentException.class,
                    () -> kernels.proximalStep(zeros(2), zeros(2), null, strength),
                    "proximalStep: the strength is " + strength);
        }
        refuses(ShapeException.class, () -> kernels.proximalStep(zeros(2), zeros(3), null, 1), "proximalStep", "[3]");
        refuses(
                ShapeException.class,
                () -> kernels.proximalStep(zeros(2), zeros(2), zeros(1), 1),
                "proximalStep",
                "[1]");
        refuses(
                IllegalArgumentException.class,
                () -> kernels.proximalStep(zeros(2), elsewhere(2), null, 1),
                "proximalStep",
                "reference");
    }

    @Test
    void optimizerStepsRejectWrongShapesDtypesAndDevices() {
        OptimizerStepKernels kernels = device().kernels().optimizerSteps();
        Sgd sgd = new Sgd(0.1, 0.9, 0, false, 0);
        AdamStep adam = new AdamStep(1e-3, 0.9, 0.999, 1e-8, 0, true, 1, 1);
        refuses(
                ShapeException.class,
                () -> kernels.sgd(zeros(2, 3), zeros(3, 2), null, sgd, 1, true),
                "sgd",
                "[2, 3]",
                "[3, 2]");
        refuses(ShapeException.class, () -> kernels.sgd(zeros(2), zeros(2), zeros(3), sgd, 1, true), "sgd", "[3]");
        refuses(ShapeException.class, () -> kernels.adam(zeros(2), zeros(2), zeros(2), zeros(1), adam), "adam", "[1]");
        refuses(
                IllegalArgumentException.class,
                () -> kernels.adam(zeros(2), doubles(2), zeros(2), zeros(2), adam),
                "adam",
                "F64");
        refuses(
                IllegalArgumentException.class,
                () -> kernels.adam(zeros(2), zeros(2), zeros(2), elsewhere(2), adam),
                "adam",
                "reference");
    }
}
