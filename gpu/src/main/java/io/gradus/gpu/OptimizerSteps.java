package io.gradus.gpu;

import static io.gradus.gpu.runtime.Launcher.flag;
import static io.gradus.gpu.runtime.Launcher.floats;
import static io.gradus.gpu.runtime.Launcher.ints;

import io.gradus.core.Tensor;
import io.gradus.core.kernel.AdamStep;
import io.gradus.core.kernel.OptimizerStepKernels;
import io.gradus.gpu.runtime.Kernel;
import io.gradus.gpu.runtime.Launcher;
import org.jspecify.annotations.Nullable;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/** {@link OptimizerStepKernels}, one weight per work-item. A step reads and writes each array once. */
final class OptimizerSteps implements OptimizerStepKernels {
    private static final Kernel SGD = Kernel.of("sgd", OptimizerSteps::sgdKernel);
    private static final Kernel MOMENTUM = Kernel.of("sgd_momentum", OptimizerSteps::momentumKernel);
    private static final Kernel ADAM = Kernel.of("adam", OptimizerSteps::adamKernel);

    private static final Kernel PROXIMAL = Kernel.of("proximal_step", OptimizerSteps::proximalKernel);

    // The descriptor: where the operands begin, then the integers of the launch.
    private static final int WEIGHTS = 0;
    private static final int ANCHORS = 1;
    private static final int GRADIENTS = 1;
    private static final int BUFFER = 2;
    private static final int IMPORTANCES = 2;
    private static final int MEANS = 2;
    private static final int SQUARES = 3;
    private static final int N = Kernel.INTS;
    private static final int IS_FIRST = Kernel.INTS + 1;
    private static final int HAS_IMPORTANCE = Kernel.INTS + 1;
    private static final int NESTEROV = Kernel.INTS + 2;

    // The floats of all methods.
    private static final int SCALE = 0;
    private static final int COUPLED = 1;

    // More floats of SGD.
    private static final int SGD_RATE = 2;
    private static final int MOMENTUM_FACTOR = 3;
    private static final int UNDAMPED = 4;

    // More floats of Adam, as AdamStep.Factors describes them.
    private static final int BETA1 = 2;
    private static final int REST1 = 3;
    private static final int BETA2 = 4;
    private static final int REST2 = 5;
    private static final int RATE = 6;
    private static final int ROOT = 7;
    private static final int EPSILON = 8;
    private static final int DECAY = 9;

