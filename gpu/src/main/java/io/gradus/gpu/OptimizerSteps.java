package io.gradus.gpu;

import static io.gradus.gpu.runtime.Launcher.flag;
import static io.gradus.gpu.runtime.Launcher.floats;
import static io.gradus.gpu.runtime.Launcher.ints;

import io.gradus.core.Tensor;
import io.gradus.core.kernel.AdamConstants;
import io.gradus.core.kernel.OptimizerStepKernels;
import io.gradus.gpu.runtime.Kernel;
import io.gradus.gpu.runtime.Launcher;
import org.jspecify.annotations.Nullable;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/** {@link OptimizerStepKernels}, a work-item for each weight: every array is read once and written once. */
final class OptimizerSteps implements OptimizerStepKernels {
    private static final Kernel SGD = Kernel.of("sgd", OptimizerSteps::sgdKernel);
    private static final Kernel MOMENTUM = Kernel.of("sgd_momentum", OptimizerSteps::momentumKernel);
    private static final Kernel ADAM = Kernel.of("adam", OptimizerSteps::adamKernel);

    private static final Kernel PULL = Kernel.of("pull_towards", OptimizerSteps::pullKernel);

    private final Launcher launcher;
    private final AdafactorStep adafactor;
    private final Adam8bitStep adam8bit;

    OptimizerSteps(Launcher launcher) {
        this.launcher = launcher;
        adafactor = new AdafactorStep(launcher);
        adam8bit = new Adam8bitStep(launcher);
    }

    @Override
    public void sgd(
            Tensor parameter,
            Tensor gradient,
            @Nullable Tensor buffer,
            Sgd settings,
            double gradientScale,
            boolean first) {
        long n = parameter.size();
        if (buffer == null) {
            float[] constants = floats(settings.learningRate(), gradientScale, settings.weightDecay());
            launcher.run(SGD, n, ints(n), constants, parameter, gradient);
        } else {
            float[] constants = floats(
                    settings.learningRate(),
                    gradientScale,
                    settings.weightDecay(),
                    settings.momentum(),
                    1 - settings.dampening());
            int[] flags = ints(n, first ? 1 : 0, settings.nesterov() ? 1 : 0);
            launcher.run(MOMENTUM, n, flags, constants, parameter, gradient, buffer);
        }
    }

    private static void sgdKernel(KernelContext c, IntArray d, FloatArray s, FloatArray weights, FloatArray gradients) {
        int i = c.globalIdx;
        if (i < d.get(2)) {
            float w = weights.get(d.get(0) + i);
            float g = s.get(1) * gradients.get(d.get(1) + i) + s.get(2) * w;
            weights.set(d.get(0) + i, w - s.get(0) * g);
        }
    }

    private static void momentumKernel(
            KernelContext c, IntArray d, FloatArray s, FloatArray weights, FloatArray gradients, FloatArray buffer) {
        int i = c.globalIdx;
        if (i < d.get(3)) {
            float w = weights.get(d.get(0) + i);
            float g = s.get(1) * gradients.get(d.get(1) + i) + s.get(2) * w;
            float b = g;
            if (d.get(4) == 0) {
                b = s.get(3) * buffer.get(d.get(2) + i) + s.get(4) * g;
            }
            buffer.set(d.get(2) + i, b);
            float direction = b;
            if (d.get(5) != 0) {
                direction = g + s.get(3) * b;
            }
            weights.set(d.get(0) + i, w - s.get(0) * direction);
        }
    }

    @Override
    public void adam(
            Tensor parameter,
            Tensor gradient,
            Tensor firstMoment,
            Tensor secondMoment,
            Adam settings,
            double gradientScale,
            long step) {
        float[] constants = constants(settings, gradientScale, step);
        long n = parameter.size();
        launcher.run(ADAM, n, ints(n), constants, parameter, gradient, firstMoment, secondMoment);
    }

