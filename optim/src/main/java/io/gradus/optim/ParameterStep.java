package io.gradus.optim;

import io.gradus.core.MemoryCategory;
import io.gradus.core.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * One optimizer step of one parameter: what {@link Optimizer#update} reads and changes. Tensors that an update allocates
 * are freed when it returns.
 */
public final class ParameterStep {
    private final ParameterGroup group;
    private final double learningRate;
    private final Tensor weight;
    private final Tensor storedGradient;
    private final double gradientScale;
    private final OptimizerState.Entry state;
    private final @Nullable Tensor rounded;
    private boolean isRounded;
    private @Nullable Tensor unscaledGradient;
    private @Nullable Tensor gradient;

    ParameterStep(
            ParameterGroup group,
            double learningRate,
            Tensor weight,
            Tensor storedGradient,
            double gradientScale,
            OptimizerState.Entry state,
            @Nullable Tensor rounded) {
        this.group = group;
        this.learningRate = learningRate;
        this.weight = weight;
        this.storedGradient = storedGradient;
        this.gradientScale = gradientScale;
        this.state = state;
        this.rounded = rounded;
    }

    /** θ, to be changed in place. For a 16-bit parameter this is its F32 master, from which the parameter is rounded. */
    public Tensor weight() {
        return weight;
    }

    /**
     * The gradient times {@link #gradientScale()}, in the shape and dtype of {@link #weight()}. It is a copy, which the
     * update may overwrite.
     */
    public Tensor gradient() {
        if (gradient == null) {
            gradient = Tensor.empty(weight.device(), weight.dtype(), weight.shape(), MemoryCategory.WORKSPACE);
            weight.kernels().elementwise().affine(unscaledGradient(), gradientScale, 0, gradient, false);
        }
        return gradient;
    }

    /**
     * A state tensor of this parameter, to be changed in place; zeros before the first step.
     *
     * @param name as given to the optimizer's constructor
     * @throws IllegalArgumentException if the constructor declared no such tensor
     */
    public Tensor state(String name) {
        Tensor tensor = state.tensors.get(name);
        if (tensor == null) {
            throw new IllegalArgumentException("optimizer state: '" + name + "' was not declared, only "
                    + state.tensors.keySet() + "; pass its name to the constructor of Optimizer");
        }
        return tensor;
    }

    /** η: the optimizer's current learning rate times the factor of the parameter's group. */
    public double learningRate() {
        return learningRate;
    }

    /** λ of the parameter's group. */
    public double weightDecay() {
        return group.weightDecay();
    }

    /** The number of this step, counted from 1 for each parameter. */
    public long number() {
        return state.steps;
    }

    // ---- for kernels that scale the gradient themselves ----

    /**
     * The gradient before scaling, in the dtype of {@link #weight()}, for a kernel that takes {@link #gradientScale()} as
     * well. It must not be changed.
     */
    public Tensor unscaledGradient() {
        if (unscaledGradient == null) {
            unscaledGradient = Precision.widen(storedGradient);
        }
        return unscaledGradient;
    }

    /** {@link #unscaledGradient} in the dtype of the parameter, for a kernel that reads 16-bit floats. */
    Tensor storedGradient() {
        return storedGradient;
    }

    /**
     * The 16-bit parameter whose master {@link #weight()} is, for a kernel that rounds the parameter itself. The caller must do
     * so; otherwise the optimizer does. Null if there is no such parameter, or a penalty changes the weight after the update.
     */
    @Nullable Tensor takeRounded() {
        isRounded = rounded != null;
        return rounded;
    }

    /** Whether the update has rounded the parameter. */
    boolean isRounded() {
        return isRounded;
    }

    /** The factor given to {@link Optimizer#step(double)}. */
    public double gradientScale() {
        return gradientScale;
    }
}
