package io.gradus.core.meta;

import io.gradus.core.AttentionOptions;
import io.gradus.core.Philox;
import io.gradus.core.RopeLayout;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.AttentionKernels;
import io.gradus.core.kernel.CastKernels;
import io.gradus.core.kernel.Checks;
import io.gradus.core.kernel.CrossEntropyKernels;
import io.gradus.core.kernel.ElementwiseKernels;
import io.gradus.core.kernel.EmbeddingKernels;
import io.gradus.core.kernel.GemmKernels;
import io.gradus.core.kernel.MovementKernels;
import io.gradus.core.kernel.NormalizationKernels;
import io.gradus.core.kernel.OptimizerStepKernels;
import io.gradus.core.kernel.RandomKernels;
import io.gradus.core.kernel.ReductionKernels;
import io.gradus.core.kernel.RotaryKernels;
import io.gradus.core.kernel.SoftmaxKernels;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** All kernel families: the checks of each kernel, and nothing after them. Where a number is asked for, it is that of ones. */
final class MetaKernels
        implements GemmKernels,
                ElementwiseKernels,
                ReductionKernels,
                SoftmaxKernels,
                CrossEntropyKernels,
                NormalizationKernels,
                RotaryKernels,
                AttentionKernels,
                EmbeddingKernels,
                MovementKernels,
                RandomKernels,
                OptimizerStepKernels,
                CastKernels {

    // ---- products ----

    @Override
    public void matmul(Tensor a, boolean transposeA, Tensor b, boolean transposeB, Tensor out, boolean accumulate) {
        GemmKernels.check(a, transposeA, b, transposeB, out);
    }

    // ---- element by element ----

    @Override
    public void unary(Unary op, Tensor x, Tensor out) {
        ElementwiseKernels.check(op, x, out);
    }

    @Override
    public void unaryBackward(Unary op, Tensor x, Tensor y, Tensor dy, Tensor dx, boolean accumulate) {
        ElementwiseKernels.check(op, x, y, dy, dx);
    }

    @Override
    public void binary(Binary op, Tensor a, Tensor b, Tensor out, boolean accumulate) {
        ElementwiseKernels.check(op, a, b, out);
    }

    @Override
    public void affine(Tensor x, double scale, double shift, Tensor out, boolean accumulate) {
        ElementwiseKernels.checkAffine(x, out);
    }

    @Override
    public void where(Tensor condition, Tensor a, Tensor b, Tensor out, boolean accumulate) {
        ElementwiseKernels.checkWhere(condition, a, b, out);
    }

    @Override
    public void swiglu(Tensor gate, Tensor up, Tensor out) {
        ElementwiseKernels.checkSwiglu(gate, up, out);
    }

    @Override
    public void swigluBackward(
            Tensor gate, Tensor up, Tensor dy, Tensor dgate, boolean accumulateGate, Tensor dup, boolean accumulateUp) {
        ElementwiseKernels.checkSwiglu(gate, up, dy, dgate, dup);
    }

    @Override
    public void fill(Tensor out, double value) {
        out.storage(); // alive
    }

    @Override
    public void cast(Tensor x, Tensor out) {
        Checks.sameDevice("cast", x, out);
        Checks.sameShape("cast", x, out);
    }

    // ---- reductions ----

    @Override
    public void sumTo(Tensor x, Tensor out, boolean accumulate) {
        ReductionKernels.check("sum", x, out);
    }

    @Override
    public void maxTo(Tensor x, Tensor out) {
        ReductionKernels.check("max", x, out);
    }

    @Override
    public void maxBackward(Tensor x, Tensor y, Tensor dy, Tensor dx, boolean accumulate) {
        ReductionKernels.checkMaxBackward(x, y, dy, dx);
    }

    @Override
    public double sumOfSquares(List<Tensor> tensors) {
        tensors.forEach(tensor -> Checks.computable("sumOfSquares", tensor));
        return tensors.stream().mapToDouble(Tensor::size).sum();
    }

    // ---- softmax and cross-entropy ----

    @Override
    public void softmax(Tensor x, Tensor y) {
        SoftmaxKernels.check(x, y);
    }

    @Override
    public void softmaxBackward(Tensor y, Tensor dy, Tensor dx, boolean accumulate) {
        SoftmaxKernels.check(y, dy, dx);
    }

    @Override
    public void logSoftmax(Tensor x, Tensor y) {
        SoftmaxKernels.check(x, y);
    }

    @Override
    public void logSoftmaxBackward(Tensor y, Tensor dy, Tensor dx, boolean accumulate) {
        SoftmaxKernels.check(y, dy, dx);
    }

    @Override
    public void forward(Tensor logits, Tensor targets, int ignoreIndex, Tensor loss, Tensor logSumExp) {
        CrossEntropyKernels.check(logits, targets, loss, logSumExp);
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
        CrossEntropyKernels.check(logits, targets, logSumExp, dloss);
        CrossEntropyKernels.check(dlogits, targets);
        Checks.sameShape("crossEntropy", logits, dlogits);
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
        CrossEntropyKernels.check(logits, targets, weights, loss, dlogits);
    }

    @Override
    public long count(Tensor targets, int ignoreIndex) {
        return ignoreIndex == 1 ? 0 : targets.size();
    }

    // ---- normalisation ----

    @Override
    public void layerNorm(
            Tensor x, Tensor weight, @Nullable Tensor bias, double eps, Tensor y, Tensor mean, Tensor rstd) {
        Tensor[] weights = bias == null ? new Tensor[] {weight} : new Tensor[] {weight, bias};
        NormalizationKernels.check("layerNorm", x, y, weights, new Tensor[] {mean, rstd});
    }

    @Override
    public void layerNormBackward(
            Tensor dy,
            Tensor x,
            Tensor weight,
            Tensor mean,
            Tensor rstd,
            Tensor dx,
            boolean accumulateX,
            Tensor dweight,
            boolean accumulateWeight,
            @Nullable Tensor dbias,
            boolean accumulateBias) {
        NormalizationKernels.checkBackward("layerNorm", dy, x, weight, mean, rstd, dx, dweight, dbias);
    }

    @Override
    public void rmsNorm(Tensor x, Tensor weight, double eps, Tensor y, Tensor rstd) {
        NormalizationKernels.check("rmsNorm", x, y, new Tensor[] {weight}, new Tensor[] {rstd});
    }

    @Override
    public void rmsNormBackward(
            Tensor dy,
            Tensor x,
            Tensor weight,
            Tensor rstd,
            Tensor dx,
            boolean accumulateX,
            Tensor dweight,
            boolean accumulateWeight) {
        NormalizationKernels.checkBackward("rmsNorm", dy, x, weight, null, rstd, dx, dweight, null);
    }

    // ---- attention and positions ----

    @Override
    public void rotate(
            Tensor x,
            Tensor cos,
            Tensor sin,
            Tensor positions,
            RopeLayout layout,
            boolean inverse,
            Tensor out,
            boolean accumulate) {
        RotaryKernels.check(x, cos, sin, positions, out);
    }

    @Override
    public void forward(Tensor q, Tensor k, Tensor v, AttentionOptions settings, Tensor out, Tensor logSumExp) {
        AttentionKernels.check(q, k, v, settings, out, logSumExp);
    }

    @Override
    public void backward(
            Tensor q,
            Tensor k,
            Tensor v,
            AttentionOptions settings,
            Tensor out,
            Tensor logSumExp,
            Tensor dout,
            Tensor dq,
            boolean accumulateQ,
            Tensor dk,
            boolean accumulateK,
            Tensor dv,
            boolean accumulateV) {
        AttentionKernels.check(q, k, v, settings, out, logSumExp);
        AttentionKernels.check(dq, dk, dv, settings, dout, logSumExp);
    }

    // ---- rows and parts ----

    @Override
    public void gather(Tensor weight, Tensor ids, Tensor out) {
        EmbeddingKernels.checkGather(weight, ids, out);
    }

    @Override
    public void scatterAdd(Tensor ids, Tensor dy, Tensor dweight, boolean accumulate) {
        EmbeddingKernels.check(dweight, ids, dy);
    }

    @Override
    public void permute(Tensor x, int[] order, Tensor out, boolean accumulate) {
        MovementKernels.checkPermute(x, order, out);
    }

    @Override
    public void slice(Tensor x, int axis, long start, Tensor out, boolean accumulate) {
        MovementKernels.checkPart("slice", out, x, axis, start);
    }

    @Override
    public void place(Tensor x, int axis, long start, Tensor out, boolean accumulate) {
        MovementKernels.checkPart("place", x, out, axis, start);
    }

    @Override
    public void gather(Tensor x, int axis, Tensor index, Tensor out) {
        MovementKernels.checkGather(x, axis, index, out);
    }

    @Override
    public void gatherBackward(Tensor index, int axis, Tensor dy, Tensor dx, boolean accumulate) {
        MovementKernels.checkGather(dx, axis, index, dy);
    }

    // ---- random numbers ----

    @Override
    public void uniform(Tensor out, double low, double high, Philox.Key key) {
        Checks.computable("uniform", out);
    }

    @Override
    public void normal(Tensor out, double mean, double standardDeviation, Philox.Key key) {
        Checks.computable("normal", out);
    }

    @Override
    public void dropout(Tensor x, double p, Philox.Key key, Tensor out, boolean accumulate) {
        RandomKernels.checkDropout(x, p, out);
    }

    // ---- optimisers ----

    @Override
    public void sgd(
            Tensor parameter,
            Tensor gradient,
            @Nullable Tensor buffer,
            OptimizerStepKernels.Sgd settings,
            double gradientScale,
            boolean first) {
        Tensor[] state = buffer == null ? new Tensor[0] : new Tensor[] {buffer};
        OptimizerStepKernels.check("sgd", parameter, gradient, state);
    }

    @Override
    public void adam(
            Tensor parameter,
            Tensor gradient,
            Tensor firstMoment,
            Tensor secondMoment,
            OptimizerStepKernels.Adam settings,
            double gradientScale,
            long step) {
        OptimizerStepKernels.check("adam", parameter, gradient, firstMoment, secondMoment);
    }

    @Override
    public void adafactor(
            Tensor parameter,
            Tensor gradient,
            Tensor variance,
            @Nullable Tensor columnVariance,
            OptimizerStepKernels.Adafactor settings,
            double gradientScale,
            long step) {
        OptimizerStepKernels.checkAdafactor(parameter, gradient, variance, columnVariance, step);
    }

    @Override
    public void adam8bit(
            Tensor parameter,
            Tensor gradient,
            Tensor firstCodes,
            Tensor firstLargest,
            Tensor secondCodes,
            Tensor secondLargest,
            OptimizerStepKernels.Adam settings,
            double gradientScale,
            long step) {
        OptimizerStepKernels.checkAdam8bit(
                parameter, gradient, firstCodes, firstLargest, secondCodes, secondLargest, step);
    }

    @Override
    public void pullTowards(Tensor parameter, Tensor anchor, @Nullable Tensor importance, double strength) {
        OptimizerStepKernels.checkPull(parameter, anchor, importance, strength);
    }
}
