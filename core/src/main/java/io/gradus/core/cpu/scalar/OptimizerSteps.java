package io.gradus.core.cpu.scalar;

import io.gradus.core.DType;
import io.gradus.core.HostCast;
import io.gradus.core.Tensor;
import io.gradus.core.cpu.common.CpuStorage;
import io.gradus.core.cpu.common.Workers;
import io.gradus.core.kernel.AdamStep;
import io.gradus.core.kernel.OptimizerStepKernels;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** Optimizer steps that read and write each array once. Constants are computed in double, elements in float. */
public final class OptimizerSteps implements OptimizerStepKernels {
    private final Workers workers;

    public OptimizerSteps(Workers workers) {
        this.workers = workers;
    }

    @Override
    public void sgd(
            Tensor parameter,
            Tensor gradient,
            @Nullable Tensor buffer,
            Sgd settings,
            double gradientScale,
            boolean first) {
        MemorySegment weights = CpuStorage.of(parameter);
        MemorySegment gradients = CpuStorage.of(gradient);
        MemorySegment momenta = buffer == null ? null : CpuStorage.of(buffer);
        float learningRate = (float) settings.learningRate();
        float momentum = (float) settings.momentum();
        float gradientFactor = (float) (1 - settings.dampening());
        Chunks.elements(workers, parameter.size(), (scratch, from, n) -> {
            float[] w = scratch.floats(0, n);
            float[] g = scratch.floats(1, n);
            CpuStorage.load(weights, from, w, n);
            CpuStorage.load(gradients, from, g, n);
            decayed(g, w, (float) gradientScale, (float) settings.weightDecay(), n);
            float[] direction = g;
            if (momenta != null) {
                float[] b = scratch.floats(2, n);
                if (first) {
                    System.arraycopy(g, 0, b, 0, n);
                } else {
                    CpuStorage.load(momenta, from, b, n);
                    blend(b, momentum, g, gradientFactor, n);
                }
                CpuStorage.store(b, momenta, from, n);
                if (settings.nesterov()) {
                    blend(g, 1, b, momentum, n);
                } else {
                    direction = b;
                }
            }
            blend(w, 1, direction, -learningRate, n);
            CpuStorage.store(w, weights, from, n);
        });
    }

    /** {@code g = scale·g + decay·w}. */
    private static void decayed(float[] g, float[] w, float scale, float decay, int n) {
        for (int i = 0; i < n; i++) {
            g[i] = Math.fma(decay, w[i], scale * g[i]);
        }
    }

    /** {@code a = factorA·a + factorB·b}. */
    private static void blend(float[] a, float factorA, float[] b, float factorB, int n) {
        for (int i = 0; i < n; i++) {
            a[i] = Math.fma(factorB, b[i], factorA * a[i]);
        }
    }

    @Override
    public void adam(Tensor parameter, Tensor gradient, Tensor firstMoment, Tensor secondMoment, AdamStep step) {
        AdamStep.Factors factors = step.factors();
        MemorySegment weights = CpuStorage.of(parameter);
        MemorySegment gradients = CpuStorage.of(gradient);
        MemorySegment means = CpuStorage.of(firstMoment);
        MemorySegment squares = CpuStorage.of(secondMoment);
        Chunks.elements(workers, parameter.size(), (scratch, from, n) -> {
            float[] w = scratch.floats(0, n);
            float[] g = scratch.floats(1, n);
            float[] m = scratch.floats(2, n);
            float[] v = scratch.floats(3, n);
            CpuStorage.load(weights, from, w, n);
            HostCast.convert(
                    gradients.asSlice(from * gradient.dtype().bytes()),
                    gradient.dtype(),
                    MemorySegment.ofArray(g),
                    DType.F32,
                    n);
            CpuStorage.load(means, from, m, n);
            CpuStorage.load(squares, from, v, n);
            adam(w, g, m, v, n, factors);
            CpuStorage.store(w, weights, from, n);
            CpuStorage.store(m, means, from, n);
            CpuStorage.store(v, squares, from, n);
        });
    }

    @Override
    public boolean adamReads(DType gradient) {
        return gradient.isFloating();
    }

    /** One step for n weights, moments and gradients; the gradients are overwritten. */
    static void adam(float[] w, float[] g, float[] m, float[] v, int n, AdamStep.Factors factors) {
        decayed(g, w, factors.gradientScale(), factors.coupledDecay(), n);
        blend(m, factors.beta1(), g, factors.oneMinusBeta1(), n);
        squares(v, g, factors.beta2(), factors.oneMinusBeta2(), n);
        update(
                w,
                m,
                v,
                factors.stepSize(),
                factors.inverseSqrtBiasCorrection2(),
                factors.epsilon(),
                factors.decoupledDecay(),
                n);
    }

    /** {@code v = beta2·v + oneMinusBeta2·g²}. */
    private static void squares(float[] v, float[] g, float beta2, float oneMinusBeta2, int n) {
        for (int i = 0; i < n; i++) {
            v[i] = Math.fma(g[i] * g[i], oneMinusBeta2, beta2 * v[i]);
        }
    }

    private static void update(
            float[] w,
            float[] m,
            float[] v,
            float stepSize,
            float inverseSqrtCorrection2,
            float epsilon,
            float decay,
            int n) {
        for (int i = 0; i < n; i++) {
            w[i] -= Math.fma(
                    decay, w[i], stepSize * m[i] / Math.fma((float) Math.sqrt(v[i]), inverseSqrtCorrection2, epsilon));
        }
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
        AdafactorStep.run(workers, parameter, gradient, variance, columnVariance, settings, gradientScale, step);
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
        AdamStep.Factors factors = step.factors();
        Adam8bitStep.run(workers, parameter, gradient, firstCodes, firstLargest, secondCodes, secondLargest, factors);
    }

    @Override
    public void proximalStep(Tensor parameter, Tensor anchor, @Nullable Tensor importance, double strength) {
        if (strength == 0) {
            return;
        }
        ProximalStep step = ProximalStep.of(strength);
        MemorySegment weights = CpuStorage.of(parameter);
        MemorySegment anchors = CpuStorage.of(anchor);
        MemorySegment factors = importance == null ? null : CpuStorage.of(importance);
        Chunks.elements(workers, parameter.size(), (scratch, from, n) -> {
            float[] w = scratch.floats(0, n);
            float[] a = scratch.floats(1, n);
            CpuStorage.load(weights, from, w, n);
            CpuStorage.load(anchors, from, a, n);
            if (factors == null) {
                proximal(w, a, step.fraction(), step.rest(), n);
            } else {
                float[] f = scratch.floats(2, n);
                CpuStorage.load(factors, from, f, n);
                proximal(w, a, f, step.strength(), n);
            }
            CpuStorage.store(w, weights, from, n);
        });
    }

    private static void proximal(float[] w, float[] a, float fraction, float rest, int n) {
        for (int i = 0; i < n; i++) {
            w[i] = ProximalStep.towards(w[i], a[i], fraction, rest);
        }
    }

    private static void proximal(float[] w, float[] a, float[] importance, float strength, int n) {
        for (int i = 0; i < n; i++) {
            if (importance[i] != 0) {
                float force = strength * importance[i];
                float rest = 1 / (1 + force);
                w[i] = ProximalStep.towards(w[i], a[i], force * rest, rest);
            }
        }
    }
}
