package io.gradus.core.reference;

import io.gradus.core.GradientBuffer;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.NormalizationKernels;
import org.jspecify.annotations.Nullable;

/** One row of the last axis at a time. RMS normalization is layer normalization without a mean, also in the backward kernels. */
public final class Normalization implements NormalizationKernels {

    @Override
    public void layerNorm(
            Tensor x, Tensor weight, @Nullable Tensor bias, double eps, Tensor y, Tensor mean, Tensor rstd) {
        Elements from = Elements.of(x);
        Elements scale = Elements.of(weight);
        Elements to = Elements.of(y);
        long length = x.shape().last();
        for (long row = 0; row < x.shape().rows(); row++) {
            double sum = 0;
            for (long j = 0; j < length; j++) {
                sum += from.get(row * length + j);
            }
            double average = sum / length;
            double squares = 0;
            for (long j = 0; j < length; j++) {
                squares += square(from.get(row * length + j) - average);
            }
            double factor = 1 / Math.sqrt(squares / length + eps);
            Elements.of(mean).set(row, average);
            Elements.of(rstd).set(row, factor);
            for (long j = 0; j < length; j++) {
                double normalized = (from.get(row * length + j) - average) * factor;
                double shift = bias == null ? 0 : Elements.of(bias).get(j);
                to.set(row * length + j, normalized * scale.get(j) + shift);
            }
        }
    }

    @Override
    public void layerNormBackward(
            Tensor dy,
            Tensor x,
            Tensor weight,
            Tensor mean,
            Tensor rstd,
            GradientBuffer dx,
            GradientBuffer dweight,
            @Nullable GradientBuffer dbias) {
        backward(dy, x, weight, mean, rstd, dx.gradient(), dx.accumulate());
        backwardWeight(dy, x, mean, rstd, dweight.gradient(), dweight.accumulate());
        if (dbias != null) {
            backwardBias(dy, dbias.gradient(), dbias.accumulate());
        }
    }

    @Override
    public void rmsNorm(Tensor x, Tensor weight, double eps, Tensor y, Tensor rstd) {
        Elements from = Elements.of(x);
        Elements scale = Elements.of(weight);
        Elements to = Elements.of(y);
        long length = x.shape().last();
        for (long row = 0; row < x.shape().rows(); row++) {
            double squares = 0;
            for (long j = 0; j < length; j++) {
                squares += square(from.get(row * length + j));
            }
            double factor = 1 / Math.sqrt(squares / length + eps);
            Elements.of(rstd).set(row, factor);
            for (long j = 0; j < length; j++) {
                to.set(row * length + j, from.get(row * length + j) * factor * scale.get(j));
            }
        }
    }

    @Override
    public void rmsNormBackward(
            Tensor dy, Tensor x, Tensor weight, Tensor rstd, GradientBuffer dx, GradientBuffer dweight) {
        backward(dy, x, weight, null, rstd, dx.gradient(), dx.accumulate());
        backwardWeight(dy, x, null, rstd, dweight.gradient(), dweight.accumulate());
    }

    private static void backward(
            Tensor dy, Tensor x, Tensor weight, @Nullable Tensor mean, Tensor rstd, Tensor dx, boolean accumulate) {
        Elements from = Elements.of(dy);
        Elements scale = Elements.of(weight);
        Elements to = Elements.of(dx);
        long length = x.shape().last();
        for (long row = 0; row < x.shape().rows(); row++) {
            double sum = 0;
            double dot = 0;
            for (long j = 0; j < length; j++) {
                double scaled = from.get(row * length + j) * scale.get(j);
                sum += scaled;
                dot += scaled * normalized(x, mean, rstd, row, j);
            }
            for (long j = 0; j < length; j++) {
                double scaled = from.get(row * length + j) * scale.get(j);
                double centered = mean == null ? scaled : scaled - sum / length;
                double gradient = centered - normalized(x, mean, rstd, row, j) * dot / length;
                to.put(row * length + j, Elements.of(rstd).get(row) * gradient, accumulate);
            }
        }
    }

    private static void backwardWeight(
            Tensor dy, Tensor x, @Nullable Tensor mean, Tensor rstd, Tensor dweight, boolean accumulate) {
        Elements from = Elements.of(dy);
        double[] sums = new double[Math.toIntExact(x.shape().last())];
        for (long row = 0; row < x.shape().rows(); row++) {
            for (int j = 0; j < sums.length; j++) {
                sums[j] += from.get(row * sums.length + j) * normalized(x, mean, rstd, row, j);
            }
        }
        put(sums, dweight, accumulate);
    }

    private static void backwardBias(Tensor dy, Tensor dbias, boolean accumulate) {
        Elements from = Elements.of(dy);
        double[] sums = new double[Math.toIntExact(dy.shape().last())];
        for (long i = 0; i < dy.size(); i++) {
            sums[(int) (i % sums.length)] += from.get(i);
        }
        put(sums, dbias, accumulate);
    }

    private static void put(double[] values, Tensor out, boolean accumulate) {
        Elements to = Elements.of(out);
        for (int j = 0; j < values.length; j++) {
            to.put(j, values[j], accumulate);
        }
    }

    /** x̂: element j of a row, minus the mean if there is one, times rstd. */
    private static double normalized(Tensor x, @Nullable Tensor mean, Tensor rstd, long row, long j) {
        double center = mean == null ? 0 : Elements.of(mean).get(row);
        return (Elements.of(x).get(row * x.shape().last() + j) - center)
                * Elements.of(rstd).get(row);
    }

    private static double square(double x) {
        return x * x;
    }
}
