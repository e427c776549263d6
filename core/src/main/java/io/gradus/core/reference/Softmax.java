package io.gradus.core.reference;

import io.gradus.core.Tensor;
import io.gradus.core.kernel.SoftmaxKernels;

/** One row of the last axis at a time. */
public final class Softmax implements SoftmaxKernels {

    @Override
    public void softmax(Tensor x, Tensor y) {
        Elements from = Elements.of(x);
        Elements to = Elements.of(y);
        long length = x.shape().last();
        for (long row = 0; row < x.shape().rows(); row++) {
            double logSum = logSumExp(from, row * length, length);
            for (long i = row * length; i < (row + 1) * length; i++) {
                to.set(i, Math.exp(from.get(i) - logSum));
            }
        }
    }

    @Override
    public void softmaxBackward(Tensor y, Tensor dy, Tensor dx, boolean accumulate) {
        Elements output = Elements.of(y);
        Elements from = Elements.of(dy);
        Elements to = Elements.of(dx);
        long length = y.shape().last();
        for (long row = 0; row < y.shape().rows(); row++) {
            double dot = 0;
            for (long i = row * length; i < (row + 1) * length; i++) {
                dot += output.get(i) * from.get(i);
            }
            for (long i = row * length; i < (row + 1) * length; i++) {
                to.put(i, output.get(i) * (from.get(i) - dot), accumulate);
            }
        }
    }

    @Override
    public void logSoftmax(Tensor x, Tensor y) {
        Elements from = Elements.of(x);
        Elements to = Elements.of(y);
        long length = x.shape().last();
        for (long row = 0; row < x.shape().rows(); row++) {
            double logSum = logSumExp(from, row * length, length);
            for (long i = row * length; i < (row + 1) * length; i++) {
                to.set(i, from.get(i) - logSum);
            }
        }
    }

    @Override
    public void logSoftmaxBackward(Tensor y, Tensor dy, Tensor dx, boolean accumulate) {
        Elements output = Elements.of(y);
        Elements from = Elements.of(dy);
        Elements to = Elements.of(dx);
        long length = y.shape().last();
        for (long row = 0; row < y.shape().rows(); row++) {
            double sum = 0;
            for (long i = row * length; i < (row + 1) * length; i++) {
                sum += from.get(i);
            }
            for (long i = row * length; i < (row + 1) * length; i++) {
                to.put(i, from.get(i) - Math.exp(output.get(i)) * sum, accumulate);
            }
        }
    }

    /** {@code m + ln Σ exp(x − m)} with m the largest element; NaN if all are −∞. */
    static double logSumExp(Elements x, long from, long length) {
        double max = Double.NEGATIVE_INFINITY;
        for (long i = from; i < from + length; i++) {
            max = Math.max(max, x.get(i));
        }
        double sum = 0;
        for (long i = from; i < from + length; i++) {
            sum += Math.exp(x.get(i) - max);
        }
        return max + Math.log(sum);
    }
}
