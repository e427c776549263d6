package io.gradus.autograd;

import io.gradus.autograd.op.Add;
import io.gradus.autograd.op.Affine;
import io.gradus.autograd.op.Attention;
import io.gradus.autograd.op.BroadcastTo;
import io.gradus.autograd.op.Cast;
import io.gradus.autograd.op.Concat;
import io.gradus.autograd.op.CrossEntropy;
import io.gradus.autograd.op.Divide;
import io.gradus.autograd.op.Dropout;
import io.gradus.autograd.op.Embedding;
import io.gradus.autograd.op.Exp;
import io.gradus.autograd.op.Gather;
import io.gradus.autograd.op.Gelu;
import io.gradus.autograd.op.LayerNorm;
import io.gradus.autograd.op.Linear;
import io.gradus.autograd.op.LinearCrossEntropy;
import io.gradus.autograd.op.Log;
import io.gradus.autograd.op.LogSoftmax;
import io.gradus.autograd.op.MatMul;
import io.gradus.autograd.op.Max;
import io.gradus.autograd.op.Mean;
import io.gradus.autograd.op.Multiply;
import io.gradus.autograd.op.Permute;
import io.gradus.autograd.op.Power;
import io.gradus.autograd.op.Relu;
import io.gradus.autograd.op.Reshape;
import io.gradus.autograd.op.RmsNorm;
import io.gradus.autograd.op.RotaryEmbedding;
import io.gradus.autograd.op.Sigmoid;
import io.gradus.autograd.op.Silu;
import io.gradus.autograd.op.Slice;
import io.gradus.autograd.op.Softmax;
import io.gradus.autograd.op.Split;
import io.gradus.autograd.op.Sqrt;
import io.gradus.autograd.op.Subtract;
import io.gradus.autograd.op.Sum;
import io.gradus.autograd.op.SwiGlu;
import io.gradus.autograd.op.Tanh;
import io.gradus.autograd.op.Where;
import io.gradus.core.AttentionOptions;
import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Philox;
import io.gradus.core.RopeLayout;
import io.gradus.core.Scope;
import io.gradus.core.Shape;
import io.gradus.core.ShapeException;
import io.gradus.core.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * A tensor with a history: how it was made, and its gradient. Mathematics is written with its methods; {@link #backward()}
 * then gives every parameter that took part its gradient.
 *
 * <pre>{@code
 * Variable w = Variable.parameter("w", Tensor.of(new float[] {2}, 1));
 * Variable loss = w.multiply(w).sum();   // w²
 * loss.backward();
 * w.grad();                              // 2w = 4
 * }</pre>
 *
 * A <em>leaf</em> was made from a tensor: a parameter, which requires a gradient, or a constant, which does not. Anything
 * else was made by an {@link Operation} and requires a gradient if one of its inputs does.
 *
 * <p>A parameter may be kept in 16 bits (BF16 or F16). Matrix products and embeddings read it as it is, anything else gets it
 * converted; results are F32. Its gradient is kept in the same 16 bits: what one operation adds to it is summed in F32 and
 * rounded once, so that two operations that share the parameter round twice, and gradients accumulated over n backward
 * passes n times.
 */
public final class Variable {
    private final Tensor value;
    private final @Nullable Node node;
    private boolean requiresGrad;
    private boolean retainsGrad;
    private @Nullable Tensor grad;
    /** Whether {@link #grad} holds something: a cleared buffer is kept and overwritten. */
    private boolean hasGrad;

    private Variable(Tensor value, @Nullable Node node, boolean requiresGrad) {
        this.value = value;
        this.node = node;
        this.requiresGrad = requiresGrad;
    }

    // ---- making ----

    /**
     * A leaf that requires a gradient.
     *
     * @param name what errors and drawings of the graph call it
     * @throws IllegalArgumentException when the tensor's elements are whole numbers, which have no derivative
     */
    public static Variable parameter(String name, Tensor value) {
        if (!value.dtype().isFloating()) {
            throw new IllegalArgumentException(
                    "parameter '" + name + "': " + value.dtype() + " has no gradient; use to(DType.F32)");
        }
        return new Variable(value.named(name), null, true);
    }

    /** A leaf that requires none: data. */
    public static Variable constant(Tensor value) {
        return new Variable(value, null, false);
    }

    /** Applies an operation, and remembers it when history is recorded and an input requires a gradient. */
    public static Variable apply(Operation operation, Variable... inputs) {
        Variable[] read = new Variable[inputs.length];
        Tensor[] values = new Tensor[inputs.length];
        boolean recorded = false;
        for (int i = 0; i < inputs.length; i++) {
            boolean converted = inputs[i].value.dtype().isHalf() && !operation.readsHalf(i);
            read[i] = converted ? inputs[i].to(DType.F32) : inputs[i];
            values[i] = read[i].value;
            recorded |= read[i].requiresGrad;
        }
        recorded &= Autograd.isRecording();
        Tensor value = operation.apply(recorded, values);
        return new Variable(value, recorded ? new Node(operation, List.of(read)) : null, recorded);
    }

    /** A leaf with this value, which requires a gradient if this does: what came before is cut off. */
    Variable leaf() {
        return leaf(value, requiresGrad);
    }

    /** A leaf without a name. */
    static Variable leaf(Tensor value, boolean requiresGrad) {
        return new Variable(value, null, requiresGrad);
    }

    // ---- what it is ----

    public Tensor value() {
        return value;
    }

    public Shape shape() {
        return value.shape();
    }

    public Device device() {
        return value.device();
    }

    /** The name of a leaf, if it has one; null for what an operation made, though it be a view of a named tensor. */
    public @Nullable String name() {
        return node == null ? value.name() : null;
    }

    /** The value of a variable of one element. */
    public double item() {
        return value.item();
    }

    /** Whether this was made from a tensor and not by an operation. */
    public boolean isLeaf() {
        return node == null;
    }

    public boolean requiresGrad() {
        return requiresGrad;
    }

    /**
     * Freezes or thaws a leaf.
     *
     * @throws IllegalStateException when this is not a leaf
     */
    public void setRequiresGrad(boolean requiresGrad) {
        if (node != null) {
            throw new IllegalStateException("setRequiresGrad: " + this + " was made by an operation; use detach()");
        }
        this.requiresGrad = requiresGrad;
    }

    /** The same value without its history: gradients stop here. */
    public Variable detach() {
        return constant(value);
    }

    @Nullable
    Node node() {
        return node;
    }

    // ---- gradients ----

    /**
     * The gradient that backward passes have added up in this leaf (or in a variable that {@linkplain #retainGrad() retains}
     * it) since it was last cleared; null when there is none.
     */
    public @Nullable Tensor grad() {
        return hasGrad ? grad : null;
    }

    /** Forgets the gradient; its memory stays and is overwritten by the next backward pass. */
    public void clearGrad() {
        hasGrad = false;
    }

    /** Forgets the gradient and gives its memory back. */
    public void releaseGrad() {
        if (grad != null) {
            grad.release("releaseGrad() gave its memory back");
        }
        grad = null;
        hasGrad = false;
    }

    /** Keeps the gradient of a variable that is not a leaf, for looking at. */
    public Variable retainGrad() {
        retainsGrad = true;
        return this;
    }

    boolean retainsGrad() {
        return retainsGrad;
    }

    /** The gradient's buffer, which outlives the scope of the step; after this call it counts as holding something. */
    Gradients.Buffer gradientBuffer() {
        Tensor buffer = grad;
        if (buffer == null) {
            buffer = Scope.outside(
                    () -> Tensor.empty(value.device(), value.dtype(), value.shape(), MemoryCategory.GRADIENTS));
            grad = buffer;
        }
        boolean accumulate = hasGrad;
        hasGrad = true;
        return new Gradients.Buffer(buffer, accumulate);
    }

    /**
     * Adds the gradient of this scalar to {@link #grad()} of every leaf that it depends on and that requires one, then frees
     * the graph.
     *
     * @throws IllegalStateException when this has more than one element, needs no gradient, or its graph was freed
     */
    public void backward() {
        backward(false);
    }

    /**
     * {@link #backward()}.
     *
     * @param retainGraph whether to keep the graph for another backward pass
     */
    public void backward(boolean retainGraph) {
        backward(one(), retainGraph);
    }

    /**
     * {@link #backward()}, and on the way gives back the memory of every intermediate value that the pass is done with, so
     * that the gradients of a deep network take the place of its activations. Leaves, this variable, and those that
     * {@linkplain #retainGrad() retain} their gradient keep their values; so does what shares memory with one of them.
     *
     * <p>For a training loop that looks at nothing but the loss. Who reads another value afterwards, be it a view or a
     * {@linkplain #detach() detached} one, gets an {@link IllegalStateException} that says so.
     */
    public void backwardAndRelease() {
        backward(one(), BackwardPass.Afterwards.RELEASE_VALUES, null);
    }

    /**
     * {@link #backwardAndRelease()}, telling of each leaf as soon as its gradient is complete: when every operation that read
     * the leaf was visited, once for weights that several layers share. Its value and its gradient are of no more use to the
     * pass then; both may be changed, and the gradient's memory {@linkplain #releaseGrad() given back}.
     *
     * @param whenComplete called on this thread, during the pass
     */
    public void backwardAndRelease(Consumer<Variable> whenComplete) {
        backward(one(), BackwardPass.Afterwards.RELEASE_VALUES, whenComplete);
    }

    /** The gradient of this with respect to itself. */
    private Tensor one() {
        if (value.size() != 1) {
            throw new IllegalStateException("backward: " + this
                    + " is not a scalar; reduce it with sum() or mean(), or pass the gradient to start from");
        }
        return Tensor.full(value.device(), value.dtype().computed(), value.shape(), 1, MemoryCategory.GRADIENTS);
    }

    /**
     * Runs backwards from a variable of any shape.
     *
     * @param gradient of the loss with respect to this variable, of its shape
     * @param retainGraph whether to keep the graph for another backward pass
     */
    public void backward(Tensor gradient, boolean retainGraph) {
        backward(gradient, retainGraph ? BackwardPass.Afterwards.KEEP_GRAPH : BackwardPass.Afterwards.FREE_GRAPH, null);
    }

    private void backward(
            Tensor gradient, BackwardPass.Afterwards afterwards, @Nullable Consumer<Variable> whenComplete) {
        if (!requiresGrad) {
            throw new IllegalStateException("backward: " + this
                    + " requires no gradient; nothing it was made from is a parameter, or it was computed in noGrad");
        }
        if (!gradient.shape().equals(value.shape())) {
            throw new ShapeException(
                    "backward",
                    "the gradient's shape differs",
                    "it must be this variable's",
                    gradient.shape(),
                    shape());
        }
        BackwardPass.run(this, gradient, afterwards, whenComplete);
    }

    // ---- how it is stored, and whether its making is ----

    /** This, when its elements are of that dtype already; otherwise converted. Gradients pass through as they are. */
    public Variable to(DType dtype) {
        return dtype == value.dtype() ? this : apply(new Cast(dtype), this);
    }

    /**
     * {@code function(this)}, whose intermediate values are computed again in the backward pass and not kept for it: see
     * {@link Checkpoint}.
     */
    public Variable checkpoint(UnaryOperator<Variable> function) {
        return Checkpoint.apply(inputs -> function.apply(inputs.getFirst()), this);
    }

    // ---- mathematics: arithmetic, each broadcasting by NumPy's rule ----

    /** {@code this + other}. */
    public Variable add(Variable other) {
        return apply(new Add(), this, other);
    }

    /** {@code this + number}. */
    public Variable add(double number) {
        return apply(new Affine(1, number), this);
    }

    /** {@code this − other}. */
    public Variable subtract(Variable other) {
        return apply(new Subtract(), this, other);
    }

    /** {@code this − number}. */
    public Variable subtract(double number) {
        return add(-number);
    }

    /** {@code this · other}, element by element. */
    public Variable multiply(Variable other) {
        return apply(new Multiply(), this, other);
    }

    /** {@code this · number}. */
    public Variable multiply(double number) {
        return apply(new Affine(number, 0), this);
    }

    /** {@code this / other}, element by element. */
    public Variable divide(Variable other) {
        return apply(new Divide(), this, other);
    }

    /** {@code this / number}. */
    public Variable divide(double number) {
        return multiply(1 / number);
    }

    /** {@code −this}. */
    public Variable negate() {
        return multiply(-1);
    }

    /** {@code this} to the power of {@code exponent}, element by element. */
    public Variable pow(Variable exponent) {
        return apply(new Power(), this, exponent);
    }

    /** {@code this} to the power of a number, element by element. */
    public Variable pow(double exponent) {
        Tensor number = Tensor.full(device(), value.dtype(), Shape.scalar(), exponent, MemoryCategory.ACTIVATIONS);
        return pow(constant(number));
    }

    // ---- functions of one number, element by element ----

    /** {@code eˣ}. */
    public Variable exp() {
        return apply(new Exp(), this);
    }

    /** The natural logarithm. */
    public Variable log() {
        return apply(new Log(), this);
    }

    /** {@code √x}. */
    public Variable sqrt() {
        return apply(new Sqrt(), this);
    }

    /** The hyperbolic tangent. */
    public Variable tanh() {
        return apply(new Tanh(), this);
    }

    /** {@code 1/(1 + e⁻ˣ)}. */
    public Variable sigmoid() {
        return apply(new Sigmoid(), this);
    }

    /** {@code max(x, 0)}. */
    public Variable relu() {
        return apply(new Relu(), this);
    }

    /** {@code x·Φ(x)}, exactly. */
    public Variable gelu() {
        return apply(new Gelu(false), this);
    }

    /** {@link #gelu()} approximated by a hyperbolic tangent. */
    public Variable geluTanh() {
        return apply(new Gelu(true), this);
    }

    /** {@code x/(1 + e⁻ˣ)}. */
    public Variable silu() {
        return apply(new Silu(), this);
    }

    /** {@code silu(this) ⊙ up}, with this as the gate: a gated linear unit; of one shape. */
    public Variable swiglu(Variable up) {
        return apply(new SwiGlu(), this, up);
    }

    // ---- many elements to one ----

    /** The sum of all elements, a scalar. */
    public Variable sum() {
        return sum(false);
    }

    /**
     * The sum over some axes.
     *
     * @param keepDim whether a reduced axis stays, with length 1
     * @param axes from 0, or negative to count from the last; none means all
     */
    public Variable sum(boolean keepDim, int... axes) {
        return apply(new Sum(keepDim, axes), this);
    }

    /** The mean of all elements, a scalar. */
    public Variable mean() {
        return mean(false);
    }

    /** The mean over some axes, which are given as to {@link #sum(boolean, int...)}. */
    public Variable mean(boolean keepDim, int... axes) {
        return apply(new Mean(keepDim, axes), this);
    }

    /** The largest element, a scalar. */
    public Variable max() {
        return max(false);
    }

    /** The largest element along some axes, which are given as to {@link #sum(boolean, int...)}. */
    public Variable max(boolean keepDim, int... axes) {
        return apply(new Max(keepDim, axes), this);
    }

    // ---- networks ----

    /** The matrix product over the last two axes; the axes before them are a batch and broadcast. */
    public Variable matmul(Variable other) {
        return matmul(other, false, false);
    }

    /** The matrix product with either operand read transposed. */
    public Variable matmul(Variable other, boolean transposeThis, boolean transposeOther) {
        boolean oneForAll = shape().rank() > 2 && other.shape().rank() == 2 && !transposeThis;
        return oneForAll
                ? linear(other, null, transposeOther)
                : apply(new MatMul(transposeThis, transposeOther), this, other);
    }

    /**
     * A linear layer on the last axis: {@code this·W + b}, or {@code this·Wᵀ + b}.
     *
     * @param weight {@code [in, out]}, or {@code [out, in]} when it is read transposed
     * @param bias {@code [out]}, or null
     */
    public Variable linear(Variable weight, @Nullable Variable bias, boolean transposeWeight) {
        Linear linear = new Linear(transposeWeight);
        return bias == null ? apply(linear, this, weight) : apply(linear, this, weight, bias);
    }

    /** Softmax along an axis. */
    public Variable softmax(int axis) {
        return alongLast(axis, x -> apply(new Softmax(), x));
    }

    /** The logarithm of the softmax along an axis. */
    public Variable logSoftmax(int axis) {
        return alongLast(axis, x -> apply(new LogSoftmax(), x));
    }

    /** The mean cross-entropy of these logits, ignoring targets of {@value CrossEntropy#IGNORE_INDEX}; a scalar. */
    public Variable crossEntropy(Tensor targets) {
        return crossEntropy(targets, CrossEntropy.IGNORE_INDEX, CrossEntropy.Reduction.MEAN, null);
    }

    /**
     * The cross-entropy of these logits {@code […, V]}.
     *
     * @param targets I32 {@code […]}, each in 0 … V−1 or {@code ignoreIndex}
     * @param ignoreIndex the target of rows that do not count
     * @param reduction to a scalar, or {@code NONE} for a loss of the shape {@code […]}
     * @param weights how much each row counts, of the shape of the targets; null for all alike
     * @throws IllegalArgumentException when a target is not a class, or when the mean is asked for and no row counts
     */
    public Variable crossEntropy(
            Tensor targets, int ignoreIndex, CrossEntropy.Reduction reduction, @Nullable Tensor weights) {
        return apply(new CrossEntropy(targets, ignoreIndex, reduction, weights), this);
    }

    /**
     * {@code linear(weight, null, true).crossEntropy(…)}, from a few rows of logits at a time: see {@link LinearCrossEntropy}.
     *
     * @param weight {@code [V, D]}, where this is {@code […, D]}
     * @param targets I32 {@code […]}, each in 0 … V−1 or {@code ignoreIndex}
     * @param ignoreIndex the target of rows that do not count
     * @param reduction to a scalar, or {@code NONE} for a loss of the shape {@code […]}
     * @param weights how much each row counts, of the shape of the targets; null for all alike
     * @param chunk how many rows of logits there are at once, or 0 for {@link LinearCrossEntropy#usualChunk as many as pay}
     */
    public Variable linearCrossEntropy(
            Variable weight,
            Tensor targets,
            int ignoreIndex,
            CrossEntropy.Reduction reduction,
            @Nullable Tensor weights,
            int chunk) {
        return apply(new LinearCrossEntropy(targets, ignoreIndex, reduction, weights, chunk), this, weight);
    }

    /**
     * The rows of this table {@code [V, D]} that have the given ids.
     *
     * @param ids I32 of any shape, each in 0 … V−1
     * @return {@code [ids…, D]}
     */
    public Variable embedding(Tensor ids) {
        return apply(new Embedding(ids), this);
    }

    /**
     * Layer normalisation over the last axis, of length D.
     *
     * @param weight {@code [D]}
     * @param bias {@code [D]} or null
     * @param eps added to the variance
     */
    public Variable layerNorm(Variable weight, @Nullable Variable bias, double eps) {
        LayerNorm operation = new LayerNorm(eps);
        return bias == null ? apply(operation, this, weight) : apply(operation, this, weight, bias);
    }

    /**
     * Root-mean-square normalisation over the last axis, of length D.
     *
     * @param weight {@code [D]}
     * @param eps added to the mean square
     */
    public Variable rmsNorm(Variable weight, double eps) {
        return apply(new RmsNorm(eps), this, weight);
    }

    /**
     * Rotary position embedding of {@code [B, T, H, D]}.
     *
     * @param cos {@code [P, D/2]}, for each position and pair
     * @param sin {@code [P, D/2]}
     * @param positions I32 {@code [B, T]}, each in 0 … P−1
     * @param layout which two elements turn together
     */
    public Variable rotary(Tensor cos, Tensor sin, Tensor positions, RopeLayout layout) {
        return apply(new RotaryEmbedding(cos, sin, positions, layout), this);
    }

    /**
     * Scaled dot-product attention of these queries {@code [B, T, H, D]}.
     *
     * @param keys {@code [B, S, G, D]}, where G divides H
     * @param values {@code [B, S, G, D]}
     * @return {@code [B, T, H, D]}
     */
    public Variable attention(Variable keys, Variable values, AttentionOptions options) {
        return apply(new Attention(options), this, keys, values);
    }

    /**
     * Sets elements to 0 at random and scales the others up; for training only.
     *
     * @param p the probability of 0, at least 0 and below 1
     * @param key which random numbers; a different one for each use
     */
    public Variable dropout(double p, Philox.Key key) {
        return p == 0 ? this : apply(new Dropout(p, key), this);
    }

    // ---- elements moved ----

    /** The same elements under another shape; one length may be −1 and is then inferred. No copy. */
    public Variable reshape(long... lengths) {
        return apply(new Reshape(shape().reshaped(lengths)), this);
    }

    /** The axes in another order: axis i of the result is axis {@code order[i]} of this one. */
    public Variable permute(int... order) {
        return apply(new Permute(Arrays.stream(order).map(shape()::axis).toArray()), this);
    }

    /** Two axes exchanged. */
    public Variable transpose(int a, int b) {
        int[] order = new int[shape().rank()];
        Arrays.setAll(order, i -> i);
        order[shape().axis(a)] = shape().axis(b);
        order[shape().axis(b)] = shape().axis(a);
        return apply(new Permute(order), this);
    }

    /** The part from {@code from} (inclusive) to {@code to} (exclusive) of an axis. No copy along the first. */
    public Variable slice(int axis, long from, long to) {
        return apply(new Slice(axis, from, to), this);
    }

    /**
     * Cuts an axis into parts of the given lengths; no copy along the first.
     *
     * @throws IllegalArgumentException when the lengths do not add up to the axis
     */
    public List<Variable> split(int axis, long... lengths) {
        if (Arrays.stream(lengths).anyMatch(length -> length < 0)
                || Arrays.stream(lengths).sum() != shape().get(axis)) {
            throw new IllegalArgumentException("split: the lengths " + Arrays.toString(lengths)
                    + " do not add up to axis " + axis + " of " + shape());
        }
        Split split = new Split(shape().axis(axis), lengths);
        Variable whole = apply(split, this);
        return IntStream.range(0, lengths.length)
                .mapToObj(i -> apply(split.part(i), whole))
                .toList();
    }

    /** Variables laid one after another along an axis; their other lengths are equal. */
    public static Variable concat(int axis, List<Variable> parts) {
        return apply(new Concat(axis), parts.toArray(Variable[]::new));
    }

    /** The elements repeated along axes that are missing or of length 1. */
    public Variable broadcastTo(long... lengths) {
        return apply(new BroadcastTo(Shape.of(lengths)), this);
    }

    /**
     * {@code y[…, j, …] = x[…, index[…, j, …], …]} along an axis, as {@code torch.gather}.
     *
     * @param index I32 of the shape of the result; on every other axis no longer than this
     */
    public Variable gather(int axis, Tensor index) {
        return apply(new Gather(axis, index), this);
    }

    /**
     * Element by element {@code a} where the condition holds and {@code b} elsewhere, broadcasting.
     *
     * @param condition I32: 0 is false, anything else true
     */
    public static Variable where(Tensor condition, Variable a, Variable b) {
        return apply(new Where(condition), a, b);
    }

    /** Applies a function of the last axis to another one, by exchanging the two before and after. */
    private Variable alongLast(int axis, UnaryOperator<Variable> function) {
        int last = shape().rank() - 1;
        return shape().axis(axis) == last
                ? function.apply(this)
                : function.apply(transpose(axis, last)).transpose(axis, last);
    }

    /** As {@code softmax F32 [8, 64] on cpu}. */
    @Override
    public String toString() {
        return (node == null ? "" : node.label() + " ") + value;
    }
}
