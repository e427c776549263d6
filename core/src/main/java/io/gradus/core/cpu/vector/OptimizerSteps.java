package io.gradus.core.cpu.vector;

import io.gradus.core.DType;
import io.gradus.core.Tensor;
import io.gradus.core.cpu.common.CpuStorage;
import io.gradus.core.cpu.common.Scratch;
import io.gradus.core.cpu.common.Workers;
import io.gradus.core.cpu.scalar.ProximalStep;
import io.gradus.core.kernel.AdamStep;
import io.gradus.core.kernel.OptimizerStepKernels;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import org.jspecify.annotations.Nullable;

/**
 * Optimizer steps in one pass that reads and writes each array once, limited only by memory bandwidth. Gradient clipping is a
 * factor in the same pass. Adafactor and 8-bit Adam use the scalar kernels.
 */
public final class OptimizerSteps implements OptimizerStepKernels {
    /** Elements in a chunk: 256 KiB of each array, long enough for hardware prefetching. */
    private static final long RUN = 1 << 16;

    /** Elements that are converted at a time: with their moments, they stay in the first-level cache. */
    private static final long PIECE = 1 << 11;

    private final Workers workers;
    private final OptimizerStepKernels scalar;

    public OptimizerSteps(Workers workers) {
        this.workers = workers;
        this.scalar = new io.gradus.core.cpu.scalar.OptimizerSteps(workers);
    }

    @Override
    public void sgd(
            Tensor parameter,
            Tensor gradient,
            @Nullable Tensor buffer,
            Sgd settings,
            double gradientScale,
            boolean first) {
        MemorySegment w = CpuStorage.of(parameter);
        MemorySegment g = CpuStorage.of(gradient);
        float scale = (float) gradientScale;
        float decay = (float) settings.weightDecay();
        float learningRate = (float) settings.learningRate();
        if (buffer == null) {
            workers.forEach(parameter.size(), RUN, (from, to) -> sgd(w, g, from, to, scale, decay, learningRate));
            return;
        }
        MemorySegment b = CpuStorage.of(buffer);
        float momentum = (float) settings.momentum();
        float gradientFactor = first ? 1 : (float) (1 - settings.dampening());
        workers.forEach(parameter.size(), RUN, (from, to) -> {
            if (first) {
                b.asSlice(from * 4, (to - from) * 4).fill((byte) 0);
            }
            if (settings.nesterov()) {
                nesterov(w, g, b, from, to, scale, decay, momentum, gradientFactor, learningRate);
            } else {
                momentum(w, g, b, from, to, scale, decay, momentum, gradientFactor, learningRate);
            }
        });
    }

    @Override
    public void adam(Tensor parameter, Tensor gradient, Tensor firstMoment, Tensor secondMoment, AdamStep step) {
        adam(parameter, gradient, firstMoment, secondMoment, step, null);
    }

    @Override
    public void adamOfMaster(
            Tensor master, Tensor gradient, Tensor firstMoment, Tensor secondMoment, AdamStep step, Tensor rounded) {
        adam(master, gradient, firstMoment, secondMoment, step, rounded);
    }

    /** Arrays of 16 bits are converted piece by piece, while the floats are in the first-level cache. */
    private void adam(
            Tensor parameter,
            Tensor gradient,
            Tensor firstMoment,
            Tensor secondMoment,
            AdamStep step,
            @Nullable Tensor rounded) {
        AdamStep.Factors factors = step.factors();
        MemorySegment w = CpuStorage.of(parameter);
        MemorySegment g = CpuStorage.of(gradient);
        MemorySegment m = CpuStorage.of(firstMoment);
        MemorySegment v = CpuStorage.of(secondMoment);
        MemorySegment r = rounded == null ? MemorySegment.NULL : CpuStorage.of(rounded);
        boolean exact = gradient.dtype() == DType.F32;
        if (exact && rounded == null) {
            workers.forEach(parameter.size(), RUN, (from, to) -> adam(w, m, v, from, to, g, from, factors));
            return;
        }
        workers.forEach(parameter.size(), RUN, (from, to) -> {
            MemorySegment floats = exact ? g : Scratch.ofThread().memory(Scratch.CONVERTED, PIECE);
            for (long at = from; at < to; at += PIECE) {
                long end = Math.min(to, at + PIECE);
                if (!exact) {
                    Halves.widen(g, gradient.dtype(), at, floats, 0, end - at);
                }
                adam(w, m, v, at, end, floats, exact ? at : 0, factors);
                if (rounded != null) {
                    Halves.narrow(w, at, r, rounded.dtype(), at, end - at);
                }
            }
        });
    }

    @Override
    public boolean adamReads(DType gradient) {
        return gradient.isFloating();
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
        scalar.adafactor(parameter, gradient, variance, columnVariance, settings, gradientScale, step);
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
        scalar.adam8bit(parameter, gradient, firstCodes, firstLargest, secondCodes, secondLargest, step);
    }

