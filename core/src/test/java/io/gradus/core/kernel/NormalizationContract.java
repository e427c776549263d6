package io.gradus.core.kernel;

import io.gradus.core.Device;
import io.gradus.core.Shape;
import io.gradus.core.ShapeException;
import io.gradus.core.Tensor;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What {@link NormalizationKernels} promise, on any device. */
public abstract class NormalizationContract extends KernelContract {
    private static final double EPS = 1e-5;
    private static final List<Shape> SHAPES = List.of(
            Shape.of(7),
            Shape.of(0, 5),
            Shape.of(3, 1),
            Shape.of(2, 3, 17),
            Shape.of(331, 37),
            Shape.of(3, 5003),
            Shape.of(5003, 3));

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void layerNormWithAndWithoutBias(boolean withBias) {
        for (Shape shape : SHAPES) {
            // off zero, so that a variance as E[x²] − E[x]² would lose digits
            Twin x = range(8, 12, shape.toArray());
            Twin weight = range(0.5, 1.5, shape.last());
            Twin bias = random(shape.last());
            Twin y = output(false, shape);
            Twin mean = output(false, shape.rows());
            Twin rstd = output(false, shape.rows());
            run(side -> side.backend()
                    .normalization()
                    .layerNorm(
                            side.of(x),
                            side.of(weight),
                            withBias ? side.of(bias) : null,
                            EPS,
                            side.of(y),
                            side.of(mean),
                            side.of(rstd)));
            mean.assertClose(8 * ULP, 0);
            if (shape.last() == 1) {
                continue; // (x − mean)·rstd of one element is rounding alone, times 1/√eps; its rstd is 1/√eps
            }
            // (x − mean) carries the rounding of numbers near 10, and rstd that of a few differences squared
            rstd.assertClose(256 * ULP, 0);
            y.assertClose(256 * ULP, 2);
        }
    }

