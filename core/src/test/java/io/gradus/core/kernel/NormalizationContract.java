package io.gradus.core.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.core.Device;
import io.gradus.core.GradientBuffer;
import io.gradus.core.Shape;
import io.gradus.core.ShapeException;
import io.gradus.core.Tensor;
import java.util.Arrays;
import java.util.List;
import org.assertj.core.data.Offset;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The contract of {@link NormalizationKernels} on any device. */
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

    @Test
    void layerNormAndRmsNormOfTwoNumbers() {
        Operand x = of(new float[] {1, 7}, 1, 2);
        Operand weight = of(new float[] {1, 2}, 2);
        Operand layerNorm = output(false, 1, 2);
        Operand rmsNorm = output(false, 1, 2);
        Operand mean = output(false, 1);
        Operand deviation = output(false, 1);
        Operand rms = output(false, 1);
        run(side -> {
            NormalizationKernels kernels = side.kernels().normalization();
            kernels.layerNorm(
                    side.of(x), side.of(weight), null, 0, side.of(layerNorm), side.of(mean), side.of(deviation));
            kernels.rmsNorm(side.of(x), side.of(weight), 0, side.of(rmsNorm), side.of(rms));
        });
        assertThat(mean.actual()).containsExactly(4);
        assertThat(deviation.actual()).containsExactly(new float[] {1 / 3f}, Offset.offset(1e-6f));
        assertThat(layerNorm.actual()).containsExactly(new float[] {-1, 2}, Offset.offset(1e-6f));
        assertThat(rms.actual()).containsExactly(new float[] {1 / 5f}, Offset.offset(1e-6f)); // √((1 + 49)/2) = 5
        assertThat(rmsNorm.actual()).containsExactly(new float[] {0.2f, 2.8f}, Offset.offset(1e-6f));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void layerNormMatchesReference(boolean withBias) {
        for (Shape shape : SHAPES) {
            // away from zero, so that a variance computed as E[x²] − E[x]² would cancel
            Operand x = range(8, 12, shape.toArray());
            Operand weight = range(0.5, 1.5, shape.last());
            Operand bias = random(shape.last());
            Operand y = output(false, shape);
            Operand mean = output(false, shape.rows());
            Operand rstd = output(false, shape.rows());
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
    void rmsNormMatchesReference() {
        for (Shape shape : SHAPES) {
            Operand x = random(shape.toArray());
            Operand weight = range(0.5, 1.5, shape.last());
            Operand y = output(false, shape);
            Operand rstd = output(false, shape.rows());
            run(side -> side.kernels()
                    .normalization()
                    .rmsNorm(side.of(x), side.of(weight), EPS, side.of(y), side.of(rstd)));
            rstd.assertClose(16 * ULP, 0);
            y.assertClose(16 * ULP, 0);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void normalizationGradientsMatchReference(boolean accumulate) {
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

    /** Each gradient accumulates or overwrites independently, with and without a bias. */
    @Test
    void gradientsAccumulateIndependently() {
        Shape shape = Shape.of(70, 65);
        for (int adds = 0; adds < 4; adds++) {
            Saved saved = saved(shape);
            boolean addX = (adds & 1) != 0;
            boolean addWeight = (adds & 2) != 0;
            Operand dx = output(addX, shape);
            Operand dweight = output(addWeight, shape.last());
            run(side -> side.kernels()
                    .normalization()
                    .layerNormBackward(
                            side.of(saved.dy),
                            side.of(saved.x),
                            side.of(saved.weight),
                            side.of(saved.mean),
                            side.of(saved.rstd),
                            side.buffer(dx, addX),
                            side.buffer(dweight, addWeight),
                            null));
            dx.assertClose(32 * ULP, 6);
            dweight.assertClose(12 * ULP, 2 * 5 * 70);
        }
    }

    /** Sums over very many rows are accurate. All terms have one sign, so that all errors are rounding errors. */
    @Test
    void weightGradientsOfManyRowsAreAccurate() {
        int rows = 20_000;
        Operand dy = range(0.5, 1.5, rows, 19);
        Operand x = range(0.5, 1.5, rows, 19);
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
                        side.buffer(results.dx, accumulate),
                        side.buffer(results.dweight, accumulate),
                        side.buffer(results.dbias, accumulate));
    }

    private static void rmsNormBackward(Side side, Saved saved, Results results, boolean accumulate) {
        side.kernels()
                .normalization()
                .rmsNormBackward(
                        side.of(saved.dy),
                        side.of(saved.x),
                        side.of(saved.weight),
                        side.of(saved.rstd),
                        side.buffer(results.dx, accumulate),
                        side.buffer(results.dweight, accumulate));
    }

    /** {@code Σ |dy|·|x̂|} of each column, with a margin for |mean| ≤ 0.5 and the accumulated value. */
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
                        new GradientBuffer(dx, false),
                        new GradientBuffer(dweight, false));
        double[] magnitudes = dweight.toDoubles();
        Arrays.setAll(magnitudes, i -> magnitudes[i] * 1.5 + 2);
        return magnitudes;
    }

    private record Results(Operand dx, Operand dweight, Operand dbias) {}

    private Results results(Shape shape, boolean accumulate) {
        return new Results(
                output(accumulate, shape), output(accumulate, shape.last()), output(accumulate, shape.last()));
    }

    /** The operands of a backward pass: statistics of realistic magnitude, equal on all devices. */
    private record Saved(Operand dy, Operand x, Operand weight, Operand mean, Operand rstd) {}

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
        Operand x = of(elements, 5, 33);
        Operand weight = range(0.5, 1.5, 33);
        Operand layer = output(false, 5, 33);
        Operand mean = output(false, 5);
        Operand layerRstd = output(false, 5);
        Operand rms = output(false, 5, 33);
        Operand rstd = output(false, 5);
        run(side -> {
            NormalizationKernels kernels = side.kernels().normalization();
            kernels.layerNorm(
                    side.of(x), side.of(weight), null, EPS, side.of(layer), side.of(mean), side.of(layerRstd));
            kernels.rmsNorm(side.of(x), side.of(weight), EPS, side.of(rms), side.of(rstd));
        });
        layer.assertClose(64 * ULP, 1);
        rms.assertClose(64 * ULP, 1);
    }

    /** eps makes the result of a row of zeros zero instead of 0/0. */
    @Test
    void normalizationOfZerosIsZero() {
        Operand x = of(new float[6], 2, 3);
        Operand weight = range(0.5, 1.5, 3);
        Operand y = output(false, 2, 3);
        Operand rstd = output(false, 2);
        run(side ->
                side.kernels().normalization().rmsNorm(side.of(x), side.of(weight), EPS, side.of(y), side.of(rstd)));
        y.assertExact();
        rstd.assertClose(4 * ULP, 0);
    }

    @Test
    void normalizationRejectsWrongShapesDtypesAndDevices() {
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
                        zeros(2, 3),
                        zeros(2, 3),
                        zeros(3),
                        zeros(2),
                        new GradientBuffer(zeros(3, 2), false),
                        new GradientBuffer(zeros(3), false)),
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
                new GradientBuffer(zeros(2, 3), false),
                new GradientBuffer(dweight, false),
                new GradientBuffer(dbias, false));
    }
}