    @Override
    public void proximalStep(Tensor parameter, Tensor anchor, @Nullable Tensor importance, double strength) {
        if (strength == 0) {
            return;
        }
        ProximalStep step = ProximalStep.of(strength);
        MemorySegment w = CpuStorage.of(parameter);
        MemorySegment a = CpuStorage.of(anchor);
        if (importance == null) {
            boolean fromWeight = step.rest() > 0.5f;
            workers.forEach(parameter.size(), RUN, (from, to) -> {
                if (fromWeight) {
                    proximal(w, a, w, from, to, -step.fraction());
                } else {
                    proximal(w, a, a, from, to, step.rest());
                }
            });
        } else {
            MemorySegment f = CpuStorage.of(importance);
            workers.forEach(parameter.size(), RUN, (from, to) -> weightedProximal(w, a, f, from, to, step.strength()));
        }
    }

    // ---- loops over whole vectors and a masked remainder ----

    private static void sgd(
            MemorySegment w, MemorySegment g, long from, long to, float scale, float decay, float learningRate) {
        long at = from;
        for (; at <= to - Lanes.COUNT; at += Lanes.COUNT) {
            FloatVector weight = Lanes.load(w, at);
            FloatVector gradient = decayed(Lanes.load(g, at), weight, scale, decay);
            Lanes.store(gradient.fma(Lanes.broadcast(-learningRate), weight), w, at);
        }
        if (at < to) {
            VectorMask<Float> rest = Lanes.first(to - at);
            FloatVector weight = Lanes.load(w, at, rest);
            FloatVector gradient = decayed(Lanes.load(g, at, rest), weight, scale, decay);
            Lanes.store(gradient.fma(Lanes.broadcast(-learningRate), weight), w, at, rest);
        }
    }

    /** Momentum: the weight moves along the buffer b. */
    private static void momentum(
            MemorySegment w,
            MemorySegment g,
            MemorySegment b,
            long from,
            long to,
            float scale,
            float decay,
            float momentum,
            float gradientFactor,
            float learningRate) {
        long at = from;
        for (; at <= to - Lanes.COUNT; at += Lanes.COUNT) {
            FloatVector weight = Lanes.load(w, at);
            FloatVector gradient = decayed(Lanes.load(g, at), weight, scale, decay);
            FloatVector velocity = blend(Lanes.load(b, at), momentum, gradient, gradientFactor);
            Lanes.store(velocity, b, at);
            Lanes.store(velocity.fma(Lanes.broadcast(-learningRate), weight), w, at);
        }
        if (at < to) {
            VectorMask<Float> rest = Lanes.first(to - at);
            FloatVector weight = Lanes.load(w, at, rest);
            FloatVector gradient = decayed(Lanes.load(g, at, rest), weight, scale, decay);
            FloatVector velocity = blend(Lanes.load(b, at, rest), momentum, gradient, gradientFactor);
            Lanes.store(velocity, b, at, rest);
            Lanes.store(velocity.fma(Lanes.broadcast(-learningRate), weight), w, at, rest);
        }
    }

    /** Nesterov momentum: the weight moves along the gradient plus the buffer b. */
    private static void nesterov(
            MemorySegment w,
            MemorySegment g,
            MemorySegment b,
            long from,
            long to,
            float scale,
            float decay,
            float momentum,
            float gradientFactor,
            float learningRate) {
        long at = from;
        for (; at <= to - Lanes.COUNT; at += Lanes.COUNT) {
            FloatVector weight = Lanes.load(w, at);
            FloatVector gradient = decayed(Lanes.load(g, at), weight, scale, decay);
            FloatVector velocity = blend(Lanes.load(b, at), momentum, gradient, gradientFactor);
            Lanes.store(velocity, b, at);
            FloatVector direction = velocity.fma(Lanes.broadcast(momentum), gradient);
            Lanes.store(direction.fma(Lanes.broadcast(-learningRate), weight), w, at);
        }
        if (at < to) {
            VectorMask<Float> rest = Lanes.first(to - at);
            FloatVector weight = Lanes.load(w, at, rest);
            FloatVector gradient = decayed(Lanes.load(g, at, rest), weight, scale, decay);
            FloatVector velocity = blend(Lanes.load(b, at, rest), momentum, gradient, gradientFactor);
            Lanes.store(velocity, b, at, rest);
            FloatVector direction = velocity.fma(Lanes.broadcast(momentum), gradient);
            Lanes.store(direction.fma(Lanes.broadcast(-learningRate), weight), w, at, rest);
        }
    }

