package io.gradus.core.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.gradus.core.ShapeException;
import io.gradus.core.Tensor;
import java.util.Arrays;
import org.assertj.core.data.Offset;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The contract of {@link CrossEntropyKernels} on any device. */
public abstract class CrossEntropyContract extends KernelContract {
    private static final int IGNORE = -100;
    private static final double SCALE = 0.25;
    /** Rows and classes. */
    private static final int[][] SIZES = {
        {0, 3}, {1, 1}, {1, 5003}, {5003, 3}, {7, 17}, {331, 37}, {61, 1009}, {67, 64}, {19, 256}, {2, 20_011}
    };

    @Test
    void crossEntropyOfProbabilitiesOneQuarterAndThreeQuarters() {
        Operand logits = of(new float[] {0, (float) Math.log(3)}, 1, 2);
        Operand targets = ints(new int[] {1}, 1);
        Operand loss = output(false, 1);
        Operand dlogits = output(false, 1, 2);
        run(side -> side.kernels()
                .crossEntropy()
                .forwardBackward(side.of(logits), side.of(targets), -100, null, 1, side.of(loss), side.of(dlogits)));
        assertThat(loss.actual()).containsExactly(new float[] {(float) Math.log(4 / 3.0)}, Offset.offset(1e-6f));
        assertThat(dlogits.actual()).containsExactly(new float[] {0.25f, -0.25f}, Offset.offset(1e-6f));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void crossEntropyAndGradientMatchReference(boolean accumulate) {
        for (int[] size : SIZES) {
            Operand logits = range(-6, 6, size[0], size[1]);
            Operand targets = targets(size[0], size[1]);
            Operand loss = output(false, size[0]);
            Operand logSumExp = output(false, size[0]);
            run(side -> side.kernels()
                    .crossEntropy()
                    .forward(side.of(logits), side.of(targets), IGNORE, side.of(loss), side.of(logSumExp)));
            loss.assertClose(8 * ULP, 8);
            float[] sums = seen(targets, logSumExp);

            Operand saved = of(sums, size[0]);
            Operand dloss = random(size[0]);
            Operand dlogits = output(accumulate, size[0], size[1]);
            run(side -> side.kernels()
                    .crossEntropy()
                    .backward(
                            side.of(logits),
                            side.of(targets),
                            IGNORE,
                            side.of(saved),
                            side.of(dloss),
                            side.of(dlogits),
                            accumulate));
            dlogits.assertClose(16 * ULP, 2);
        }
    }

    /** Class i mod V, but every fifth ignored. */
    private Operand targets(int rows, int classes) {
        int[] targets = new int[rows];
        Arrays.setAll(targets, i -> i % 5 == 4 ? IGNORE : i * 31 % classes);
        return ints(targets, rows);
    }

    /** The log-sum-exp of rows with a target, compared with the reference; NaN elsewhere, because a backward pass must not read it. */
    private static float[] seen(Operand targets, Operand logSumExp) {
        double[] target = targets.expected();
        double[] expected = logSumExp.expected();
        float[] actual = logSumExp.actual();
        for (int i = 0; i < actual.length; i++) {
            if (target[i] == IGNORE) {
                actual[i] = Float.NaN;
            } else {
                assertThat((double) actual[i]).isCloseTo(expected[i], within(64 * ULP));
            }
        }
        return actual;
    }

    @Test
    void crossEntropyGradientMayOverwriteLogits() {
        Operand logits = state(-6, 6, 37, 331);
        Operand targets = targets(37, 331);
        Operand loss = output(false, 37);
        Operand logSumExp = output(false, 37);
        Operand dloss = random(37);
        run(side -> {
            CrossEntropyKernels kernels = side.kernels().crossEntropy();
            kernels.forward(side.of(logits), side.of(targets), IGNORE, side.of(loss), side.of(logSumExp));
            kernels.backward(
                    side.of(logits),
                    side.of(targets),
                    IGNORE,
                    side.of(logSumExp),
                    side.of(dloss),
                    side.of(logits),
                    false);
        });
        logits.assertClose(16 * ULP, 2);
    }

    @Test
    void ignoredRowHasZeroLossAndGradient() {
        Operand logits = of(new float[] {Float.NaN, 1, 2, Float.POSITIVE_INFINITY, 1, 2}, 2, 3);
        Operand targets = ints(new int[] {IGNORE, IGNORE}, 2);
        Operand loss = output(false, 2);
        Tensor sums = zeros(2);
        Operand saved = of(new float[] {Float.NaN, Float.NaN}, 2);
        Operand dloss = of(new float[] {Float.NaN, 1}, 2);
        Operand dlogits = output(false, 2, 3);
        Operand added = output(true, 2, 3);
        run(side -> {
            CrossEntropyKernels kernels = side.kernels().crossEntropy();
            Tensor sum = side.index() == 0 ? Tensor.of(side.device(), new double[2], 2) : sums.to(side.device());
            kernels.forward(side.of(logits), side.of(targets), IGNORE, side.of(loss), sum);
            for (Operand out : new Operand[] {dlogits, added}) {
                kernels.backward(
                        side.of(logits),
                        side.of(targets),
                        IGNORE,
                        side.of(saved),
                        side.of(dloss),
                        side.of(out),
                        out == added);
            }
        });
        loss.assertExact();
        dlogits.assertExact();
        added.assertExact();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void forwardBackwardMatchesReference(boolean weighted) {
        for (int[] size : SIZES) {
            Operand logits = range(-6, 6, size[0], size[1]);
            Operand targets = targets(size[0], size[1]);
            Operand weights = random(size[0]);
            Operand loss = output(false, size[0]);
            Operand dlogits = output(false, size[0], size[1]);
            run(side -> forwardBackward(side, logits, targets, weighted ? weights : null, loss, dlogits));
            loss.assertClose(8 * ULP, 8);
            dlogits.assertClose(16 * ULP, weighted ? 1 : 0.5); // the largest factor is SCALE times a weight of 2
        }
    }

    @Test
    void forwardBackwardMayOverwriteLogits() {
        for (int[] size : new int[][] {{37, 331}, {3, 20_011}}) {
            Operand logits = state(-6, 6, size[0], size[1]);
            Operand targets = targets(size[0], size[1]);
            Operand loss = output(false, size[0]);
            run(side -> forwardBackward(side, logits, targets, null, loss, logits));
            loss.assertClose(8 * ULP, 8);
            logits.assertClose(16 * ULP, 0.5);
        }
    }

    /** Rows whose largest logits come late or are far above the others, so that the running sum must be rescaled. */
    @Test
    void crossEntropyOfIncreasingLogits() {
        int classes = 20_011;
        float[] elements = new float[3 * classes];
        for (int i = 0; i < classes; i++) {
            elements[i] = i * 0.01f;
            elements[classes + i] = -i * 0.01f;
            elements[2 * classes + i] = i == 15_000 ? 500 : i % 7;
        }
        Operand logits = of(elements, 3, classes);
        Operand targets = ints(new int[] {classes - 1, 5, 15_000}, 3);
        Operand loss = output(false, 3);
        Operand sums = output(false, 3);
        Operand fusedLoss = output(false, 3);
        Operand dlogits = output(false, 3, classes);
        run(side -> {
            side.kernels()
                    .crossEntropy()
                    .forward(side.of(logits), side.of(targets), IGNORE, side.of(loss), side.of(sums));
            forwardBackward(side, logits, targets, null, fusedLoss, dlogits);
        });
        sums.assertClose(8 * ULP, 200);
        loss.assertClose(8 * ULP, 500);
        fusedLoss.assertClose(8 * ULP, 500);
        dlogits.assertClose(16 * ULP, 0.5 * 16);
    }

    private static void forwardBackward(
            Side side, Operand logits, Operand targets, @Nullable Operand weights, Operand loss, Operand dlogits) {
        side.kernels()
                .crossEntropy()
                .forwardBackward(
                        side.of(logits),
                        side.of(targets),
                        IGNORE,
                        weights == null ? null : side.of(weights),
                        SCALE,
                        side.of(loss),
                        side.of(dlogits));
    }

    @Test
    void forwardBackwardIgnoresRows() {
        float infinity = Float.POSITIVE_INFINITY;
        Operand logits = of(new float[] {Float.NaN, 1, 2, infinity, 1, 2, 0, Float.NaN, 1, -infinity, 0, 0}, 4, 3);
        Operand targets = ints(new int[] {IGNORE, IGNORE, 0, 1}, 4);
        Operand weights = of(new float[] {Float.NaN, 1, 1, 2}, 4);
        Operand loss = output(false, 4);
        Operand dlogits = output(false, 4, 3);
        run(side -> forwardBackward(side, logits, targets, weights, loss, dlogits));
        loss.assertClose(4 * ULP, 0);
        dlogits.assertClose(4 * ULP, 0);
    }

    @Test
    void ignoreIndexMayBeAClass() {
        Operand logits = random(4, 3);
        Operand targets = ints(new int[] {0, 1, 2, 0}, 4);
        Operand loss = output(false, 4);
        Operand sums = output(false, 4);
        run(side -> side.kernels()
                .crossEntropy()
                .forward(side.of(logits), side.of(targets), 0, side.of(loss), side.of(sums)));
        assertThat(loss.actual()[0]).isZero();
        assertThat(loss.actual()[3]).isZero();
        loss.assertClose(8 * ULP, 1);
    }

    @Test
    void crossEntropyOfExtremeLogits() {
        float infinity = Float.POSITIVE_INFINITY;
        Operand logits = of(
                new float[] {
                    1e4f, 0, -1e4f, //
                    -infinity, 0, 1, // a masked class
                    0, -infinity, 1, // a masked target: infinite loss
                    0, Float.NaN, 1
                },
                4,
                3);
        Operand targets = ints(new int[] {1, 1, 1, 0}, 4);
        Operand loss = output(false, 4);
        Operand sums = output(false, 4);
        run(side -> side.kernels()
                .crossEntropy()
                .forward(side.of(logits), side.of(targets), IGNORE, side.of(loss), side.of(sums)));
        loss.assertClose(8 * ULP, 1);
        sums.assertClose(8 * ULP, 1);
    }

    @Test
    void countExcludesIgnoredTargets() {
        CrossEntropyKernels kernels = device().kernels().crossEntropy();
        int[] targets = new int[10_007];
        Arrays.setAll(targets, i -> i % 3 == 0 ? IGNORE : i);
        assertThat(kernels.count(Tensor.of(device(), targets, 10_007), IGNORE)).isEqualTo(10_007 - 3336);
        assertThat(kernels.count(zeroIds(0), IGNORE)).isZero();
        assertThat(kernels.count(Tensor.of(device(), new int[] {IGNORE}, 1), IGNORE))
                .isZero();
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 5, 100})
    void invalidTargetIsRejectedWithItsRow(int bad) {
        int[] targets = new int[300];
        targets[217] = bad;
        refuses(
                IllegalArgumentException.class,
                () -> device().kernels()
                        .crossEntropy()
                        .forward(zeros(300, 5), Tensor.of(device(), targets, 300), IGNORE, zeros(300), zeros(300)),
                "crossEntropy",
                "217",
                Integer.toString(bad));
        Tensor logits = zeros(300, 5);
        refuses(
                IllegalArgumentException.class,
                () -> device().kernels()
                        .crossEntropy()
                        .forwardBackward(
                                logits, Tensor.of(device(), targets, 300), IGNORE, null, SCALE, zeros(300), logits),
                "crossEntropy",
                "217",
                Integer.toString(bad));
        assertThat(logits.toFloats()).containsOnly(0);
    }

    @Test
    void crossEntropyRejectsWrongShapesDtypesAndDevices() {
        CrossEntropyKernels kernels = device().kernels().crossEntropy();
        refuses(
                ShapeException.class,
                () -> kernels.forward(zeros(2, 3, 4), zeroIds(2), IGNORE, zeros(2), zeros(2)),
                "crossEntropy",
                "[2, 3, 4]");
        refuses(
                ShapeException.class,
                () -> kernels.forward(zeros(2, 3), zeroIds(3), IGNORE, zeros(2), zeros(2)),
                "crossEntropy",
                "[2, 3]",
                "[3]");
        refuses(
                ShapeException.class,
                () -> kernels.backward(zeros(2, 3), zeroIds(2), IGNORE, zeros(2), zeros(2), zeros(3, 2), false),
                "crossEntropy",
                "[3, 2]");
        refuses(
                ShapeException.class,
                () -> kernels.forwardBackward(zeros(2, 3), zeroIds(2), IGNORE, null, 1, zeros(2), zeros(3, 2)),
                "crossEntropy",
                "[3, 2]");
        refuses(
                ShapeException.class,
                () -> kernels.forwardBackward(zeros(2, 3), zeroIds(2), IGNORE, zeros(3), 1, zeros(2), zeros(2, 3)),
                "crossEntropy",
                "[3]");
        refuses(
                IllegalArgumentException.class,
                () -> kernels.forward(zeros(2, 3), zeros(2), IGNORE, zeros(2), zeros(2)),
                "crossEntropy",
                "I32");
        refuses(
                IllegalArgumentException.class,
                () -> kernels.forward(zeros(2, 3), zeroIds(2), IGNORE, elsewhere(2), zeros(2)),
                "crossEntropy",
                "reference");
    }
}
