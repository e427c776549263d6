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
 * {@link CrossEntropyKernels} over {@link Rows} of logits. The loss reads each logit once: a lane keeps the largest
 * logit so far and the sum of exponentials relative to it (Milakov &amp; Gimelshein 2018, "Online normalizer
 * calculation for softmax"). A tree then combines the pairs of all lanes.
 */
final class CrossEntropy implements CrossEntropyKernels {
    private static final Kernel FORWARD = Kernel.of("cross_entropy", CrossEntropy::lossKernel);
    private static final Kernel BACKWARD = Kernel.of("cross_entropy_backward", CrossEntropy::gradientKernel);

    // The descriptor: where the operands begin, then the integers of the launch.
    private static final int LOGITS = 0;
    private static final int TARGETS = 1;
    private static final int DLOGITS = 2;
    private static final int LOG_SUM_EXP = 3;
    private static final int DLOSS = 4;
    private static final int LOSS = 4;
    private static final int WEIGHTS = 5;
    private static final int ROWS = Kernel.INTS;
    private static final int N = Kernel.INTS;
    private static final int WIDTH = Kernel.INTS + 1;
    private static final int IGNORE_INDEX = Kernel.INTS + 2;
    private static final int LANES = Kernel.INTS + 3;
    private static final int ACCUMULATE = Kernel.INTS + 3;
    private static final int HAS_LOG = Kernel.INTS + 4;
    private static final int HAS_WEIGHTS = Kernel.INTS + 5;
    private static final int HAS_GRADIENT = Kernel.INTS + 6;

    // The floats of the launch.
    private static final int SCALE = 0;

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
                ignoreIndex,
                lanes,
                flag(logSumExp != null),
                flag(weights != null),
                flag(dlogits != null));
        launcher.run(
                FORWARD,
                targets.size() * lanes,
                ints,
                floats(scale),
                logits,
                targets,
                dlogits == null ? logits : dlogits,
                logSumExp == null ? loss : logSumExp,
                loss,
                weights == null ? loss : weights);
    }

    /**
     * The loss of a row, and its gradient {@code scale·weight·(exp(x − max)/sum − onehot)} if requested. Each lane
     * writes the gradient only of elements that it has read, so {@code dlogits} may be {@code logits}.
     */
    private static void lossKernel(
            KernelContext c,
            IntArray d,
            FloatArray s,
            FloatArray logits,
            IntArray targets,
            FloatArray dlogits,
            FloatArray logSumExp,
            FloatArray loss,
            FloatArray weights) {
        float[] maxima = c.allocateFloatLocalArray(Rows.GROUP);
        float[] sums = c.allocateFloatLocalArray(Rows.GROUP);
        int width = d.get(WIDTH);
        int lanes = d.get(LANES);
        int ignoreIndex = d.get(IGNORE_INDEX);
        int row = c.globalIdx / lanes;
        int lane = Rows.lane(c, lanes);
        int item = c.localIdx;
        boolean exists = row < d.get(ROWS);
        int goal = exists ? targets.get(d.get(TARGETS) + row) : ignoreIndex;
        boolean counts = goal != ignoreIndex;
        int n = counts ? width : 0;
        int in = d.get(LOGITS) + row * width;
        float chosen = counts ? logits.get(in + goal) : 0;

        float max = Float.NEGATIVE_INFINITY;
        float sum = 0;
        for (int i = lane; i < n; i += lanes) {
            float x = logits.get(in + i);
            if (x > max) {
                sum = sum * FloatMath.exp(max - x) + 1 + 0 * x; // a logit of +∞ gives NaN, as ∞/∞ does
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
            // Near the maximum max − x is exact, so a small loss keeps its precision.
            loss.set(d.get(LOSS) + row, counts ? logSum + (max - chosen) : 0);
            if (d.get(HAS_LOG) != 0) {
                logSumExp.set(d.get(LOG_SUM_EXP) + row, sum == 0 ? logSum : logSum + max);
            }
        }
        if (exists && d.get(HAS_GRADIENT) != 0) {
            float factor = s.get(SCALE);
            if (counts && d.get(HAS_WEIGHTS) != 0) {
                factor *= weights.get(d.get(WEIGHTS) + row);
            }
            int out = d.get(DLOGITS) + row * width;
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

    /**
     * Converts a sum of exponentials relative to {@code from} into one relative to {@code to}, which is not smaller.
     */
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
        launcher.run(BACKWARD, logits.size(), ints, floats(), logits, targets, dlogits, logSumExp, dloss);
    }

    /** {@code dloss·(exp(x − logSumExp) − onehot)}, one element per work-item. */
    private static void gradientKernel(
            KernelContext c,
            IntArray d,
            FloatArray s,
            FloatArray logits,
            IntArray targets,
            FloatArray dlogits,
            FloatArray logSumExp,
            FloatArray dloss) {
        int i = c.globalIdx;
        if (i < d.get(N)) {
            int row = i / d.get(WIDTH);
            int goal = targets.get(d.get(TARGETS) + row);
            float gradient = 0;
            if (goal != d.get(IGNORE_INDEX)) {
                float probability =
                        FloatMath.exp(logits.get(d.get(LOGITS) + i) - logSumExp.get(d.get(LOG_SUM_EXP) + row));
                int column = i - row * d.get(WIDTH);
                gradient = dloss.get(d.get(DLOSS) + row) * (column == goal ? probability - 1 : probability);
            }
            Kernel.write(dlogits, d.get(DLOGITS) + i, gradient, d.get(ACCUMULATE));
        }
    }

    @Override
    public long count(Tensor targets, int ignoreIndex) {
        return Targets.count(targets, ignoreIndex);
    }
}
