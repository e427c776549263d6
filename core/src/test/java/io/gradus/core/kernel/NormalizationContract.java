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
            run(side -> side.kernels()
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
            run(side -> side.kernels()
                    .normalization()
                    .rmsNorm(side.of(x), side.of(weight), EPS, side.of(y), side.of(rstd)));
            rstd.assertClose(16 * ULP, 0);
            y.assertClose(16 * ULP, 0);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void gradients(boolean accumulate) {
        for (Shape shape : SHAPES) {
            Saved saved = saved(shape);
            Results layer = results(shape, accumulate);
            Results rms = results(shape, accumulate);
            run(side -> {
                layerNormBackward(side, saved, layer, accumulate);
                rmsNormBackward(side, saved, rms, accumulate);
            });
            // |dy·weight·rstd| ≤ 6, and as much again twice: what cancels
            layer.dx.assertClose(32 * ULP, 6);
            rms.dx.assertClose(32 * ULP, 6);
            double[] magnitudes = weightMagnitudes(saved);
            double relative = (4 + Math.sqrt(shape.rows())) * ULP;
            layer.dweight.assertClose(relative, magnitudes);
            rms.dweight.assertClose(relative, magnitudes);
            layer.dbias.assertClose(relative, 2 * shape.rows() + 2);
        }
    }

    /** Each result is added to what is there or not, apart from the others; and a bias there need not be. */
    @Test
    void eachGradientIsAddedOrWrittenOnItsOwn() {
        Shape shape = Shape.of(70, 65);
        for (int adds = 0; adds < 4; adds++) {
            Saved saved = saved(shape);
            boolean addX = (adds & 1) != 0;
            boolean addWeight = (adds & 2) != 0;
            Twin dx = output(addX, shape);
            Twin dweight = output(addWeight, shape.last());
            run(side -> side.kernels()
                    .normalization()
                    .layerNormBackward(
                            side.of(saved.dy),
                            side.of(saved.x),
                            side.of(saved.weight),
                            side.of(saved.mean),
                            side.of(saved.rstd),
                            side.of(dx),
                            addX,
                            side.of(dweight),
                            addWeight,
                            null,
                            false));
            dx.assertClose(32 * ULP, 6);
            dweight.assertClose(12 * ULP, 2 * 5 * 70);
        }
    }

    /** Sums over very many rows stay accurate: the terms are of one sign, so nothing but rounding can be off. */
    @Test
    void sumsOverManyRows() {
        int rows = 20_000;
        Twin dy = range(0.5, 1.5, rows, 19);
        Twin x = range(0.5, 1.5, rows, 19);
        Saved saved = new Saved(dy, x, range(1, 1, 19), range(0, 0, rows), range(1, 1, rows));
        Results layer = results(Shape.of(rows, 19), false);
        run(side -> layerNormBackward(side, saved, layer, false));
        layer.dweight.assertClose(12 * ULP, 0);
        layer.dbias.assertClose(12 * ULP, 0);
    }

    private static void layerNormBackward(Side side, Saved saved, Results results, boolean accumulate) {
        side.kernels()
                .normalization()
                .layerNormBackward(
                        side.of(saved.dy),
                        side.of(saved.x),
                        side.of(saved.weight),
                        side.of(saved.mean),
                        side.of(saved.rstd),
                        side.of(results.dx),
                        accumulate,
                        side.of(results.dweight),
                        accumulate,
                        side.of(results.dbias),
                        accumulate);
    }

    private static void rmsNormBackward(Side side, Saved saved, Results results, boolean accumulate) {
        side.kernels()
                .normalization()
                .rmsNormBackward(
                        side.of(saved.dy),
                        side.of(saved.x),
                        side.of(saved.weight),
                        side.of(saved.rstd),
                        side.of(results.dx),
                        accumulate,
                        side.of(results.dweight),
                        accumulate);
    }

    /** {@code Σ |dy|·|x̂|} of each column, and some more: for |mean| ≤ 0.5 and what was there. */
    private static double[] weightMagnitudes(Saved saved) {
        long length = saved.x.shape().last();
        Tensor dweight = Tensor.of(Device.reference(), new double[(int) length], length);
        Tensor dx = Tensor.of(
                Device.reference(),
                new double[(int) saved.x.shape().size()],
                saved.x.shape().toArray());
        Device.reference()
                .kernels()
                .normalization()
                .rmsNormBackward(
                        saved.dy.magnitudes(),
                        saved.x.magnitudes(),
                        saved.weight.magnitudes(),
                        saved.rstd.magnitudes(),
                        dx,
                        false,
                        dweight,
                        false);
        double[] magnitudes = dweight.toDoubles();
        Arrays.setAll(magnitudes, i -> magnitudes[i] * 1.5 + 2);
        return magnitudes;
    }

    private record Results(Twin dx, Twin dweight, Twin dbias) {}

    private Results results(Shape shape, boolean accumulate) {
        return new Results(
                output(accumulate, shape), output(accumulate, shape.last()), output(accumulate, shape.last()));
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
            NormalizationKernels kernels = side.kernels().normalization();
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
                side.kernels().normalization().rmsNorm(side.of(x), side.of(weight), EPS, side.of(y), side.of(rstd)));
        y.assertExact();
        rstd.assertClose(4 * ULP, 0);
    }

    @Test
    void shapesDtypesAndDevicesThatDoNotFitAreRefused() {
        NormalizationKernels kernels = device().kernels().normalization();
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
                () -> kernels.rmsNormBackward(
                        zeros(2, 3), zeros(2, 3), zeros(3), zeros(2), zeros(3, 2), false, zeros(3), false),
                "rmsNorm",
                "[3, 2]");
        refuses(ShapeException.class, () -> layerNormBackward(kernels, zeros(2), zeros(3)), "layerNorm", "[2]");
        refuses(ShapeException.class, () -> layerNormBackward(kernels, zeros(3), zeros(4)), "layerNorm", "[4]");
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

    private void layerNormBackward(NormalizationKernels kernels, Tensor dweight, Tensor dbias) {
        kernels.layerNormBackward(
                zeros(2, 3),
                zeros(2, 3),
                zeros(3),
                zeros(2),
                zeros(2),
                zeros(2, 3),
                false,
                dweight,
                false,
                dbias,
                false);
    }
}