    // The floats of the proximal step.
    private static final int STRENGTH = 0;
    private static final int FRACTION = 1;
    private static final int REST = 2;

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
            float[] constants = floats(gradientScale, settings.weightDecay(), settings.learningRate());
            launcher.run(SGD, n, ints(n), constants, parameter, gradient);
        } else {
            float[] constants = floats(
                    gradientScale,
                    settings.weightDecay(),
                    settings.learningRate(),
                    settings.momentum(),
                    1 - settings.dampening());
            int[] flags = ints(n, first ? 1 : 0, settings.nesterov() ? 1 : 0);
            launcher.run(MOMENTUM, n, flags, constants, parameter, gradient, buffer);
        }
    }

    private static void sgdKernel(KernelContext c, IntArray d, FloatArray s, FloatArray weights, FloatArray gradients) {
        int i = c.globalIdx;
        if (i < d.get(N)) {
            float w = weights.get(d.get(WEIGHTS) + i);
            float g = decayed(s, gradients.get(d.get(GRADIENTS) + i), w);
            weights.set(d.get(WEIGHTS) + i, w - s.get(SGD_RATE) * g);
        }
    }

    private static void momentumKernel(
            KernelContext c, IntArray d, FloatArray s, FloatArray weights, FloatArray gradients, FloatArray buffer) {
        int i = c.globalIdx;
        if (i < d.get(N)) {
            float w = weights.get(d.get(WEIGHTS) + i);
            float g = decayed(s, gradients.get(d.get(GRADIENTS) + i), w);
            float b = g;
            if (d.get(IS_FIRST) == 0) {
                b = s.get(MOMENTUM_FACTOR) * buffer.get(d.get(BUFFER) + i) + s.get(UNDAMPED) * g;
            }
            buffer.set(d.get(BUFFER) + i, b);
            float direction = b;
            if (d.get(NESTEROV) != 0) {
                direction = g + s.get(MOMENTUM_FACTOR) * b;
            }
            weights.set(d.get(WEIGHTS) + i, w - s.get(SGD_RATE) * direction);
        }
    }

    @Override
    public void adam(Tensor parameter, Tensor gradient, Tensor firstMoment, Tensor secondMoment, AdamStep step) {
        float[] constants = constants(step);
        long n = parameter.size();
        launcher.run(ADAM, n, ints(n), constants, parameter, gradient, firstMoment, secondMoment);
    }

    /** The floats of an Adam launch: the components of {@link AdamStep.Factors} in order. */
    static float[] constants(AdamStep step) {
        AdamStep.Factors k = step.factors();
        return new float[] {
            k.gradientScale(),
            k.coupledDecay(),
            k.beta1(),
            k.oneMinusBeta1(),
            k.beta2(),
            k.oneMinusBeta2(),
            k.stepSize(),
            k.inverseSqrtBiasCorrection2(),
            k.epsilon(),
            k.decoupledDecay()
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
        if (i < d.get(N)) {
            float w = weights.get(d.get(WEIGHTS) + i);
            float g = decayed(s, gradients.get(d.get(GRADIENTS) + i), w);
            float m = firstMoment(s, means.get(d.get(MEANS) + i), g);
            float v = secondMoment(s, squares.get(d.get(SQUARES) + i), g);
            means.set(d.get(MEANS) + i, m);
            squares.set(d.get(SQUARES) + i, v);
            weights.set(d.get(WEIGHTS) + i, updated(s, w, m, v));
        }
    }

    // ---- for kernels: the formulas of AdamStep.Factors, with the floats of constants(…) ----

    static float decayed(FloatArray s, float gradient, float weight) {
        return s.get(SCALE) * gradient + s.get(COUPLED) * weight;
    }

    static float firstMoment(FloatArray s, float mean, float gradient) {
        return s.get(BETA1) * mean + s.get(REST1) * gradient;
    }

    static float secondMoment(FloatArray s, float square, float gradient) {
        return s.get(BETA2) * square + s.get(REST2) * (gradient * gradient);
    }

    static float updated(FloatArray s, float weight, float mean, float square) {
        float change = s.get(RATE) * mean / (TornadoMath.sqrt(square) * s.get(ROOT) + s.get(EPSILON));
        return weight - (s.get(DECAY) * weight + change);
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
            AdamStep step) {
        float[] constants = constants(step);
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
                PROXIMAL,
                n,
                ints(n, flag(importance != null)),
                floats(strength, strength * rest, rest),
                parameter,
                anchor,
                importance == null ? anchor : importance);
    }

    /**
     * Moves each weight toward its anchor by the fraction k = s·F/(1 + s·F) of their distance. The result is computed
     * from the nearer end, so k = 1 gives the exact anchor. If F is 0, the weight does not change.
     */
    private static void proximalKernel(
            KernelContext c, IntArray d, FloatArray s, FloatArray weights, FloatArray anchors, FloatArray importances) {
        int i = c.globalIdx;
        if (i < d.get(N)) {
            float importance = 1;
            float fraction = s.get(FRACTION);
            float rest = s.get(REST);
            if (d.get(HAS_IMPORTANCE) != 0) {
                importance = importances.get(d.get(IMPORTANCES) + i);
                float force = s.get(STRENGTH) * importance;
                rest = 1 / (1 + force);
                fraction = force * rest;
            }
            if (importance != 0) {
                float w = weights.get(d.get(WEIGHTS) + i);
                float a = anchors.get(d.get(ANCHORS) + i);
                weights.set(d.get(WEIGHTS) + i, rest > 0.5f ? w - fraction * (w - a) : a + rest * (w - a));
            }
        }
    }
}
