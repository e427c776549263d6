package io.gradus.gpu;

import static io.gradus.gpu.runtime.Launcher.flag;
import static io.gradus.gpu.runtime.Launcher.floats;
import static io.gradus.gpu.runtime.Launcher.ints;

import io.gradus.core.Tensor;
import io.gradus.core.kernel.CrossEntropyKernels;
import io.gradus.gpu.math.FloatMath;
import io.gradus.gpu.runtime.Kernel;
import io.gradus.gpu.runtime.Launcher;
import org.jspecify.annotations.Nullable;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * {@link CrossEntropyKernels}: {@link Rows} of logits. The loss reads each logit once: a lane keeps the largest so far and the
 * sum of exponentials relative to it (Milakov &amp; Gimelshein 2018, "Online normalizer calculation for softmax"), and the
 * lanes' pairs of numbers are combined in a tree.
 */
final class CrossEntropy implements CrossEntropyKernels {
    private static final Kernel LOSS = Kernel.of("cross_entropy", CrossEntropy::lossKernel);
    private static final Kernel GRADIENT = Kernel.of("cross_entropy_backward", CrossEntropy::gradientKernel);

    private final Launcher launcher;

    CrossEntropy(Launcher launcher) {
        this.launcher = launcher;
    }

    @Override
    public void forward(Tensor logits, Tensor targets, int ignoreIndex, Tensor loss, Tensor logSumExp) {
        launch(logits, targets, ignoreIndex, loss, logSumExp, null, 0, null);
    }

    @Override
    public void forwardBackward(
            Tensor logits,
            Tensor targets,
            int ignoreIndex,
            @Nullable Tensor weights,
            double scale,
            Tensor loss,
            Tensor dlogits) {
        launch(logits, targets, ignoreIndex, loss, null, weights, scale, dlogits);
    }

    private void launch(
            Tensor logits,
            Tensor targets,
            int ignoreIndex,
            Tensor loss,
            @Nullable Tensor logSumExp,
            @Nullable Tensor weights,
            double scale,
            @Nullable Tensor dlogits) {
        long width = logits.shape().get(1);
        Targets.check(targets, ignoreIndex, width);
        int lanes = Rows.lanes(width);
        int[] ints = ints(
                targets.size(),
                width,
                lanes,
                ignoreIndex,
                flag(logSumExp != null),
                flag(weights != null),
                flag(dlogits != null));
        launcher.run(
                LOSS,
                targets.size() * lanes,
                ints,
                floats(scale),
                logits,
                targets,
                loss,
                logSumExp == null ? loss : logSumExp,
                weights == null ? loss : weights,
                dlogits == null ? logits : dlogits);
    }

    /**
     * The loss of a row, and its gradient where that is asked for: {@code scale·weight·(exp(x − max)/sum − onehot)}, each lane
     * of the elements that it read, so that the gradient may replace the logits.
     */
    private static void lossKernel(
            KernelContext c,
            IntArray d,
            FloatArray s,
            FloatArray logits,
            IntArray targets,
            FloatArray loss,
            FloatArray logSumExp,
            FloatArray weights,
            FloatArray dlogits) {
        float[] maxima = c.allocateFloatLocalArray(Rows.GROUP);
        float[] sums = c.allocateFloatLocalArray(Rows.GROUP);
        int width = d.get(7);
        int lanes = d.get(8);
        int ignoreIndex = d.get(9);
        int row = c.globalIdx / lanes;
        int lane = Rows.lane(c, lanes);
        int item = c.localIdx;
        boolean exists = row < d.get(6);
        int goal = exists ? targets.get(d.get(1) + row) : ignoreIndex;
        boolean counts = goal != ignoreIndex;
        int n = counts ? width : 0;
        int in = d.get(0) + row * width;
        float chosen = counts ? logits.get(in + goal) : 0;

        float max = Float.NEGATIVE_INFINITY;
        float sum = 0;
        for (int i = lane; i < n; i += lanes) {
            float x = logits.get(in + i);
            if (x > max) {
                sum = sum * FloatMath.exp(max - x) + 1 + (x - x); // +∞ makes NaN of it, as ∞/∞ would
                max = x;
            } else if (x != Float.NEGATIVE_INFINITY) {
                sum += FloatMath.exp(x - max);
            }
        }
        maxima[item] = max;
        sums[item] = sum;
        c.localBarrier();
        for (int half = lanes >> 1; half > 0; half >>= 1) {
            if (lane < half) {
                float otherMax = maxima[item + half];
                float otherSum = sums[item + half];
                float both = otherMax > maxima[item] ? otherMax : maxima[item];
                sums[item] = relative(sums[item], maxima[item], both) + relative(otherSum, otherMax, both);
                maxima[item] = both;
            }
            c.localBarrier();
        }
        max = maxima[item - lane];
        sum = sums[item - lane];

        float logSum = TornadoMath.log(sum);
        if (exists && lane == 0) {
            // max − x is exact where it matters, and a small loss keeps its digits.
            loss.set(d.get(2) + row, counts ? logSum + (max - chosen) : 0);
            if (d.get(10) != 0) {
                logSumExp.set(d.get(3) + row, sum == 0 ? logSum : logSum + max);
            }
        }
        if (exists && d.get(12) != 0) {
            float factor = s.get(0);
            if (counts && d.get(11) != 0) {
                factor *= weights.get(d.get(4) + row);
            }
            int out = d.get(5) + row * width;
            for (int i = lane; i < width; i += lanes) {
                float gradient = 0;
                if (counts) {
                    float probability = FloatMath.exp(logits.get(in + i) - max) / sum;
                    gradient = factor * (i == goal ? probability - 1 : probability);
                }
                dlogits.set(out + i, gradient);
            }
        }
    }

    /** A sum of exponentials relative to {@code from}, relative to {@code to}, which is not smaller. */
    private static float relative(float sum, float from, float to) {
        return from == to ? sum : sum * FloatMath.exp(from - to);
    }

    @Override
    public void backward(
            Tensor logits,
            Tensor targets,
            int ignoreIndex,
            Tensor logSumExp,
            Tensor dloss,
            Tensor dlogits,
            boolean accumulate) {
        long width = logits.shape().get(1);
        Targets.check(targets, ignoreIndex, width);
        int[] ints = ints(logits.size(), width, ignoreIndex, flag(accumulate));
        launcher.run(GRADIENT, logits.size(), ints, floats(), logits, targets, logSumExp, dloss, dlogits);
    }

    /** An item for each element: {@code dloss·(exp(x − logSumExp) − onehot)}. */
    private static void gradientKernel(
            KernelContext c,
            IntArray d,
            FloatArray s,
            FloatArray logits,
            IntArray targets,
            FloatArray logSumExp,
            FloatArray dloss,
            FloatArray dlogits) {
        int i = c.globalIdx;
        if (i < d.get(5)) {
            int row = i / d.get(6);
            int goal = targets.get(d.get(1) + row);
            float gradient = 0;
            if (goal != d.get(7)) {
                float probability = FloatMath.exp(logits.get(d.get(0) + i) - logSumExp.get(d.get(2) + row));
                int column = i - row * d.get(6);
                gradient = dloss.get(d.get(3) + row) * (column == goal ? probability - 1 : probability);
            }
            Kernel.write(dlogits, d.get(4) + i, gradient, d.get(8));
        }
    }

    @Override
    public long count(Tensor targets, int ignoreIndex) {
        return Targets.count(targets, ignoreIndex);
    }
}
