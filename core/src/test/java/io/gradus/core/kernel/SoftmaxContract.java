package io.gradus.core.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.core.Shape;
import io.gradus.core.ShapeException;
import java.util.Arrays;
import java.util.List;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The contract of {@link SoftmaxKernels} on any device. */
public abstract class SoftmaxContract extends KernelContract {
    private static final float INFINITY = Float.POSITIVE_INFINITY;
    private static final List<Shape> SHAPES = List.of(
            Shape.of(1),
            Shape.of(7),
            Shape.of(0, 5),
            Shape.of(5, 0),
            Shape.of(3, 1),
            Shape.of(2, 3, 17),
            Shape.of(331, 37),
            Shape.of(3, 5003),
            Shape.of(2, 20_011),
            Shape.of(5003, 3));

    @Test
    void softmaxOfOneAndSeven() {
        Operand x = of(new float[] {1, 7}, 2);
        Operand softmax = output(false, 2);
        Operand logSoftmax = output(false, 2);
        run(side -> {
            side.kernels().softmax().softmax(side.of(x), side.of(softmax));
            side.kernels().softmax().logSoftmax(side.of(x), side.of(logSoftmax));
        });
        assertThat(softmax.actual()).containsExactly(new float[] {0.0024726f, 0.9975274f}, Offset.offset(1e-6f));
        assertThat(logSoftmax.actual()).containsExactly(new float[] {-6.0024757f, -0.0024757f}, Offset.offset(1e-6f));
    }

    @Test
    void softmaxOfRowsOfAnyLength() {
        for (Shape shape : SHAPES) {
            Operand x = range(-8, 8, shape.toArray());
            Operand softmax = output(false, shape);
            Operand logSoftmax = output(false, shape);
            run(side -> {
                side.kernels().softmax().softmax(side.of(x), side.of(softmax));
                side.kernels().softmax().logSoftmax(side.of(x), side.of(logSoftmax));
            });
            softmax.assertClose(32 * ULP, 0);
            logSoftmax.assertClose(8 * ULP, 8);
        }
    }

    @Test
    void softmaxInPlace() {
        Operand x = state(-8, 8, 37, 331);
        Operand y = state(-8, 8, 37, 331);
        run(side -> {
            side.kernels().softmax().softmax(side.of(x), side.of(x));
            side.kernels().softmax().logSoftmax(side.of(y), side.of(y));
        });
        x.assertClose(32 * ULP, 0);
        y.assertClose(8 * ULP, 8);
    }

    @Test
    void softmaxOfLargeLogitsAndMinusInfinity() {
        Operand x = of(
                new float[] {
                    1e4f, 9999, -1e4f, // too large for exp
                    -1e30f, -1e30f, 0, -INFINITY, 0, 1, // masked
                    -INFINITY, -INFINITY, -INFINITY, 0, Float.NaN, 1, 0, 0, 0
                },
                6,
                3);
        Operand softmax = output(false, 6, 3);
        Operand logSoftmax = output(false, 6, 3);
        run(side -> {
            side.kernels().softmax().softmax(side.of(x), side.of(softmax));
            side.kernels().softmax().logSoftmax(side.of(x), side.of(logSoftmax));
        });
        softmax.assertClose(8 * ULP, 1e-30);
        logSoftmax.assertClose(8 * ULP, 1);
    }

    /** Long rows are read in blocks, and sums of earlier blocks may have to be rescaled. */
    @Test
    void softmaxOfLongRowsWithMaximumAnywhere() {
        int length = 20_000;
        int[] places = {0, 4095, 4096, 8191, 8192, 12_287, 12_288, 16_383, 16_384, length - 1};
        float[] elements = new float[(places.length + 3) * length];
        for (int row = 0; row < places.length + 3; row++) {
            for (int i = 0; i < length; i++) {
                elements[row * length + i] = i % 17 / 8f - 1;
            }
        }
        for (int row = 0; row < places.length; row++) {
            elements[row * length + places[row]] = 7;
        }
        for (int i = 0; i < length; i++) {
            elements[places.length * length + i] = i / 2500f;
            elements[(places.length + 1) * length + i] = -i / 2500f;
        }
        Arrays.fill(elements, (places.length + 2) * length, (places.length + 2) * length + 9000, -INFINITY);
        Operand x = of(elements, places.length + 3, length);
        Operand softmax = output(false, places.length + 3, length);
        Operand logSoftmax = output(false, places.length + 3, length);
        run(side -> {
            side.kernels().softmax().softmax(side.of(x), side.of(softmax));
            side.kernels().softmax().logSoftmax(side.of(x), side.of(logSoftmax));
        });
        softmax.assertClose(32 * ULP, 0);
        logSoftmax.assertClose(8 * ULP, 8);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void softmaxGradientsMatchReference(boolean accumulate) {
        for (Shape shape : SHAPES) {
            Operand x = range(-3, 3, shape.toArray());
            Operand softmax = output(false, shape);
            Operand logSoftmax = output(false, shape);
            run(side -> {
                side.kernels().softmax().softmax(side.of(x), side.of(softmax));
                side.kernels().softmax().logSoftmax(side.of(x), side.of(logSoftmax));
            });
            Operand y = asInput(softmax);
            Operand logY = asInput(logSoftmax);
            Operand dy = random(shape.toArray());
            Operand dx = output(accumulate, shape);
            Operand logDx = output(accumulate, shape);
            run(side -> {
                side.kernels().softmax().softmaxBackward(side.of(y), side.of(dy), side.of(dx), accumulate);
                side.kernels().softmax().logSoftmaxBackward(side.of(logY), side.of(dy), side.of(logDx), accumulate);
            });
            // y·(dy − dot): the terms that cancel are at most 2 + 2, times a probability
            dx.assertClose(16 * ULP, accumulate || shape.last() < 100 ? 4 : 0.01);
            // exp(y)·Σ dy: a sum of n terms of size 2 with an error of √n·ULP, times a probability
            logDx.assertClose(16 * ULP, 4);
        }
    }

    @Test
    void softmaxRejectsWrongShapesDtypesAndDevices() {
        SoftmaxKernels kernels = device().kernels().softmax();
        refuses(ShapeException.class, () -> kernels.softmax(zeros(2, 3), zeros(3, 2)), "softmax", "[2, 3]", "[3, 2]");
        refuses(
                ShapeException.class,
                () -> kernels.logSoftmaxBackward(zeros(3), zeros(3), zeros(4), false),
                "logSoftmax",
                "[4]");
        refuses(IllegalArgumentException.class, () -> kernels.logSoftmax(doubles(3), zeros(3)), "logSoftmax", "F64");
        refuses(IllegalArgumentException.class, () -> kernels.softmax(zeros(3), elsewhere(3)), "softmax", "reference");
    }
}
