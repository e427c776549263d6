package io.gradus.gpu;

import static io.gradus.gpu.runtime.Launcher.flag;
import static io.gradus.gpu.runtime.Launcher.floats;
import static io.gradus.gpu.runtime.Launcher.ints;

import io.gradus.core.Tensor;
import io.gradus.core.kernel.SoftmaxKernels;
import io.gradus.gpu.math.FloatMath;
import io.gradus.gpu.runtime.Kernel;
import io.gradus.gpu.runtime.Launcher;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/** {@link SoftmaxKernels} over {@link Rows}: each step reads its rows once. */
final class Softmax implements SoftmaxKernels {
    private static final Kernel FORWARD = Kernel.of("softmax", Softmax::forwardKernel);
    private static final Kernel BACKWARD = Kernel.of("softmax_backward", Softmax::backwardKernel);

    // The descriptor: where the operands begin, then the integers of the launch.
    private static final int Y = 0;
    private static final int DY = 1;
    private static final int X = 1;
    private static final int DX = 2;
    private static final int ROWS = Kernel.INTS;
    private static final int WIDTH = Kernel.INTS + 1;
    private static final int LANES = Kernel.INTS + 2;
    private static final int LOG = Kernel.INTS + 3;
    private static final int ACCUMULATE = Kernel.INTS + 4;

    private final Launcher launcher;

    Softmax(Launcher launcher) {
        this.launcher = launcher;
    }

    @Override
    public void softmax(Tensor x, Tensor y) {
        forward(x, y, false);
    }

    @Override
    public void logSoftmax(Tensor x, Tensor y) {
        forward(x, y, true);
    }

    private void forward(Tensor x, Tensor y, boolean log) {
        int lanes = Rows.lanes(x.shape().last());
        int[] ints = ints(x.shape().rows(), x.shape().last(), lanes, flag(log));
        launcher.run(FORWARD, x.shape().rows() * lanes, ints, floats(), y, x);
    }

    /** Finds the largest element, sums the exponentials relative to it, and writes the result. */
    private static void forwardKernel(KernelContext c, IntArray d, FloatArray s, FloatArray y, FloatArray x) {
        int lanes = d.get(LANES);
        int row = c.globalIdx / lanes;
        int lane = Rows.lane(c, lanes);
        int n = row < d.get(ROWS) ? d.get(WIDTH) : 0;
        int in = d.get(X) + row * n;
        int out = d.get(Y) + row * n;

        float largest = Float.NEGATIVE_INFINITY;
        for (int i = lane; i < n; i += lanes) {
            float value = x.get(in + i);
            largest = value > largest ? value : largest;
        }
        float max = Rows.max(c, lanes, largest);

        float part = 0;
        for (int i = lane; i < n; i += lanes) {
            part += FloatMath.exp(x.get(in + i) - max);
        }
        float sum = Rows.sum(c, lanes, part);

        if (d.get(LOG) != 0) {
            // Two subtractions: the first is exact near the largest element, where accuracy matters.
            float logSum = TornadoMath.log(sum);
            for (int i = lane; i < n; i += lanes) {
                y.set(out + i, x.get(in + i) - max - logSum);
            }
        } else {
            float scale = 1 / sum;
            for (int i = lane; i < n; i += lanes) {
                y.set(out + i, FloatMath.exp(x.get(in + i) - max) * scale);
            }
        }
    }

    @Override
    public void softmaxBackward(Tensor y, Tensor dy, Tensor dx, boolean accumulate) {
        backward(y, dy, dx, accumulate, false);
    }

    @Override
    public void logSoftmaxBackward(Tensor y, Tensor dy, Tensor dx, boolean accumulate) {
        backward(y, dy, dx, accumulate, true);
    }

    private void backward(Tensor y, Tensor dy, Tensor dx, boolean accumulate, boolean log) {
        int lanes = Rows.lanes(y.shape().last());
        int[] ints = ints(y.shape().rows(), y.shape().last(), lanes, flag(log), flag(accumulate));
        launcher.run(BACKWARD, y.shape().rows() * lanes, ints, floats(), y, dy, dx);
    }

    /** {@code y ⊙ (dy − Σ y ⊙ dy)} for softmax, {@code dy − exp(y)·Σ dy} for log-softmax. */
    private static void backwardKernel(
            KernelContext c, IntArray d, FloatArray s, FloatArray y, FloatArray dy, FloatArray dx) {
        int lanes = d.get(LANES);
        int row = c.globalIdx / lanes;
        int lane = Rows.lane(c, lanes);
        int n = row < d.get(ROWS) ? d.get(WIDTH) : 0;
        int result = d.get(Y) + row * n;
        int outer = d.get(DY) + row * n;
        int target = d.get(DX) + row * n;
        int accumulate = d.get(ACCUMULATE);
        boolean log = d.get(LOG) != 0;

        float part = 0;
        for (int i = lane; i < n; i += lanes) {
            float gradient = dy.get(outer + i);
            part += log ? gradient : y.get(result + i) * gradient;
        }
        float sum = Rows.sum(c, lanes, part);

        for (int i = lane; i < n; i += lanes) {
            float value = y.get(result + i);
            float gradient = dy.get(outer + i);
            float next = log ? gradient - FloatMath.exp(value) * sum : value * (gradient - sum);
            Kernel.write(dx, target + i, next, accumulate);
        }
    }
}
