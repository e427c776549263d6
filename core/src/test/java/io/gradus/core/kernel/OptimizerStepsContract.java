package io.gradus.core.kernel;

import io.gradus.core.ShapeException;
import io.gradus.core.kernel.OptimizerStepKernels.Adam;
import io.gradus.core.kernel.OptimizerStepKernels.Sgd;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What {@link OptimizerStepKernels} promise, on any device. */
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

    @ParameterizedTest
    @MethodSource("sgd")
    void stochasticGradientDescent(Sgd settings) {
        for (long[] shape : SHAPES) {
            Twin parameter = state(-2, 2, shape);
            Twin gradient = random(shape);
            run(side -> side.backend()
                    .optimizerSteps()
                    .sgd(side.of(parameter), side.of(gradient), null, settings, 0.5, false));
            parameter.assertClose(4 * ULP, 2);
        }
    }

    @ParameterizedTest
    @MethodSource("sgd")
    void momentumOverSeveralSteps(Sgd settings) {
        for (long[] shape : SHAPES) {
            Twin parameter = state(-2, 2, shape);
            Twin buffer = output(false, shape); // NaN: the first step must not read it
            for (int step = 0; step < 3; step++) {
                boolean first = step == 0;
                Twin gradient = random(shape);
                run(side -> side.backend()
                        .optimizerSteps()
                        .sgd(side.of(parameter), side.of(gradient), side.of(buffer), settings, 0.5, first));
            }
            parameter.assertClose(8 * ULP, 2);
            buffer.assertClose(8 * ULP, 2);
        }
    }

    static Stream<Adam> adam() {
        return Stream.of(
                new Adam(1e-3, 0.9, 0.999, 1e-8, 0, true),
                new Adam(1e-3, 0.9, 0.95, 1e-8, 0.1, true),
                new Adam(1e-2, 0.9, 0.999, 1e-6, 0.1, false),
                new Adam(1e-2, 0, 0.999, 1e-8, 0, false));
    }

    @ParameterizedTest
    @MethodSource("adam")
    void adamOverSeveralSteps(Adam settings) {
        for (long[] shape : SHAPES) {
            Twin parameter = state(-2, 2, shape);
            Twin firstMoment = state(0, 0, shape);
            Twin secondMoment = state(0, 0, shape);
            for (int step = 1; step <= 3; step++) {
                int t = step;
                // away from zero: the first update is lr·g/|g|, which says nothing when g is what weight decay left of
                // it
                Twin gradient = step == 2 ? range(-2, -1, shape) : range(1, 2, shape);
                run(side -> side.backend()
                        .optimizerSteps()
                        .adam(
                                side.of(parameter),
                                side.of(gradient),
                                side.of(firstMoment),
                                side.of(secondMoment),
                                settings,
                                0.25,
                                t));
            }
            parameter.assertClose(4 * ULP, 2);
            firstMoment.assertClose(8 * ULP, 0.5);
            secondMoment.assertClose(16 * ULP, 1e-6);
        }
    }

    /** Late in a run both corrections are 1, and in the first step 1 − 0.999 must not be computed with cancellation. */
    @ParameterizedTest
    @MethodSource("adam")
    void adamInTheFirstAndInALateStep(Adam settings) {
        for (long step : new long[] {1, 3_000_000_000L}) {
            Twin moved = state(0, 0, 1);
            Twin gradient = of(new float[] {1e-4f}, 1);
            Twin firstMoment = state(0, 0, 1);
            Twin secondMoment = state(0, 0, 1);
            run(side -> side.backend()
                    .optimizerSteps()
                    .adam(
                            side.of(moved),
                            side.of(gradient),
                            side.of(firstMoment),
                            side.of(secondMoment),
                            settings,
                            1,
                            step));
            moved.assertClose(16 * ULP, 0);
        }
    }

    @Test
    void aZeroGradientLeavesTheWeightToItsDecay() {
        Twin parameter = state(-2, 2, 7);
        Twin gradient = of(new float[7], 7);
        Twin firstMoment = state(0, 0, 7);
        Twin secondMoment = state(0, 0, 7);
        run(side -> side.backend()
                .optimizerSteps()
                .adam(
                        side.of(parameter),
                        side.of(gradient),
                        side.of(firstMoment),
                        side.of(secondMoment),
                        new Adam(0.1, 0.9, 0.999, 1e-8, 0.5, true),
                        1,
                        1));
        parameter.assertClose(2 * ULP, 0);
        firstMoment.assertExact();
        secondMoment.assertExact();
    }

    @Test
    void aGradientThatIsNotFiniteMakesItsWeightNotFinite() {
        Twin parameter = state(1, 1, 3);
        Twin gradient = of(new float[] {1, Float.NaN, Float.POSITIVE_INFINITY}, 3);
        Twin descended = state(1, 1, 3);
        Twin firstMoment = state(0, 0, 3);
        Twin secondMoment = state(0, 0, 3);
        run(side -> {
            OptimizerStepKernels kernels = side.backend().optimizerSteps();
            kernels.sgd(side.of(descended), side.of(gradient), null, new Sgd(0.1, 0, 0, false, 0), 1, false);
            kernels.adam(
                    side.of(parameter),
                    side.of(gradient),
                    side.of(firstMoment),
                    side.of(secondMoment),
                    new Adam(1e-3, 0.9, 0.999, 1e-8, 0, true),
                    1,
                    1);
        });
        descended.assertClose(4 * ULP, 1);
        parameter.assertClose(4 * ULP, 1);
    }

    @Test
    void shapesDtypesAndDevicesThatDoNotFitAreRefused() {
        OptimizerStepKernels kernels = device().backend().optimizerSteps();
        Sgd sgd = new Sgd(0.1, 0.9, 0, false, 0);
        Adam adam = new Adam(1e-3, 0.9, 0.999, 1e-8, 0, true);
        refuses(
                ShapeException.class,
                () -> kernels.sgd(zeros(2, 3), zeros(3, 2), null, sgd, 1, true),
                "sgd",
                "[2, 3]",
                "[3, 2]");
        refuses(ShapeException.class, () -> kernels.sgd(zeros(2), zeros(2), zeros(3), sgd, 1, true), "sgd", "[3]");
        refuses(
                ShapeException.class,
                () -> kernels.adam(zeros(2), zeros(2), zeros(2), zeros(1), adam, 1, 1),
                "adam",
                "[1]");
        refuses(
                IllegalArgumentException.class,
                () -> kernels.adam(zeros(2), doubles(2), zeros(2), zeros(2), adam, 1, 1),
                "adam",
                "F64");
        refuses(
                IllegalArgumentException.class,
                () -> kernels.adam(zeros(2), zeros(2), zeros(2), elsewhere(2), adam, 1, 1),
                "adam",
                "reference");
    }
}
