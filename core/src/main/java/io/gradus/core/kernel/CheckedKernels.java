package io.gradus.core.kernel;

import io.gradus.core.AttentionOptions;
import io.gradus.core.DType;
import io.gradus.core.GradientBuffer;
import io.gradus.core.Philox;
import io.gradus.core.RopeLayout;
import io.gradus.core.Shape;
import io.gradus.core.ShapeException;
import io.gradus.core.Tensor;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * All kernel families of a device, with the dtypes, devices and shapes of operands checked before each kernel. Errors name the
 * operation, the operands and the fix. Kernels themselves check the values of elements, such as a class outside the
 * vocabulary.
 */
final class CheckedKernels
        implements GemmKernels,
                ElementwiseKernels,
                ReductionKernels,
                SoftmaxKernels,
                CrossEntropyKernels,
                NormalizationKernels,
                RotaryKernels,
                AttentionKernels,
                LstmKernels,
                EmbeddingKernels,
                MovementKernels,
                ScanKernels,
                RandomKernels,
                OptimizerStepKernels,
                CastKernels {
    private final Kernels kernels;

    CheckedKernels(Kernels kernels) {
        this.kernels = kernels;
    }

    /** Operands of dtypes that the device computes in, on one device, of one shape. */
    private static void alike(String operation, Tensor first, Tensor... others) {
        Checks.computable(operation, first, others);
        Checks.sameShape(operation, first, others);
    }

    /** Operands of the dtype of numbers that are not rounded to 16 bits, on one device, of one shape. */
    private static void exactlyAlike(String operation, Tensor first, Tensor... others) {
        Checks.exact(operation, first, others);
        Checks.sameShape(operation, first, others);
    }

    // ---- matrix products ----

    @Override
    public void matmul(Tensor a, boolean transposeA, Tensor b, boolean transposeB, Tensor out, boolean accumulate) {
        checkProduct(a, transposeA, b, transposeB, out);
        kernels.gemm().matmul(a, transposeA, b, transposeB, out, accumulate);
    }

    @Override
    public void matmul(Tensor a, boolean transposeA, Tensor b, boolean transposeB, Epilogue epilogue, Tensor out) {
        checkProduct(a, transposeA, b, transposeB, out);
        Tensor bias = epilogue.bias();
        if (bias != null) {
            Checks.sameDevice("matmul", out, bias);
            Checks.computable("matmul", bias);
            Checks.shape("matmul: bias", bias, Shape.of(out.shape().get(-1)));
        }
        kernels.gemm().matmul(a, transposeA, b, transposeB, epilogue, out);
    }

    private static void checkProduct(Tensor a, boolean transposeA, Tensor b, boolean transposeB, Tensor out) {
        Checks.product("matmul", out, a, b);
        Checks.shape("matmul", out, GemmKernels.outputShape("matmul", a, transposeA, b, transposeB));
    }

    // ---- elementwise ----

    @Override
    public void unary(Unary op, Tensor x, Tensor out) {
        alike(ElementwiseKernels.name(op), x, out);
        kernels.elementwise().unary(op, x, out);
    }

    @Override
    public void unaryBackward(Unary op, Tensor x, Tensor y, Tensor dy, Tensor dx, boolean accumulate) {
        alike(ElementwiseKernels.name(op), x, y, dy, dx);
        kernels.elementwise().unaryBackward(op, x, y, dy, dx, accumulate);
    }

    @Override
    public void binary(Binary op, Tensor a, Tensor b, Tensor out, boolean accumulate) {
        String name = ElementwiseKernels.name(op);
        Checks.computable(name, a, b, out);
        Checks.shape(name, out, Shape.broadcast(name, a, b));
        kernels.elementwise().binary(op, a, b, out, accumulate);
    }

    @Override
    public void compare(Comparison op, Tensor a, Tensor b, Tensor out) {
        String name = ElementwiseKernels.name(op);
        Checks.computable(name, a, b);
        Checks.ids(name, out, a);
        Checks.shape(name, out, Shape.broadcast(name, a, b));
        kernels.elementwise().compare(op, a, b, out);
    }

    @Override
    public void affine(Tensor x, double scale, double shift, Tensor out, boolean accumulate) {
        Checks.computable("affine", x, out);
        Checks.shape("affine", out, Shape.broadcast("affine", x, out));
        kernels.elementwise().affine(x, scale, shift, out, accumulate);
    }

    @Override
    public void where(Tensor condition, Tensor a, Tensor b, Tensor out, boolean accumulate) {
        Checks.computable("where", a, b, out);
        Checks.ids("where", condition, a);
        Checks.shape("where", out, Shape.broadcast("where", condition, a, b));
        kernels.elementwise().where(condition, a, b, out, accumulate);
    }

    @Override
    public void swiglu(Tensor gate, Tensor up, Tensor out) {
        alike("swiglu", gate, up, out);
        kernels.elementwise().swiglu(gate, up, out);
    }

    @Override
    public void swigluBackward(Tensor gate, Tensor up, Tensor dy, GradientBuffer dgate, GradientBuffer dup) {
        alike("swiglu", gate, up, dy, dgate.gradient(), dup.gradient());
        kernels.elementwise().swigluBackward(gate, up, dy, dgate, dup);
    }

    @Override
    public void fill(Tensor out, double value) {
        out.storage(); // throws if it was released
        kernels.elementwise().fill(out, value);
    }

    @Override
    public void cast(Tensor x, Tensor out) {
        Checks.sameDevice("cast", x, out);
        Checks.sameShape("cast", x, out);
        kernels.cast().cast(x, out);
    }

    // ---- reductions ----

    @Override
    public void sumTo(Tensor x, Tensor out, boolean accumulate) {
        checkReduction("sum", x, out);
        kernels.reduction().sumTo(x, out, accumulate);
    }

    @Override
    public void maxTo(Tensor x, Tensor out) {
        checkReduction("max", x, out);
        kernels.reduction().maxTo(x, out);
    }

    @Override
    public void maxBackward(Tensor x, Tensor y, Tensor dy, Tensor dx, boolean accumulate) {
        checkReduction("max", x, y);
        Checks.computable("max", x, dy, dx);
        Checks.sameShape("max", y, dy);
        Checks.sameShape("max", x, dx);
        kernels.reduction().maxBackward(x, y, dy, dx, accumulate);
    }

    @Override
    public double sumOfSquares(List<Tensor> tensors) {
        for (Tensor tensor : tensors) {
            Checks.exact("sumOfSquares", tensors.getFirst(), tensor);
        }
        return kernels.reduction().sumOfSquares(tensors);
    }

    @Override
    public double[] squaresByChunk(Tensor x) {
        Checks.exact("squaresByChunk", x);
        return kernels.reduction().squaresByChunk(x);
    }

    private static void checkReduction(String operation, Tensor x, Tensor out) {
        Checks.computable(operation, x, out);
        if (!out.shape().broadcastsTo(x.shape())) {
            throw new ShapeException(
                    operation,
                    "the result does not broadcast to the input",
                    "each axis of the result must have the input's length or 1",
                    x,
                    out);
        }
    }

    // ---- softmax and cross-entropy ----

    @Override
    public void softmax(Tensor x, Tensor y) {
        alike("softmax", x, y);
        kernels.softmax().softmax(x, y);
    }

    @Override
    public void softmaxBackward(Tensor y, Tensor dy, Tensor dx, boolean accumulate) {
        alike("softmax", y, dy, dx);
        kernels.softmax().softmaxBackward(y, dy, dx, accumulate);
    }

    @Override
    public void logSoftmax(Tensor x, Tensor y) {
        alike("logSoftmax", x, y);
        kernels.softmax().logSoftmax(x, y);
    }

    @Override
    public void logSoftmaxBackward(Tensor y, Tensor dy, Tensor dx, boolean accumulate) {
        alike("logSoftmax", y, dy, dx);
        kernels.softmax().logSoftmaxBackward(y, dy, dx, accumulate);
    }

    @Override
    public void forward(Tensor logits, Tensor targets, int ignoreIndex, Tensor loss, Tensor logSumExp) {
        checkCrossEntropy(logits, targets, loss, logSumExp);
        kernels.crossEntropy().forward(logits, targets, ignoreIndex, loss, logSumExp);
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
        checkCrossEntropy(logits, targets, logSumExp, dloss);
        alike("crossEntropy", logits, dlogits);
        kernels.crossEntropy().backward(logits, targets, ignoreIndex, logSumExp, dloss, dlogits, accumulate);
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
        checkCrossEntropy(logits, targets, loss);
        if (weights != null) {
            checkCrossEntropy(logits, targets, weights);
        }
        alike("crossEntropy", logits, dlogits);
        kernels.crossEntropy().forwardBackward(logits, targets, ignoreIndex, weights, scale, loss, dlogits);
    }

    @Override
    public long count(Tensor targets, int ignoreIndex) {
        Checks.ids("crossEntropy", targets, targets);
        return kernels.crossEntropy().count(targets, ignoreIndex);
    }

    /** Logits [N, V], targets [N], and tensors with one element per row. */
    private static void checkCrossEntropy(Tensor logits, Tensor targets, Tensor... rows) {
        Checks.computable("crossEntropy", logits, rows);
        Checks.exact("crossEntropy", rows[0], rows);
        Checks.ids("crossEntropy", targets, logits);
        if (logits.shape().rank() != 2
                || !targets.shape().equals(Shape.of(logits.shape().get(0)))) {
            throw new ShapeException(
                    "crossEntropy", "logits must be [N, V] and targets [N]", "reshape both to N rows", logits, targets);
        }
        Checks.sameShape("crossEntropy", targets, rows);
    }

    // ---- normalization ----

    @Override
    public void layerNorm(
            Tensor x, Tensor weight, @Nullable Tensor bias, double eps, Tensor y, Tensor mean, Tensor rstd) {
        alike("layerNorm", x, y);
        checkWeights("layerNorm", x, weight, bias);
        checkStatistics("layerNorm", x, mean, rstd);
        kernels.normalization().layerNorm(x, weight, bias, eps, y, mean, rstd);
    }

    @Override
    public void layerNormBackward(
            Tensor dy,
            Tensor x,
            Tensor weight,
            Tensor mean,
            Tensor rstd,
            GradientBuffer dx,
            GradientBuffer dweight,
            @Nullable GradientBuffer dbias) {
        alike("layerNorm", x, dy, dx.gradient());
        checkWeights("layerNorm", x, weight, dweight.gradient(), dbias == null ? null : dbias.gradient());
        checkStatistics("layerNorm", x, mean, rstd);
        kernels.normalization().layerNormBackward(dy, x, weight, mean, rstd, dx, dweight, dbias);
    }

    @Override
    public void rmsNorm(Tensor x, Tensor weight, double eps, Tensor y, Tensor rstd) {
        alike("rmsNorm", x, y);
        checkWeights("rmsNorm", x, weight);
        checkStatistics("rmsNorm", x, rstd);
        kernels.normalization().rmsNorm(x, weight, eps, y, rstd);
    }

    @Override
    public void rmsNormBackward(
            Tensor dy, Tensor x, Tensor weight, Tensor rstd, GradientBuffer dx, GradientBuffer dweight) {
        alike("rmsNorm", x, dy, dx.gradient());
        checkWeights("rmsNorm", x, weight, dweight.gradient());
        checkStatistics("rmsNorm", x, rstd);
        kernels.normalization().rmsNormBackward(dy, x, weight, rstd, dx, dweight);
    }

    /** Weights and biases of shape [D], or null. */
    private static void checkWeights(String operation, Tensor x, @Nullable Tensor... weights) {
        Shape width = Shape.of(x.shape().last());
        for (Tensor weight : weights) {
            if (weight != null) {
                Checks.computable(operation, x, weight);
                Checks.shape(operation, weight, width);
            }
        }
    }

    /** Means and reciprocal standard deviations, of shape [N]. */
    private static void checkStatistics(String operation, Tensor x, Tensor... statistics) {
        Checks.computable(operation, x, statistics);
        Checks.exact(operation, statistics[0], statistics);
        Shape rows = Shape.of(x.shape().rows());
        for (Tensor statistic : statistics) {
            Checks.shape(operation, statistic, rows);
        }
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
        alike("rotary", x, out);
        Checks.computable("rotary", x, cos);
        Checks.ids("rotary", positions, x);
        exactlyAlike("rotary", cos, sin);
        if (x.shape().rank() != 4
                || cos.shape().rank() != 2
                || cos.shape().get(1) * 2 != x.shape().get(3)) {
            throw new ShapeException(
                    "rotary", "x must be [B, T, H, D] and the table [P, D/2]", "check head_dim", x, cos);
        }
        Checks.shape("rotary", positions, Shape.of(x.shape().get(0), x.shape().get(1)));
        kernels.rotary().rotate(x, cos, sin, positions, layout, inverse, out, accumulate);
    }

    @Override
    public void forward(Tensor q, Tensor k, Tensor v, AttentionOptions options, Tensor out, Tensor logSumExp) {
        checkAttention(q, k, v, options, out, logSumExp);
        kernels.attention().forward(q, k, v, options, out, logSumExp);
    }

    @Override
    public void backward(
            Tensor q,
            Tensor k,
            Tensor v,
            AttentionOptions options,
            Tensor out,
            Tensor logSumExp,
            Tensor dout,
            GradientBuffer dq,
            GradientBuffer dk,
            GradientBuffer dv) {
        checkAttention(q, k, v, options, out, logSumExp);
        alike("attention", q, dout, dq.gradient());
        alike("attention", k, dk.gradient(), dv.gradient());
        kernels.attention().backward(q, k, v, options, out, logSumExp, dout, dq, dk, dv);
    }

    private static void checkAttention(
            Tensor q, Tensor k, Tensor v, AttentionOptions options, Tensor out, Tensor logSumExp) {
        String name = "attention";
        Checks.computable(name, q, k, v, out, logSumExp);
        Checks.exact(name, logSumExp);
        Shape query = q.shape();
        Shape key = k.shape();
        if (query.rank() != 4
                || key.rank() != 4
                || query.get(0) != key.get(0)
                || query.get(3) != key.get(3)
                || key.get(2) == 0
                || query.get(2) % key.get(2) != 0) {
            throw new ShapeException(
                    name,
                    "queries must be [B, T, H, D] and keys [B, S, G, D] with G dividing H",
                    "check num_attention_heads and num_key_value_heads",
                    q,
                    k);
        }
        Checks.sameShape(name, k, v);
        Checks.sameShape(name, q, out);
        Checks.shape(name, logSumExp, Shape.of(query.get(0), query.get(2), query.get(1)));
        if (options.causal() && key.get(1) < query.get(1)) {
            throw new ShapeException(
                    name, "causal attention has more queries than keys", "pass the cached keys too", q, k);
        }
        Tensor mask = options.attentionMask();
        if (mask != null) {
            Checks.ids(name, mask, q);
            Checks.shape(name, mask, Shape.of(key.get(0), key.get(1)));
        }
        Tensor documentStarts = options.documentStarts();
        if (documentStarts != null) {
            Checks.ids(name, documentStarts, q);
            Checks.shape(name, documentStarts, Shape.of(query.get(0), query.get(1)));
        }
        if (options.textLengths() != null) {
            checkTexts(name, options, options.textLengths(), q, k);
        }
    }

    private static void checkTexts(String name, AttentionOptions options, List<Integer> lengths, Tensor q, Tensor k) {
        long tokens = lengths.stream().mapToLong(Integer::longValue).sum();
        if (q.shape().get(0) != 1
                || q.shape().get(1) != tokens
                || k.shape().get(1) != tokens
                || lengths.stream().anyMatch(length -> length < 0)) {
            throw new ShapeException(
                    name,
                    "texts with the lengths " + lengths + " must share one row of " + tokens + " queries and keys",
                    "put their tokens one after the other, without padding",
                    q,
                    k);
        }
        if (options.attentionMask() != null || options.documentStarts() != null) {
            throw new IllegalArgumentException(name + ": texts that share a row have no "
                    + (options.attentionMask() != null ? "padding, but there is an attention mask" : "document starts")
                    + "; leave it out");
        }
    }

    // ---- recurrence ----

    @Override
    public void lstmCell(Tensor gates, Tensor cell, Tensor nextCell, Tensor hidden) {
        exactlyAlike("lstm", cell, nextCell, hidden);
        checkGates(cell, gates);
        kernels.lstm().lstmCell(gates, cell, nextCell, hidden);
    }

    @Override
    public void lstmCellBackward(
            Tensor gates, Tensor cell, Tensor nextCell, Tensor dhidden, Tensor dcell, Tensor dgates) {
        exactlyAlike("lstm", cell, nextCell, dhidden, dcell);
        checkGates(cell, gates);
        checkGates(cell, dgates);
        kernels.lstm().lstmCellBackward(gates, cell, nextCell, dhidden, dcell, dgates);
    }

    /** Four gates, side by side, for each unit of a state [B, H]. */
    private static void checkGates(Tensor cell, Tensor gates) {
        Checks.exact("lstm", cell, gates);
        Shape shape = cell.shape();
        if (shape.rank() != 2
                || gates.shape().rank() != 2
                || gates.shape().get(0) != shape.get(0)
                || gates.shape().get(1) != 4 * shape.get(1)) {
            throw new ShapeException(
                    "lstm",
                    "the state must be [B, H] and the gates [B, 4H]",
                    "put the sums of i, f, g, o side by side",
                    cell,
                    gates);
        }
    }

    // ---- embedding and movement ----

    @Override
    public void gather(Tensor weight, Tensor ids, Tensor out) {
        Checks.readable("embedding", weight, out);
        checkEmbedding(weight, ids, out);
        kernels.embedding().gather(weight, ids, out);
    }

    @Override
    public void scatterAdd(Tensor ids, Tensor dy, Tensor dweight, boolean accumulate) {
        Checks.computable("embedding", dweight, dy);
        checkEmbedding(dweight, ids, dy);
        kernels.embedding().scatterAdd(ids, dy, dweight, accumulate);
    }

    private static void checkEmbedding(Tensor weight, Tensor ids, Tensor out) {
        Checks.ids("embedding", ids, weight);
        if (weight.shape().rank() != 2) {
            throw new ShapeException("embedding", "the table must be [V, D]", "reshape it", weight, ids);
        }
        Checks.shape("embedding", out, ids.shape().append(weight.shape().get(1)));
    }

    @Override
    public void permute(Tensor x, int[] order, Tensor out, boolean accumulate) {
        Checks.computable("permute", x, out);
        Checks.shape("permute", out, MovementKernels.permuted(x, order));
        kernels.movement().permute(x, order, out, accumulate);
    }

    @Override
    public void slice(Tensor x, int axis, long start, Tensor out, boolean accumulate) {
        checkPart("slice", out, x, axis, start);
        kernels.movement().slice(x, axis, start, out, accumulate);
    }

    @Override
    public void place(Tensor x, int axis, long start, Tensor out, boolean accumulate) {
        checkPart("place", x, out, axis, start);
        kernels.movement().place(x, axis, start, out, accumulate);
    }

    /** {@code part} is what {@code whole} holds from {@code start} along {@code axis}. */
    private static void checkPart(String operation, Tensor part, Tensor whole, int axis, long start) {
        Checks.computable(operation, part, whole);
        int resolved = whole.shape().axis(axis);
        boolean fits = part.shape().rank() == whole.shape().rank()
                && part.shape().with(resolved, whole.shape().get(resolved)).equals(whole.shape())
                && start >= 0
                && start + part.shape().get(resolved) <= whole.shape().get(resolved);
        if (!fits) {
            throw new ShapeException(
                    operation,
                    "the part from " + start + " along axis " + axis + " is not within the whole",
                    "check the range; all other axes must have equal lengths",
                    part,
                    whole);
        }
    }

    @Override
    public void gather(Tensor x, int axis, Tensor index, Tensor out) {
        checkGather(x, axis, index, out);
        kernels.movement().gather(x, axis, index, out);
    }

    @Override
    public void gatherBackward(Tensor index, int axis, Tensor dy, Tensor dx, boolean accumulate) {
        checkGather(dx, axis, index, dy);
        kernels.movement().gatherBackward(index, axis, dy, dx, accumulate);
    }

    private static void checkGather(Tensor x, int axis, Tensor index, Tensor out) {
        Checks.computable("gather", x, out);
        Checks.ids("gather", index, x);
        Checks.sameShape("gather", index, out);
        boolean fits = index.shape().rank() == x.shape().rank();
        for (int i = 0; fits && i < x.shape().rank(); i++) {
            fits = i == x.shape().axis(axis)
                    || index.shape().get(i) <= x.shape().get(i);
        }
        if (!fits) {
            throw new ShapeException(
                    "gather",
                    "the index must have as many axes as the input and, except along axis " + axis + ", be no longer",
                    "slice or reshape the index",
                    x,
                    index);
        }
    }

    @Override
    public void cumsum(Tensor x, int axis, boolean reverse, Tensor out, boolean accumulate) {
        alike("cumsum", x, out);
        x.shape().axis(axis);
        kernels.scan().cumsum(x, axis, reverse, out, accumulate);
    }

    @Override
    public void topk(Tensor x, int axis, Tensor values, Tensor indices) {
        Checks.computable("topk", x, values);
        Checks.ids("topk", indices, x);
        Checks.sameShape("topk", values, indices);
        int resolved = x.shape().axis(axis);
        boolean fits = values.shape().rank() == x.shape().rank()
                && values.shape().with(resolved, x.shape().get(resolved)).equals(x.shape())
                && values.shape().get(resolved) <= x.shape().get(resolved);
        if (!fits) {
            throw new ShapeException(
                    "topk",
                    "the result must have the input's shape and at most its length along axis " + axis,
                    "choose a smaller k",
                    x,
                    values);
        }
        kernels.scan().topk(x, axis, values, indices);
    }

    // ---- random numbers ----

    @Override
    public void uniform(Tensor out, double low, double high, Philox.Key key) {
        Checks.exact("uniform", out);
        kernels.random().uniform(out, low, high, key);
    }

    @Override
    public void normal(Tensor out, double mean, double standardDeviation, Philox.Key key) {
        Checks.exact("normal", out);
        kernels.random().normal(out, mean, standardDeviation, key);
    }

    @Override
    public void dropout(Tensor x, double p, Philox.Key key, Tensor out, boolean accumulate) {
        alike("dropout", x, out);
        if (!(p >= 0 && p < 1)) {
            throw new IllegalArgumentException("dropout: p is " + p + "; it must be at least 0 and less than 1");
        }
        kernels.random().dropout(x, p, key, out, accumulate);
    }

    // ---- optimizer steps ----

    @Override
    public void sgd(
            Tensor parameter,
            Tensor gradient,
            @Nullable Tensor buffer,
            OptimizerStepKernels.Sgd settings,
            double gradientScale,
            boolean first) {
        exactlyAlike("sgd", parameter, gradient);
        if (buffer != null) {
            exactlyAlike("sgd", parameter, buffer);
        }
        kernels.optimizerSteps().sgd(parameter, gradient, buffer, settings, gradientScale, first);
    }

    @Override
    public void adam(Tensor parameter, Tensor gradient, Tensor firstMoment, Tensor secondMoment, AdamStep step) {
        checkAdam(parameter, gradient, firstMoment, secondMoment, step);
        kernels.optimizerSteps().adam(parameter, gradient, firstMoment, secondMoment, step);
    }

    @Override
    public void adamOfMaster(
            Tensor master, Tensor gradient, Tensor firstMoment, Tensor secondMoment, AdamStep step, Tensor rounded) {
        checkAdam(master, gradient, firstMoment, secondMoment, step);
        Checks.readable("adamOfMaster", rounded, master);
        Checks.sameShape("adamOfMaster", master, rounded);
        if (!rounded.dtype().isHalf()) {
            throw new IllegalArgumentException(
                    "adamOfMaster: the parameter is " + rounded.dtype() + "; only one of BF16 or F16 has a master");
        }
        kernels.optimizerSteps().adamOfMaster(master, gradient, firstMoment, secondMoment, step, rounded);
    }

    private void checkAdam(Tensor parameter, Tensor gradient, Tensor firstMoment, Tensor secondMoment, AdamStep step) {
        checkStep("adam", step.step());
        exactlyAlike("adam", parameter, firstMoment, secondMoment);
        if (kernels.optimizerSteps().adamReads(gradient.dtype())) {
            Checks.readable("adam", gradient, parameter);
            Checks.sameShape("adam", parameter, gradient);
        } else {
            exactlyAlike("adam", parameter, gradient);
        }
    }

    @Override
    public boolean adamReads(DType gradient) {
        return kernels.optimizerSteps().adamReads(gradient);
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
        checkStep("adafactor", step);
        exactlyAlike("adafactor", parameter, gradient);
        if (columnVariance == null) {
            exactlyAlike("adafactor", parameter, variance);
        } else {
            Checks.exact("adafactor", parameter, variance, columnVariance);
            Shape shape = parameter.shape();
            int rank = shape.rank();
            if (rank < 2) {
                throw new ShapeException(
                        "adafactor",
                        "only matrices have row and column variances",
                        "pass one variance of the parameter's shape",
                        parameter);
            }
            Checks.shape("adafactor", variance, shape.with(rank - 1, 1));
            Checks.shape("adafactor", columnVariance, shape.with(rank - 2, 1));
        }
        kernels.optimizerSteps()
                .adafactor(parameter, gradient, variance, columnVariance, settings, gradientScale, step);
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
        checkStep("adam8bit", step.step());
        exactlyAlike("adam8bit", parameter, gradient);
        Checks.exact("adam8bit", parameter, firstLargest, secondLargest);
        Checks.codes("adam8bit", firstCodes, parameter);
        Checks.codes("adam8bit", secondCodes, parameter);
        Checks.sameShape("adam8bit", parameter, firstCodes, secondCodes);
        Shape blocks = Shape.of(OptimizerStepKernels.blocks(parameter.size()));
        Checks.shape("adam8bit", firstLargest, blocks);
        Checks.shape("adam8bit", secondLargest, blocks);
        kernels.optimizerSteps()
                .adam8bit(parameter, gradient, firstCodes, firstLargest, secondCodes, secondLargest, step);
    }

    @Override
    public void proximalStep(Tensor parameter, Tensor anchor, @Nullable Tensor importance, double strength) {
        exactlyAlike("proximalStep", parameter, anchor);
        if (importance != null) {
            exactlyAlike("proximalStep", parameter, importance);
        }
        if (!(strength >= 0)) {
            throw new IllegalArgumentException("proximalStep: the strength is " + strength + "; it must be at least 0");
        }
        kernels.optimizerSteps().proximalStep(parameter, anchor, importance, strength);
    }

    private static void checkStep(String operation, long step) {
        if (step < 1) {
            throw new IllegalArgumentException(operation + ": steps are counted from 1, not " + step);
        }
    }
}