    @Test
    void rmsNorm() {
        for (Shape shape : SHAPES) {
            Twin x = random(shape.toArray());
            Twin weight = range(0.5, 1.5, shape.last());
            Twin y = output(false, shape);
            Twin rstd = output(false, shape.rows());
            run(side -> side.backend()
                    .normalization()
                    .rmsNorm(side.of(x), side.of(weight), EPS, side.of(y), side.of(rstd)));
            rstd.assertClose(16 * ULP, 0);
            y.assertClose(16 * ULP, 0);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void inputGradients(boolean accumulate) {
        for (Shape shape : SHAPES) {
            Saved saved = saved(shape);
            Twin layer = output(accumulate, shape);
            Twin rms = output(accumulate, shape);
            run(side -> {
                NormalizationKernels kernels = side.backend().normalization();
                kernels.layerNormBackward(
                        side.of(saved.dy),
                        side.of(saved.x),
                        side.of(saved.weight),
                        side.of(saved.mean),
                        side.of(saved.rstd),
                        side.of(layer),
                        accumulate);
                kernels.rmsNormBackward(
                        side.of(saved.dy),
                        side.of(saved.x),
                        side.of(saved.weight),
                        side.of(saved.rstd),
                        side.of(rms),
                        accumulate);
            });
            // |dy·weight·rstd| ≤ 6, and as much again twice: what cancels
            layer.assertClose(32 * ULP, 6);
            rms.assertClose(32 * ULP, 6);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void weightGradients(boolean accumulate) {
        for (Shape shape : SHAPES) {
            Saved saved = saved(shape);
            Twin layer = output(accumulate, shape.last());
            Twin rms = output(accumulate, shape.last());
            Tensor magnitude = Tensor.of(Device.reference(), new double[(int) shape.last()], shape.last());
            run(side -> {
                NormalizationKernels kernels = side.backend().normalization();
                kernels.layerNormBackwardWeight(
                        side.of(saved.dy),
                        side.of(saved.x),
                        side.of(saved.mean),
                        side.of(saved.rstd),
                        side.of(layer),
                        accumulate);
                kernels.rmsNormBackwardWeight(
                        side.of(saved.dy), side.of(saved.x), side.of(saved.rstd), side.of(rms), accumulate);
            });
            Device.reference()
                    .backend()
                    .normalization()
                    .rmsNormBackwardWeight(
                            saved.dy.magnitudes(), saved.x.magnitudes(), saved.rstd.magnitudes(), magnitude, false);
            double[] magnitudes = magnitude.toDoubles();
            Arrays.setAll(magnitudes, i -> magnitudes[i] * 1.5 + 2); // with |mean| ≤ 0.5 and what was there
            double relative = (4 + Math.sqrt(shape.rows())) * ULP;
            layer.assertClose(relative, magnitudes);
            rms.assertClose(relative, magnitudes);
        }
    }

    /** The operands of a backward pass: statistics of the size that a forward pass gives, the same on all devices. */
    private record Saved(Twin dy, Twin x, Twin weight, Twin mean, Twin rstd) {}

    private Saved saved(Shape shape) {
        return new Saved(
                random(shape.toArray()),
                random(shape.toArray()),
                range(0.5, 1.5, shape.last()),
                range(-0.5, 0.5, shape.rows()),
                range(0.5, 2, shape.rows()));
    }

    @Test
    void nanStaysInItsRow() {
        float[] elements = new float[5 * 33];
        for (int i = 0; i < elements.length; i++) {
            elements[i] = i % 7 - 3;
        }
        elements[40] = Float.NaN;
        elements[99] = Float.POSITIVE_INFINITY;
        Twin x = of(elements, 5, 33);
        Twin weight = range(0.5, 1.5, 33);
        Twin layer = output(false, 5, 33);
        Twin mean = output(false, 5);
        Twin layerRstd = output(false, 5);
        Twin rms = output(false, 5, 33);
        Twin rstd = output(false, 5);
        run(side -> {
            NormalizationKernels kernels = side.backend().normalization();
            kernels.layerNorm(
                    side.of(x), side.of(weight), null, EPS, side.of(layer), side.of(mean), side.of(layerRstd));
            kernels.rmsNorm(side.of(x), side.of(weight), EPS, side.of(rms), side.of(rstd));
        });
        layer.assertClose(64 * ULP, 1);
        rms.assertClose(64 * ULP, 1);
    }

    /** A row of zeros has no direction: eps keeps it at zero instead of 0/0. */
    @Test
    void aRowOfZerosStaysZero() {
        Twin x = of(new float[6], 2, 3);
        Twin weight = range(0.5, 1.5, 3);
        Twin y = output(false, 2, 3);
        Twin rstd = output(false, 2);
        run(side ->
                side.backend().normalization().rmsNorm(side.of(x), side.of(weight), EPS, side.of(y), side.of(rstd)));
        y.assertExact();
        rstd.assertClose(4 * ULP, 0);
    }

    @Test
    void shapesDtypesAndDevicesThatDoNotFitAreRefused() {
        NormalizationKernels kernels = device().backend().normalization();
        refuses(
                ShapeException.class,
                () -> layerNorm(kernels, zeros(2, 3), zeros(2), null, zeros(2)),
                "layerNorm",
                "[2]",
                "[3]");
        refuses(
                ShapeException.class,
                () -> layerNorm(kernels, zeros(2, 3), zeros(3), zeros(4), zeros(2)),
                "layerNorm",
                "[4]");
        refuses(
                ShapeException.class,
                () -> layerNorm(kernels, zeros(2, 3), zeros(3), zeros(3), zeros(3)),
                "layerNorm",
                "[3]");
        refuses(
                ShapeException.class,
                () -> kernels.rmsNorm(zeros(2, 3), zeros(3), EPS, zeros(3, 2), zeros(2)),
                "rmsNorm",
                "[3, 2]");
        refuses(
                ShapeException.class,
                () -> kernels.rmsNormBackward(zeros(2, 3), zeros(2, 3), zeros(3), zeros(2), zeros(3, 2), false),
                "rmsNorm",
                "[3, 2]");
        refuses(
                ShapeException.class,
                () -> kernels.layerNormBackwardWeight(zeros(2, 3), zeros(2, 3), zeros(2), zeros(2), zeros(2), false),
                "layerNorm",
                "[2]");
        refuses(
                IllegalArgumentException.class,
                () -> kernels.rmsNorm(zeros(2, 3), doubles(3), EPS, zeros(2, 3), zeros(2)),
                "rmsNorm",
                "F64");
        refuses(
                IllegalArgumentException.class,
                () -> kernels.rmsNorm(zeros(2, 3), zeros(3), EPS, zeros(2, 3), elsewhere(2)),
                "rmsNorm",
                "reference");
    }

    private void layerNorm(
            NormalizationKernels kernels, Tensor x, Tensor weight, @Nullable Tensor bias, Tensor statistic) {
        kernels.layerNorm(x, weight, bias, EPS, zeros(x.shape().toArray()), statistic, statistic);
    }
}
