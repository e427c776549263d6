package io.gradus.core.cpu;

import io.gradus.core.Tensor;
import io.gradus.core.kernel.OptimizerStepKernels;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** Optimiser steps: each array is read once and written once. Constants are worked out in double, elements in float. */
final class ScalarOptimizerSteps implements OptimizerStepKernels {
    private final Workers workers;

    ScalarOptimizerSteps(Workers workers) {
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
        Tensor[] state = buffer == null ? new Tensor[0] : new Tensor[] {buffer};
        OptimizerStepKernels.check("sgd", parameter, gradient, state);
        MemorySegment weights = CpuStorage.of(parameter);
        MemorySegment gradients = CpuStorage.of(gradient);
        MemorySegment momenta = buffer == null ? null : CpuStorage.of(buffer);
        float rate = (float) settings.learningRate();
        float momentum = (float) settings.momentum();
        float take = (float) (1 - settings.dampening());
        Chunks.elements(workers, parameter.size(), (scratch, from, n) -> {
            float[] w = scratch.floats(0, n);
            float[] g = scratch.floats(1, n);
            CpuStorage.load(weights, from, w, n);
            CpuStorage.load(gradients, from, g, n);
            decayed(g, w, gradientScale, settings.weightDecay(), n);
            float[] direction = g;
            if (momenta != null) {
                float[] b = scratch.floats(2, n);
                if (first) {
                    System.arraycopy(g, 0, b, 0, n);
                } else {
                    CpuStorage.load(momenta, from, b, n);
                    blend(b, momentum, g, take, n);
                }
                CpuStorage.store(b, momenta, from, n);
                if (settings.nesterov()) {
                    blend(g, 1, b, momentum, n);
                } else {
                    direction = b;
                }
            }
            blend(w, 1, direction, -rate, n);
            CpuStorage.store(w, weights, from, n);
        });
    }

    /** {@code g = scale·g + decay·w}, in double: the two may cancel, and Adam makes a full step of what is left. */
    private static void decayed(float[] g, float[] w, double scale, double decay, int n) {
        if (decay == 0) {
            FloatMath.scale(g, (float) scale, n);
            return;
        }
        for (int i = 0; i < n; i++) {
            g[i] = (float) (scale * g[i] + decay * w[i]);
        }
    }

    /** {@code a = keep·a + take·b}. */
    private static void blend(float[] a, float keep, float[] b, float take, int n) {
        for (int i = 0; i < n; i++) {
            a[i] = Math.fma(take, b[i], keep * a[i]);
        }
    }

    /**
     * With the corrections of bias drawn into two constants:
     * {@code θ −= rate·m/(√v·root + ε)}, {@code rate = learningRate/(1 − β₁ᵗ)}, {@code root = 1/√(1 − β₂ᵗ)}.
     */
    @Override
    public void adam(
            Tensor parameter,
            Tensor gradient,
            Tensor firstMoment,
            Tensor secondMoment,
            Adam settings,
            double gradientScale,
            long step) {
        OptimizerStepKernels.check("adam", parameter, gradient, firstMoment, secondMoment);
        if (step < 1) {
            throw new IllegalArgumentException("adam: steps are counted from 1, not " + step);
        }
        MemorySegment weights = CpuStorage.of(parameter);
        MemorySegment gradients = CpuStorage.of(gradient);
        MemorySegment means = CpuStorage.of(firstMoment);
        MemorySegment squares = CpuStorage.of(secondMoment);
        double coupled = settings.decoupled() ? 0 : settings.weightDecay();
        float keep = settings.decoupled() ? (float) (1 - settings.learningRate() * settings.weightDecay()) : 1;
        float rate = (float) (settings.learningRate() / (1 - Math.pow(settings.beta1(), step)));
        float root = (float) (1 / Math.sqrt(1 - Math.pow(settings.beta2(), step)));
        float epsilon = (float) settings.epsilon();
        Chunks.elements(workers, parameter.size(), (scratch, from, n) -> {
            float[] w = scratch.floats(0, n);
            float[] g = scratch.floats(1, n);
            float[] m = scratch.floats(2, n);
            float[] v = scratch.floats(3, n);
            CpuStorage.load(weights, from, w, n);
            CpuStorage.load(gradients, from, g, n);
            CpuStorage.load(means, from, m, n);
            CpuStorage.load(squares, from, v, n);
            decayed(g, w, gradientScale, coupled, n);
            moments(g, m, v, settings, n);
            update(w, m, v, keep, rate, root, epsilon, n);
            CpuStorage.store(w, weights, from, n);
            CpuStorage.store(m, means, from, n);
            CpuStorage.store(v, squares, from, n);
        });
    }

    private static void moments(float[] g, float[] m, float[] v, Adam settings, int n) {
        float beta1 = (float) settings.beta1();
        float beta2 = (float) settings.beta2();
        float rest1 = (float) (1 - settings.beta1());
        float rest2 = (float) (1 - settings.beta2());
        for (int i = 0; i < n; i++) {
            m[i] = Math.fma(rest1, g[i], beta1 * m[i]);
            v[i] = Math.fma(rest2 * g[i], g[i], beta2 * v[i]);
        }
    }

    private static void update(
            float[] w, float[] m, float[] v, float keep, float rate, float root, float epsilon, int n) {
        for (int i = 0; i < n; i++) {
            w[i] = keep * w[i] - rate * m[i] / Math.fma((float) Math.sqrt(v[i]), root, epsilon);
        }
    }
}