    /** The numbers of {@link AdamConstants} in their order, as a launch's floats. */
    static float[] constants(Adam settings, double gradientScale, long step) {
        AdamConstants k = AdamConstants.of(settings, gradientScale, step);
        return new float[] {
            k.scale(),
            k.coupled(),
            k.beta1(),
            k.rest1(),
            k.beta2(),
            k.rest2(),
            k.rate(),
            k.root(),
            k.epsilon(),
            k.decay()
        };
    }

    private static void adamKernel(
            KernelContext c,
            IntArray d,
            FloatArray s,
            FloatArray weights,
            FloatArray gradients,
            FloatArray means,
            FloatArray squares) {
        int i = c.globalIdx;
        if (i < d.get(4)) {
            float w = weights.get(d.get(0) + i);
            float g = decayed(s, gradients.get(d.get(1) + i), w);
            float m = mean(s, means.get(d.get(2) + i), g);
            float v = square(s, squares.get(d.get(3) + i), g);
            means.set(d.get(2) + i, m);
            squares.set(d.get(3) + i, v);
            weights.set(d.get(0) + i, moved(s, w, m, v));
        }
    }

    // The formulas of AdamConstants, for kernels whose floats are constants(…).

    static float decayed(FloatArray s, float gradient, float weight) {
        return s.get(0) * gradient + s.get(1) * weight;
    }

    static float mean(FloatArray s, float mean, float gradient) {
        return s.get(2) * mean + s.get(3) * gradient;
    }

    static float square(FloatArray s, float square, float gradient) {
        return s.get(4) * square + s.get(5) * (gradient * gradient);
    }

    static float moved(FloatArray s, float weight, float mean, float square) {
        float change = s.get(6) * mean / (TornadoMath.sqrt(square) * s.get(7) + s.get(8));
        return weight - (s.get(9) * weight + change);
    }

    @Override
    public void adafactor(
            Tensor parameter,
            Tensor gradient,
            Tensor variance,
            @Nullable Tensor columnVariance,
            Adafactor settings,
            double gradientScale,
            long step) {
        adafactor.run(parameter, gradient, variance, columnVariance, settings, gradientScale, step);
    }

    @Override
    public void adam8bit(
            Tensor parameter,
            Tensor gradient,
            Tensor firstCodes,
            Tensor firstLargest,
            Tensor secondCodes,
            Tensor secondLargest,
            Adam settings,
            double gradientScale,
            long step) {
        float[] constants = constants(settings, gradientScale, step);
        adam8bit.run(parameter, gradient, firstCodes, firstLargest, secondCodes, secondLargest, constants);
    }

    @Override
    public void proximalStep(Tensor parameter, Tensor anchor, @Nullable Tensor importance, double strength) {
        if (strength == 0) {
            return;
        }
        double rest = 1 / (1 + strength);
        long n = parameter.size();
        launcher.run(
                PULL,
                n,
                ints(n, flag(importance != null)),
                floats(strength, strength * rest, rest),
                parameter,
                anchor,
                importance == null ? anchor : importance);
    }

    /**
     * The weight goes the fraction k = s·F/(1 + s·F) of its way to the anchor, and 1 − k is left of the way. It is reckoned from
     * the nearer end, so that k = 1 gives the anchor to the bit; where F is 0 the weight is not touched.
     */
    private static void pullKernel(
            KernelContext c, IntArray d, FloatArray s, FloatArray weights, FloatArray anchors, FloatArray importances) {
        int i = c.globalIdx;
        if (i < d.get(3)) {
            float importance = 1;
            float fraction = s.get(1);
            float rest = s.get(2);
            if (d.get(4) != 0) {
                importance = importances.get(d.get(2) + i);
                float force = s.get(0) * importance;
                rest = 1 / (1 + force);
                fraction = force * rest;
            }
            if (importance != 0) {
                float w = weights.get(d.get(0) + i);
                float a = anchors.get(d.get(1) + i);
                weights.set(d.get(0) + i, rest > 0.5f ? w - fraction * (w - a) : a + rest * (w - a));
            }
        }
    }
}
