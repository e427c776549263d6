package io.gradus.autograd;

import io.gradus.autograd.op.Abs;
import io.gradus.autograd.op.Add;
import io.gradus.autograd.op.Affine;
import io.gradus.autograd.op.Attention;
import io.gradus.autograd.op.BinaryCrossEntropy;
import io.gradus.autograd.op.BroadcastTo;
import io.gradus.autograd.op.Cast;
import io.gradus.autograd.op.Clamp;
import io.gradus.autograd.op.Concat;
import io.gradus.autograd.op.Cos;
import io.gradus.autograd.op.CrossEntropy;
import io.gradus.autograd.op.Cumsum;
import io.gradus.autograd.op.Divide;
import io.gradus.autograd.op.Dropout;
import io.gradus.autograd.op.Embedding;
import io.gradus.autograd.op.Exp;
import io.gradus.autograd.op.Gather;
import io.gradus.autograd.op.Gelu;
import io.gradus.autograd.op.Huber;
import io.gradus.autograd.op.KlDivergence;
import io.gradus.autograd.op.LayerNorm;
import io.gradus.autograd.op.Linear;
import io.gradus.autograd.op.LinearCrossEntropy;
import io.gradus.autograd.op.Log;
import io.gradus.autograd.op.LogSoftmax;
import io.gradus.autograd.op.Lstm;
import io.gradus.autograd.op.MatMul;
import io.gradus.autograd.op.Max;
import io.gradus.autograd.op.Maximum;
import io.gradus.autograd.op.Mean;
import io.gradus.autograd.op.Minimum;
import io.gradus.autograd.op.Multiply;
import io.gradus.autograd.op.Permute;
import io.gradus.autograd.op.Power;
import io.gradus.autograd.op.Relu;
import io.gradus.autograd.op.Reshape;
import io.gradus.autograd.op.RmsNorm;
import io.gradus.autograd.op.RotaryEmbedding;
import io.gradus.autograd.op.Sigmoid;
import io.gradus.autograd.op.Silu;
import io.gradus.autograd.op.Sin;
import io.gradus.autograd.op.Slice;
import io.gradus.autograd.op.Softmax;
import io.gradus.autograd.op.Split;
import io.gradus.autograd.op.Sqrt;
import io.gradus.autograd.op.Subtract;
import io.gradus.autograd.op.Sum;
import io.gradus.autograd.op.SwiGlu;
import io.gradus.autograd.op.Tanh;
import io.gradus.autograd.op.TopK;
import io.gradus.autograd.op.Where;
import io.gradus.core.AttentionOptions;
import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.GradientBuffer;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Philox;
import io.gradus.core.RopeLayout;
import io.gradus.core.Scope;
import io.gradus.core.Shape;
import io.gradus.core.ShapeException;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.ElementwiseKernels.Comparison;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * A tensor with a history: how it was computed, and its gradient. Write the forward pass with the methods of this
 * class; {@link #backward()} then computes the gradient of every parameter that took part.
 *
 * {@snippet :
 * Variable w = Variable.parameter("w", Tensor.of(new float[] {2}, 1));
 * Variable loss = w.multiply(w).sum(); // w² = 4
 * loss.backward();
 * System.out.println(w.grad()); // 2w = 4
 * }
 *
 * A <em>leaf</em> holds a tensor that no operation computed: a parameter, which requires a gradient, or a constant,
 * which does not. Every other variable is the result of an {@link Operation}, and requires a gradient if one of its
 * inputs does.
 *
 * <p>A parameter may be stored in 16 bits (BF16 or F16). Matrix products and embeddings read it directly; any other
 * operation reads a copy in F32. Results are F32. The gradient is stored in the same 16 bits: what one operation
 * contributes is summed in F32 and rounded once. If two operations share the parameter, its gradient is rounded twice;
 * if gradients accumulate over n backward passes, it is rounded n times.
 */
public final class Variable {
    private Tensor value;
    private final @Nullable Node node;
    private boolean requiresGrad;
    private boolean retainsGrad;
    private @Nullable Tensor grad;
    /** Whether {@link #grad} holds a gradient. A cleared buffer is kept and overwritten. */
    private boolean hasGrad;

    private Variable(Tensor value, @Nullable Node node, boolean requiresGrad) {
        this.value = value;
        this.node = node;
        this.requiresGrad = requiresGrad;
    }

    // ---- creation ----

    /**
     * Creates a leaf that requires a gradient.
     *
     * @param name the name used in error messages and drawings of the graph
     * @throws IllegalArgumentException if the tensor holds integers, which have no derivative
     */
    public static Variable parameter(String name, Tensor value) {
        if (!value.dtype().isFloating()) {
            throw new IllegalArgumentException(
                    "parameter '" + name + "': " + value.dtype() + " has no gradient; use to(DType.F32)");
        }
        return new Variable(value.named(name), null, true);
    }

    /** Creates a leaf that requires no gradient: data. */
    public static Variable constant(Tensor value) {
        return new Variable(value, null, false);
    }

    /** Applies an operation. The result records it if recording is on and an input requires a gradient. */
    public static Variable apply(Operation operation, Variable... inputs) {
        Variable[] read = new Variable[inputs.length];
        Tensor[] values = new Tensor[inputs.length];
        boolean recorded = false;
        for (int i = 0; i < inputs.length; i++) {
            read[i] = isRead(operation, i, inputs[i].value) ? inputs[i] : inputs[i].to(DType.F32);
            values[i] = read[i].value;
            recorded |= read[i].requiresGrad;
        }
        recorded &= Autograd.isRecording();
        Tensor value = operation.apply(recorded, values);
        ForwardListener listener = Autograd.listener();
        if (listener != null) {
            listener.computed(operation, List.of(inputs), value);
        }
        return new Variable(value, recorded ? new Node(operation, List.of(read)) : null, recorded);
    }

    /** Whether an operation reads an input in its own dtype. */
    private static boolean isRead(Operation operation, int input, Tensor value) {
        return !value.dtype().isHalf()
                || operation.readsHalf(input)
                || operation.computesInHalf() && value.backend().computesIn(value.dtype());
    }

    /** A leaf with this value, without its history, that requires a gradient if this variable does. */
    Variable leaf() {
        return leaf(value, requiresGrad);
    }

    /** A leaf without a name. */
    static Variable leaf(Tensor value, boolean requiresGrad) {
        return new Variable(value, null, requiresGrad);
    }

    // ---- properties ----

    /** The elements. */
    public Tensor value() {
        return value;
    }

    public Shape shape() {
        return value.shape();
    }

    public Device device() {
        return value.device();
    }

    /** The name of a leaf, if it has one; null for the result of an operation, even a view of a named tensor. */
    public @Nullable String name() {
        return node == null ? value.name() : null;
    }

    /**
     * Changes the name of a leaf. A module that registers another one under a name renames its parameters.
     *
     * @throws IllegalStateException if this is not a leaf
     */
    public void rename(String name) {
        if (node != null) {
            throw new IllegalStateException(
                    "rename: " + this + " is the result of an operation; only leaves have names");
        }
        value = value.named(name);
    }

    /**
     * The element of a variable with one element.
     *
     * @throws IllegalStateException if there is not exactly one element
     */
    public double item() {
        return value.item();
    }

    /** Whether this variable was created from a tensor, not by an operation. */
    public boolean isLeaf() {
        return node == null;
    }

    /** Whether backward passes compute a gradient for this variable. */
    public boolean requiresGrad() {
        return requiresGrad;
    }

    /**
     * Freezes or unfreezes a leaf.
     *
     * @throws IllegalStateException if this is not a leaf
     */
    public void setRequiresGrad(boolean requiresGrad) {
        if (node != null) {
            throw new IllegalStateException(
                    "setRequiresGrad: " + this + " is the result of an operation; use detach()");
        }
        this.requiresGrad = requiresGrad;
    }

    /** A constant with the same value: no gradient flows through it. */
    public Variable detach() {
        return constant(value);
    }

    @Nullable Node node() {
        return node;
    }

    // ---- gradients ----

    /**
     * The gradient accumulated since it was last cleared, of a leaf or of a variable that
     * {@linkplain #retainGrad() retains} it; null if there is none.
     */
    public @Nullable Tensor grad() {
        return hasGrad ? grad : null;
    }

    /** Discards the gradient, but keeps its memory for the next backward pass to overwrite. */
    public void clearGrad() {
        hasGrad = false;
    }

    /** Discards the gradient and frees its memory. */
    public void releaseGrad() {
        if (grad != null) {
            grad.release("releaseGrad() freed its memory");
        }
        grad = null;
        hasGrad = false;
    }

    /**
     * The gradient, which now belongs to the caller; this variable has none.
     *
     * @throws NullPointerException if it has none now
     */
    public Tensor takeGrad() {
        Tensor taken = Objects.requireNonNull(grad);
        grad = null;
        hasGrad = false;
        return taken;
    }

    /**
     * Sets the gradient. A tensor that this variable had before is not freed.
     *
     * @param gradient of this variable's shape, which must outlive the scope of the step
     * @throws ShapeException if it has another shape
     */
    public void setGrad(Tensor gradient) {
        if (!gradient.shape().equals(shape())) {
            throw new ShapeException(
                    "setGrad", "the gradient's shape differs", "it must be this variable's", gradient.shape(), shape());
        }
        grad = gradient;
        hasGrad = true;
    }

    /**
     * Retains the gradient of a non-leaf variable, for inspection.
     *
     * @return this variable
     */
    public Variable retainGrad() {
        retainsGrad = true;
        return this;
    }

    boolean retainsGrad() {
        return retainsGrad;
    }

    /**
     * The buffer of {@link #grad()}, which outlives the scope of the step. From now on it counts as holding a gradient.
     */
    GradientBuffer gradientBuffer() {
        Tensor buffer = grad;
        if (buffer == null) {
            buffer = Scope.outside(
                    () -> Tensor.empty(value.device(), value.dtype(), value.shape(), MemoryCategory.GRADIENTS));
            grad = buffer;
        }
        boolean accumulate = hasGrad;
        hasGrad = true;
        return new GradientBuffer(buffer, accumulate);
    }

    /**
     * Adds the gradient of this scalar to {@link #grad()} of every leaf that it depends on and that requires one, then
     * frees the graph.
     *
     * @throws IllegalStateException if this has more than one element, requires no gradient, or its graph was freed
     */
    public void backward() {
        backward(false);
    }

    /**
     * {@link #backward()} with a choice.
     *
     * @param retainGraph whether to keep the graph for another backward pass
     */
    public void backward(boolean retainGraph) {
        backward(ones(), retainGraph);
    }

    /**
     * Runs the backward pass from a variable of any shape.
     *
     * @param gradient the gradient of the loss with respect to this variable, of this variable's shape
     * @param retainGraph whether to keep the graph for another backward pass
     */
    public void backward(Tensor gradient, boolean retainGraph) {
        BackwardPass.run(this, gradient, retainGraph);
    }

    /**
     * {@link #backward()} that also frees the memory of every intermediate value as soon as the pass no longer needs
     * it, so that the gradients of a deep network take the place of its activations. Leaves, this variable, and
     * variables that {@linkplain #retainGrad() retain} their gradient keep their values, and so does everything that
     * shares memory with them.
     *
     * <p>For training loops that read only the loss. Reading any other value afterwards, including views and
     * {@linkplain #detach() detached} variables, throws {@link IllegalStateException}.
     */
    public void backwardAndRelease() {
        backwardAndRelease(_ -> {});
    }

    /**
     * {@link #backwardAndRelease()} that reports each leaf as soon as its gradient is complete, that is, when the pass
     * has visited every operation that read the leaf. A weight that several layers share is reported once. The pass no
     * longer needs the leaf's value or gradient by then: both may be changed, and the gradient's memory may be
     * {@linkplain #releaseGrad() released}.
     *
     * @param whenComplete called on this thread, during the pass
     */
    public void backwardAndRelease(Consumer<Variable> whenComplete) {
        BackwardPass.runAndRelease(this, ones(), whenComplete);
    }

    /** The gradient of this scalar with respect to itself. */
    private Tensor ones() {
        if (value.size() != 1) {
            throw new IllegalStateException("backward: " + this
                    + " is not a scalar; reduce it with sum() or mean(), or pass the gradient to start from");
        }
        return Tensor.full(value.device(), value.dtype().computed(), value.shape(), 1, MemoryCategory.GRADIENTS);
    }

    // ---- conversion and checkpointing ----

    /** This variable converted to a dtype; itself if it has that dtype already. Gradients pass through unchanged. */
    public Variable to(DType dtype) {
        return dtype == value.dtype() ? this : apply(new Cast(dtype), this);
    }

    /**
     * {@code function(this)}, with intermediate values recomputed in the backward pass instead of kept: see
     * {@link Checkpoint}.
     */
    public Variable checkpoint(UnaryOperator<Variable> function) {
        return Checkpoint.apply(inputs -> function.apply(inputs.getFirst()), this);
    }

    // ---- arithmetic, element by element, broadcasting by NumPy's rule ----

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

    /** {@code this · other}. */
    public Variable multiply(Variable other) {
        return apply(new Multiply(), this, other);
    }

    /** {@code this · number}. */
    public Variable multiply(double number) {
        return apply(new Affine(number, 0), this);
    }

    /** {@code this / other}. */
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

    /** {@code this} to the power of {@code exponent}. */
    public Variable pow(Variable exponent) {
        return apply(new Power(), this, exponent);
    }

    /** {@code this} to the power of a number. */
    public Variable pow(double exponent) {
        return pow(scalar(exponent));
    }

    /** A constant of this variable's device and dtype. */
    private Variable scalar(double number) {
        return constant(
                Tensor.full(device(), value.dtype().computed(), Shape.scalar(), number, MemoryCategory.ACTIVATIONS));
    }

    /** The smaller of two elements; where they are equal, each gets half of the gradient. */
    public Variable minimum(Variable other) {
        return apply(new Minimum(), this, other);
    }

    /** The larger of two elements; where they are equal, each gets half of the gradient. */
    public Variable maximum(Variable other) {
        return apply(new Maximum(), this, other);
    }

    // ---- comparisons, element by element, broadcasting: I32, 1 where they hold and 0 elsewhere, for where() ----

    /** {@code this < other}. */
    public Tensor lt(Variable other) {
        return compare(Comparison.LT, other);
    }

    /** {@code this < number}. */
    public Tensor lt(double number) {
        return compare(Comparison.LT, scalar(number));
    }

    /** {@code this ≤ other}. */
    public Tensor le(Variable other) {
        return compare(Comparison.LE, other);
    }

    /** {@code this ≤ number}. */
    public Tensor le(double number) {
        return compare(Comparison.LE, scalar(number));
    }

    /** {@code this > other}. */
    public Tensor gt(Variable other) {
        return compare(Comparison.GT, other);
    }

    /** {@code this > number}. */
    public Tensor gt(double number) {
        return compare(Comparison.GT, scalar(number));
    }

    /** {@code this ≥ other}. */
    public Tensor ge(Variable other) {
        return compare(Comparison.GE, other);
    }

    /** {@code this ≥ number}. */
    public Tensor ge(double number) {
        return compare(Comparison.GE, scalar(number));
    }

    /** {@code this = other}. */
    public Tensor eq(Variable other) {
        return compare(Comparison.EQ, other);
    }

    /** {@code this = number}. */
    public Tensor eq(double number) {
        return compare(Comparison.EQ, scalar(number));
    }

    /** {@code this ≠ other}. */
    public Tensor ne(Variable other) {
        return compare(Comparison.NE, other);
    }

    /** {@code this ≠ number}. */
    public Tensor ne(double number) {
        return compare(Comparison.NE, scalar(number));
    }

    private Tensor compare(Comparison comparison, Variable other) {
        Tensor a = readable();
        Tensor b = other.readable();
        Shape shape = Shape.broadcast(comparison.name().toLowerCase(Locale.ROOT), a, b);
        Tensor holds = Tensor.empty(a.device(), DType.I32, shape, MemoryCategory.ACTIVATIONS);
        a.kernels().elementwise().compare(comparison, a, b, holds);
        return holds;
    }

    /** The value in a dtype that every kernel reads. */
    private Tensor readable() {
        return value.dtype().isHalf() ? value.to(DType.F32) : value;
    }

    // ---- functions, element by element ----

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

    /** {@code |x|}; the gradient at 0 is 0. */
    public Variable abs() {
        return apply(new Abs(), this);
    }

    /** The sine, of an angle in radians. */
    public Variable sin() {
        return apply(new Sin(), this);
    }

    /** The cosine, of an angle in radians. */
    public Variable cos() {
        return apply(new Cos(), this);
    }

    /**
     * {@code min(max(x, min), max)}. The gradient passes inside the interval, and is 0 outside and at
     * its bounds.
     *
     * @param min −∞ for no lower bound
     * @param max ∞ for no upper bound
     * @throws IllegalArgumentException if {@code min > max}
     */
    public Variable clamp(double min, double max) {
        return apply(new Clamp(min, max), this);
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

    /** {@code x·Φ(x)}, with Φ the standard normal distribution function. */
    public Variable gelu() {
        return apply(new Gelu(false), this);
    }

    /** {@link #gelu()} approximated with a hyperbolic tangent ({@code approximate="tanh"} in PyTorch). */
    public Variable geluTanh() {
        return apply(new Gelu(true), this);
    }

    /** {@code x/(1 + e⁻ˣ)}. */
    public Variable silu() {
        return apply(new Silu(), this);
    }

    /**
     * {@code silu(gate) ⊙ up}, the product in a gated linear unit.
     *
     * @param up of the gate's shape
     */
    public static Variable swiglu(Variable gate, Variable up) {
        return apply(new SwiGlu(), gate, up);
    }

    // ---- reductions ----

    /**
     * The sum over some axes, which are removed.
     *
     * @param axes from 0, or negative to count from the last; none means all, which gives a scalar
     */
    public Variable sum(int... axes) {
        return sum(axes, false);
    }

    /** {@link #sum(int[], boolean)} over one axis. */
    public Variable sum(int axis, boolean keepDim) {
        return sum(new int[] {axis}, keepDim);
    }

    /**
     * The sum over some axes.
     *
     * @param axes from 0, or negative to count from the last; none means all
     * @param keepDim whether a reduced axis remains, with length 1
     */
    public Variable sum(int[] axes, boolean keepDim) {
        return apply(new Sum(axes, keepDim), this);
    }

    /**
     * The mean over some axes, which are removed.
     *
     * @param axes from 0, or negative to count from the last; none means all, which gives a scalar
     */
    public Variable mean(int... axes) {
        return mean(axes, false);
    }

    /** {@link #mean(int[], boolean)} over one axis. */
    public Variable mean(int axis, boolean keepDim) {
        return mean(new int[] {axis}, keepDim);
    }

    /**
     * The mean over some axes.
     *
     * @param axes from 0, or negative to count from the last; none means all
     * @param keepDim whether a reduced axis remains, with length 1
     */
    public Variable mean(int[] axes, boolean keepDim) {
        return apply(new Mean(axes, keepDim), this);
    }

    /**
     * The largest element along some axes, which are removed.
     *
     * @param axes from 0, or negative to count from the last; none means all, which gives a scalar
     */
    public Variable max(int... axes) {
        return max(axes, false);
    }

    /** {@link #max(int[], boolean)} over one axis. */
    public Variable max(int axis, boolean keepDim) {
        return max(new int[] {axis}, keepDim);
    }

    /**
     * The largest element along some axes.
     *
     * @param axes from 0, or negative to count from the last; none means all
     * @param keepDim whether a reduced axis remains, with length 1
     */
    public Variable max(int[] axes, boolean keepDim) {
        return apply(new Max(axes, keepDim), this);
    }

    /**
     * The index of the largest element along an axis, which is removed; the first of several equal ones.
     *
     * @return I32
     */
    public Tensor argmax(int axis) {
        int along = value.axis("argmax", axis);
        Shape shape = shape();
        if (shape.get(along) == 0) {
            throw new ShapeException("argmax", "axis " + axis + " has no elements", "choose another axis", value);
        }
        Shape without =
                shape.sub(0, along).append(shape.sub(along + 1, shape.rank()).toArray());
        return TopK.of(detach(), 1, along).indices().reshape(without);
    }

    /**
     * The k largest elements along an axis, in descending order, and their indices. Their gradient goes to the elements
     * at the indices.
     */
    public TopK.Result topk(long k, int axis) {
        return TopK.of(this, k, axis);
    }

    /** The cumulative sum along an axis: {@code yᵢ = x₀ + x₁ + … + xᵢ}. */
    public Variable cumsum(int axis) {
        return apply(new Cumsum(axis), this);
    }

    // ---- networks ----

    /** The matrix product over the last two axes. The axes before them are a batch and broadcast. */
    public Variable matmul(Variable other) {
        return matmul(other, false, false);
    }

    /** The matrix product, with either operand read as its transpose. */
    public Variable matmul(Variable other, boolean transposeThis, boolean transposeOther) {
        boolean oneForAll = shape().rank() > 2 && other.shape().rank() == 2 && !transposeThis;
        return oneForAll
                ? apply(new Linear("matmul", transposeOther), this, other)
                : apply(new MatMul(transposeThis, transposeOther), this, other);
    }

    /**
     * A linear layer on the last axis, {@code this·Wᵀ + b}.
     *
     * @param weight {@code [out, in]}, as in PyTorch
     * @param bias {@code [out]}, or null
     */
    public Variable linear(Variable weight, @Nullable Variable bias) {
        return linear(weight, bias, true);
    }

    /**
     * A linear layer on the last axis: {@code this·Wᵀ + b}, or {@code this·W + b}.
     *
     * @param weight {@code [out, in]} if it is transposed, otherwise {@code [in, out]} as in GPT-2
     * @param bias {@code [out]}, or null
     */
    public Variable linear(Variable weight, @Nullable Variable bias, boolean transposeWeight) {
        Linear linear = new Linear(transposeWeight);
        return bias == null ? apply(linear, this, weight) : apply(linear, this, weight, bias);
    }

    /** Softmax along an axis. */
    public Variable softmax(int axis) {
        return alongLast(value.axis("softmax", axis), x -> apply(new Softmax(), x));
    }

    /** The logarithm of the softmax along an axis. */
    public Variable logSoftmax(int axis) {
        return alongLast(value.axis("logSoftmax", axis), x -> apply(new LogSoftmax(), x));
    }

    /** The mean cross-entropy of these logits, ignoring targets of {@value CrossEntropy#IGNORE_INDEX}; a scalar. */
    public Variable crossEntropy(Tensor targets) {
        return crossEntropy(targets, CrossEntropyOptions.of(Reduction.MEAN));
    }

    /**
     * The cross-entropy of these logits {@code […, V]}.
     *
     * @param targets I32 {@code […]}, each in 0 … V−1 or {@link CrossEntropyOptions#ignoreIndex}
     * @return a scalar, or {@code […]} without reduction
     * @throws IllegalArgumentException if a target is not a class, or if the mean is requested and every target is
     *     ignored
     */
    public Variable crossEntropy(Tensor targets, CrossEntropyOptions options) {
        return apply(new CrossEntropy(targets, options), this);
    }

    /**
     * {@code linear(weight, null).crossEntropy(targets, options)} that holds only a few rows of logits at a time: see
     * {@link LinearCrossEntropy}.
     *
     * @param weight {@code [V, D]}, where this is {@code […, D]}
     * @param targets I32 {@code […]}, each in 0 … V−1 or {@link CrossEntropyOptions#ignoreIndex}
     * @param chunk rows of logits held at a time, or 0 to choose automatically
     *     ({@link LinearCrossEntropy#defaultChunk})
     */
    public Variable linearCrossEntropy(Variable weight, Tensor targets, CrossEntropyOptions options, int chunk) {
        return linearCrossEntropy(weight, null, targets, options, chunk, 0);
    }

    /**
     * The same of logits with a bias, and of logits x that are replaced by {@code c·tanh(x/c)}, as in Gemma 2.
     *
     * @param bias {@code [V]} or null
     * @param softcap c, or 0 to leave the logits as they are
     */
    public Variable linearCrossEntropy(
            Variable weight,
            @Nullable Variable bias,
            Tensor targets,
            CrossEntropyOptions options,
            int chunk,
            double softcap) {
        LinearCrossEntropy operation = new LinearCrossEntropy(targets, options, chunk, softcap);
        return bias == null ? apply(operation, this, weight) : apply(operation, this, weight, bias);
    }

    /** {@code c·tanh(x/c)}: x within −c … c (Gemma Team 2024, section 2). */
    public Variable softcap(double c) {
        return divide(c).tanh().multiply(c);
    }

    /**
     * The Huber loss of each element: {@code ½d²} for differences d from the target up to δ, and {@code δ(|d| − ½δ)}
     * beyond.
     *
     * @param target of this variable's shape
     * @param delta δ, positive
     */
    public Variable huber(Variable target, double delta) {
        return apply(new Huber(delta), this, target);
    }

    /**
     * The binary cross-entropy of each element, a logit: {@code −t·ln σ(x) − (1 − t)·ln(1 − σ(x))}, without overflow.
     *
     * @param target t, probabilities of this variable's shape
     */
    public Variable binaryCrossEntropyWithLogits(Variable target) {
        return apply(new BinaryCrossEntropy(), this, target);
    }

    /**
     * The contribution of each element to the Kullback-Leibler divergence of a target distribution from this one:
     * {@code t·(ln t − x)} for log-probabilities x.
     *
     * @param target t, probabilities of this variable's shape
     */
    public Variable klDivergence(Variable target) {
        return apply(new KlDivergence(), this, target);
    }

    /**
     * Looks up rows of this table {@code [V, D]}.
     *
     * @param ids I32 of any shape, each in 0 … V−1
     * @return {@code [ids…, D]}
     */
    public Variable embedding(Tensor ids) {
        return embedding(ids, null);
    }

    /**
     * {@link #embedding(Tensor)} in which one row gets no gradient.
     *
     * @param paddingIndex the row, or null
     */
    public Variable embedding(Tensor ids, @Nullable Integer paddingIndex) {
        return apply(new Embedding(ids, paddingIndex), this);
    }

    /**
     * Layer normalization over the last axis, of length D.
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
     * Root-mean-square normalization over the last axis, of length D.
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
     * @param cos {@code [P, D/2]}, the cosine of the angle for each position and pair
     * @param sin {@code [P, D/2]}
     * @param positions I32 {@code [B, T]}, each in 0 … P−1
     * @param layout which two elements form a pair
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
     * A long short-term memory over the T steps of this input {@code [T, B, I]}, PyTorch's {@code nn.LSTM} with one layer
     * and the gates in its order i, f, g, o.
     *
     * @param hidden {@code [B, H]}, before the first step; likewise {@code cell}
     * @param weightIh {@code [4H, I]}
     * @param weightHh {@code [4H, H]}
     * @param biasIh {@code [4H]}
     * @param biasHh {@code [4H]}
     * @return {@code [T + 1, B, H]}: the hidden states of all steps, and then the cell state of the last
     */
    public Variable lstm(
            Variable hidden, Variable cell, Variable weightIh, Variable weightHh, Variable biasIh, Variable biasHh) {
        return apply(new Lstm(), this, hidden, cell, weightIh, weightHh, biasIh, biasHh);
    }

    /**
     * Sets elements to 0 at random and divides the others by {@code 1 − p}; for training only.
     *
     * @param p the probability of 0, at least 0 and below 1
     * @param key selects the random numbers; use a different key for each call
     */
    public Variable dropout(double p, Philox.Key key) {
        return p == 0 ? this : apply(new Dropout(p, key), this);
    }

    // ---- shape and movement ----

    /** The same elements in another shape, without a copy. One length may be −1 and is inferred. */
    public Variable reshape(long... lengths) {
        return apply(new Reshape(lengths), this);
    }

    /** The axes in another order: axis i of the result is axis {@code order[i]} of this variable. */
    public Variable permute(int... order) {
        return apply(
                new Permute(Arrays.stream(order)
                        .map(axis -> value.axis("permute", axis))
                        .toArray()),
                this);
    }

    /** Exchanges two axes. */
    public Variable transpose(int a, int b) {
        int first = value.axis("transpose", a);
        int second = value.axis("transpose", b);
        int[] order = new int[shape().rank()];
        Arrays.setAll(order, i -> i);
        order[first] = second;
        order[second] = first;
        return apply(new Permute(order), this);
    }

    /** The elements from {@code from} (inclusive) to {@code to} (exclusive) of an axis; without a copy along axis 0. */
    public Variable slice(int axis, long from, long to) {
        return apply(new Slice(axis, from, to), this);
    }

    /**
     * Splits an axis into parts of the given lengths; without a copy along axis 0.
     *
     * @throws IllegalArgumentException if the lengths do not add up to the axis
     */
    public List<Variable> split(int axis, long... lengths) {
        int along = value.axis("split", axis);
        if (Arrays.stream(lengths).anyMatch(length -> length < 0)
                || Arrays.stream(lengths).sum() != shape().get(along)) {
            throw new IllegalArgumentException("split: the lengths " + Arrays.toString(lengths)
                    + " do not add up to axis " + axis + " of " + value.describe());
        }
        Split split = new Split(along, lengths);
        Variable whole = apply(split, this);
        return IntStream.range(0, lengths.length)
                .mapToObj(i -> apply(split.part(i), whole))
                .toList();
    }

    /** Joins variables along an axis. All their other lengths are equal. */
    public static Variable concat(int axis, List<Variable> parts) {
        return apply(new Concat(axis), parts.toArray(Variable[]::new));
    }

    /** Repeats the elements along axes that are missing or of length 1. */
    public Variable broadcastTo(long... lengths) {
        return apply(new BroadcastTo(Shape.of(lengths)), this);
    }

    /**
     * {@code y[…, j, …] = x[…, index[…, j, …], …]} along an axis, like {@code torch.gather}.
     *
     * @param index I32 of the result's shape; on every other axis no longer than this variable
     */
    public Variable gather(int axis, Tensor index) {
        return apply(new Gather(axis, index), this);
    }

    /**
     * {@code a} where the condition holds and {@code b} elsewhere, element by element, broadcasting.
     *
     * @param condition I32: 0 is false, anything else true
     */
    public static Variable where(Tensor condition, Variable a, Variable b) {
        return apply(new Where(condition), a, b);
    }

    /** Applies a function of the last axis to another axis, by exchanging the two before and after. */
    private Variable alongLast(int axis, UnaryOperator<Variable> function) {
        int last = shape().rank() - 1;
        return axis == last
                ? function.apply(this)
                : function.apply(transpose(axis, last)).transpose(axis, last);
    }

    /** As {@code softmax F32 [8, 64] on cpu}. */
    @Override
    public String toString() {
        return (node == null ? "" : node.label() + " ") + value;
    }
}