    /** Elements from {@code from} to {@code to}; their gradients are in memory from {@code gradientFrom}. */
    private static void adam(
            MemorySegment w,
            MemorySegment m,
            MemorySegment v,
            long from,
            long to,
            MemorySegment g,
            long gradientFrom,
            AdamStep.Factors factors) {
        float scale = factors.gradientScale();
        float coupled = factors.coupledDecay();
        float beta1 = factors.beta1();
        float oneMinusBeta1 = factors.oneMinusBeta1();
        float beta2 = factors.beta2();
        float oneMinusBeta2 = factors.oneMinusBeta2();
        float stepSize = factors.stepSize();
        float inverseSqrtCorrection2 = factors.inverseSqrtBiasCorrection2();
        float epsilon = factors.epsilon();
        float decay = factors.decoupledDecay();
        long shift = gradientFrom - from;
        long at = from;
        for (; at <= to - Lanes.COUNT; at += Lanes.COUNT) {
            FloatVector weight = Lanes.load(w, at);
            FloatVector gradient = decayed(Lanes.load(g, at + shift), weight, scale, coupled);
            FloatVector mean = blend(Lanes.load(m, at), beta1, gradient, oneMinusBeta1);
            FloatVector square = blend(Lanes.load(v, at), beta2, gradient.mul(gradient), oneMinusBeta2);
            Lanes.store(mean, m, at);
            Lanes.store(square, v, at);
            Lanes.store(adam(weight, mean, square, stepSize, inverseSqrtCorrection2, epsilon, decay), w, at);
        }
        if (at < to) {
            VectorMask<Float> rest = Lanes.first(to - at);
            FloatVector weight = Lanes.load(w, at, rest);
            FloatVector gradient = decayed(Lanes.load(g, at + shift, rest), weight, scale, coupled);
            FloatVector mean = blend(Lanes.load(m, at, rest), beta1, gradient, oneMinusBeta1);
            FloatVector square = blend(Lanes.load(v, at, rest), beta2, gradient.mul(gradient), oneMinusBeta2);
            Lanes.store(mean, m, at, rest);
            Lanes.store(square, v, at, rest);
            Lanes.store(adam(weight, mean, square, stepSize, inverseSqrtCorrection2, epsilon, decay), w, at, rest);
        }
    }

    /** {@code w = origin + factor·(w − a)}, where origin is w or a. */
    private static void proximal(
            MemorySegment w, MemorySegment a, MemorySegment origin, long from, long to, float factor) {
        long at = from;
        for (; at <= to - Lanes.COUNT; at += Lanes.COUNT) {
            FloatVector difference = Lanes.load(w, at).sub(Lanes.load(a, at));
            Lanes.store(difference.fma(Lanes.broadcast(factor), Lanes.load(origin, at)), w, at);
        }
        if (at < to) {
            VectorMask<Float> rest = Lanes.first(to - at);
            FloatVector difference = Lanes.load(w, at, rest).sub(Lanes.load(a, at, rest));
            Lanes.store(difference.fma(Lanes.broadcast(factor), Lanes.load(origin, at, rest)), w, at, rest);
        }
    }

    private static void weightedProximal(
            MemorySegment w, MemorySegment a, MemorySegment f, long from, long to, float strength) {
        long at = from;
        for (; at <= to - Lanes.COUNT; at += Lanes.COUNT) {
            Lanes.store(proximal(Lanes.load(w, at), Lanes.load(a, at), Lanes.load(f, at), strength), w, at);
        }
        if (at < to) {
            VectorMask<Float> rest = Lanes.first(to - at);
            FloatVector pulled =
                    proximal(Lanes.load(w, at, rest), Lanes.load(a, at, rest), Lanes.load(f, at, rest), strength);
            Lanes.store(pulled, w, at, rest);
        }
    }

    // ---- one vector ----

    /** {@link ProximalStep} with a separate strength in each lane; 0 · ∞ is masked. */
    private static FloatVector proximal(
            FloatVector weight, FloatVector anchor, FloatVector importance, float strength) {
        FloatVector force = importance.mul(Lanes.broadcast(strength));
        FloatVector rest = Lanes.broadcast(1).div(force.add(Lanes.broadcast(1)));
        FloatVector difference = weight.sub(anchor);
        FloatVector near = weight.sub(difference.mul(force.mul(rest)));
        FloatVector far = difference.fma(rest, anchor);
        FloatVector pulled = far.blend(near, rest.compare(VectorOperators.GT, 0.5f));
        return pulled.blend(weight, importance.compare(VectorOperators.EQ, 0));
    }

    /** {@code scale·g + decay·w}; the second product is fused. */
    private static FloatVector decayed(FloatVector gradient, FloatVector weight, float scale, float decay) {
        return weight.fma(Lanes.broadcast(decay), gradient.mul(Lanes.broadcast(scale)));
    }

    /** {@code factorA·a + factorB·b}. */
    private static FloatVector blend(FloatVector a, float factorA, FloatVector b, float factorB) {
        return b.fma(Lanes.broadcast(factorB), a.mul(Lanes.broadcast(factorA)));
    }

    /** {@code w − (stepSize·m/(√v·inverseSqrtCorrection2 + epsilon) + decay·w)}. */
    private static FloatVector adam(
            FloatVector weight,
            FloatVector mean,
            FloatVector square,
            float stepSize,
            float inverseSqrtCorrection2,
            float epsilon,
            float decay) {
        FloatVector denominator = square.sqrt().fma(Lanes.broadcast(inverseSqrtCorrection2), Lanes.broadcast(epsilon));
        FloatVector update = mean.mul(Lanes.broadcast(stepSize)).div(denominator);
        return weight.sub(weight.fma(Lanes.broadcast(decay), update));
    }
}
