package io.gradus.core.kernel;

import io.gradus.core.Shape;
import io.gradus.core.ShapeException;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What {@link SoftmaxKernels} promise, on any device. */
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
    void rowsOfAnyLength() {
        for (Shape shape : SHAPES) {
            Twin x = range(-8, 8, shape.toArray());
            Twin softmax = output(false, shape);
            Twin logSoftmax = output(false, shape);
            run(side -> {
                side.kernels().softmax().softmax(side.of(x), side.of(softmax));
                side.kernels().softmax().logSoftmax(side.of(x), side.of(logSoftmax));
            });
            softmax.assertClose(32 * ULP, 0);
            logSoftmax.assertClose(8 * ULP, 8);
        }
    }

    @Test
    void inPlace() {
        Twin x = state(-8, 8, 37, 331);
        Twin y = state(-8, 8, 37, 331);
        run(side -> {
            side.kernels().softmax().softmax(side.of(x), side.of(x));
            side.kernels().softmax().logSoftmax(side.of(y), side.of(y));
        });
        x.assertClose(32 * ULP, 0);
        y.assertClose(8 * ULP, 8);
    }

    @Test
    void largeLogitsDoNotOverflowAndMinusInfinityIsZero() {
        Twin x = of(
                new float[] {
                    1e4f, 9999, -1e4f, // larger than exp can take
                    -1e30f, -1e30f, 0, -INFINITY, 0, 1, // masked
                    -INFINITY, -INFINITY, -INFINITY, 0, Float.NaN, 1, 0, 0, 0
                },
                6,
                3);
        Twin softmax = output(false, 6, 3);
        Twin logSoftmax = output(false, 6, 3);
        run(side -> {
            side.kernels().softmax().softmax(side.of(x), side.of(softmax));
            side.kernels().softmax().logSoftmax(side.of(x), side.of(logSoftmax));
        });
        softmax.assertClose(8 * ULP, 1e-30);
        logSoftmax.assertClose(8 * ULP, 1);
    }

    /** Long rows are read in pieces, and what was found in one may have to be corrected in a later one. */
    @Test
    void theGreatestOfALongRowMayBeAnywhere() {
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
        Twin x = of(elements, places.length + 3, length);
        Twin softmax = output(false, places.length + 3, length);
        Twin logSoftmax = output(false, places.length + 3, length);
        run(side -> {
            side.kernels().softmax().softmax(side.of(x), side.of(softmax));
            side.kernels().softmax().logSoftmax(side.of(x), side.of(logSoftmax));
        });
        softmax.assertClose(32 * ULP, 0);
        logSoftmax.assertClose(8 * ULP, 8);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void gradients(boolean accumulate) {
        for (Shape shape : SHAPES) {
            Twin x = range(-3, 3, shape.toArray());
            Twin softmax = output(false, shape);
            Twin logSoftmax = output(false, shape);
            run(side -> {
                side.kernels().softmax().softmax(side.of(x), side.of(softmax));
                side.kernels().softmax().logSoftmax(side.of(x), side.of(logSoftmax));
            });
            Twin y = asInput(softmax);
            Twin logY = asInput(logSoftmax);
            Twin dy = random(shape.toArray());
            Twin dx = output(accumulate, shape);
            Twin logDx = output(accumulate, shape);
            run(side -> {
                side.kernels().softmax().softmaxBackward(side.of(y), side.of(dy), side.of(dx), accumulate);
                side.kernels().softmax().logSoftmaxBackward(side.of(logY), side.of(dy), side.of(logDx), accumulate);
            });
            // y·(dy − dot): what cancels is at most 2 + 2, times a probability
            dx.assertClose(16 * ULP, accumulate || shape.last() < 100 ? 4 : 0.01);
            // exp(y)·Σ dy: a sum of n terms of size 2 with an error of √n·ULP, times a probability
            logDx.assertClose(16 * ULP, 4);
        }
    }

    @Test
    void shapesDtypesAndDevicesThatDoNotFitAreRefused() {
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
