package io.gradus.optim;

import io.gradus.autograd.Variable;
import io.gradus.core.DType;
import io.gradus.core.Names;
import io.gradus.core.Scope;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.Checks;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Updates parameters from their gradients and keeps the state that its method needs for each of them.
 *
 * {@snippet :
 * Variable w = Variable.parameter("w", Tensor.of(new float[] {3, -2}, 1, 2));
 * Optimizer optimizer = new AdamW(ParameterGroups.withWeightDecay(List.of(w), 0.1), 1e-2);
 * Schedule schedule = Schedule.cosine(100, 1000, 0.1);
 * for (int step = 0; step < 1000; step++) {
 *     optimizer.zeroGrad();
 *     w.multiply(w).sum().backward();
 *     optimizer.setLearningRate(schedule, step);
 *     optimizer.step();
 * }
 * }
 *
 * <p>State is allocated by the constructor, so that a run that does not fit in memory fails at its start, and outlives
 * every {@link Scope}. A frozen parameter has no state; one that is unfrozen later is given state at its first step. A
 * parameter without a gradient is skipped, and steps are counted for each parameter, as in PyTorch.
 *
 * <p>A 16-bit parameter is updated through an F32 master, which is part of the state: see {@link #weight}.
 *
 * <h2>Your own optimizer</h2>
 *
 * Extend this class, declare the state tensors, and write one parameter's step with the operations of {@link InPlace}.
 * Saving and resuming, parameter groups, 16-bit masters, penalties, steps in the backward pass and memory planning then work
 * as for the built-in optimizers.
 *
 * {@snippet :
 * final class Momentum extends Optimizer {
 *     Momentum(List<ParameterGroup> groups, double learningRate) {
 *         super(groups, learningRate, "momentum_buffer");
 *     }
 *
 *     @Override
 *     protected void update(ParameterStep step) {
 *         Tensor average = step.state("momentum_buffer");
 *         InPlace.lerp(average, step.gradient(), 0.1);
 *         InPlace.add(step.weight(), average, -step.learningRate());
 *     }
 * }
 * }
 */
public abstract class Optimizer {
    private final List<ParameterGroup> groups;
    private final OptimizerState state;
    private final double baseLearningRate;
    private double learningRate;
    private @Nullable ProximalPenalty penalty;

    /** Creates an optimizer from parameter groups and a base learning rate, such as {@code AdamW::new}. */
    @FunctionalInterface
    public interface Factory {
        Optimizer create(List<ParameterGroup> groups, double learningRate);
    }

    /**
     * A tensor that an optimizer keeps for one parameter.
     *
     * @param dtype a 16-bit dtype is replaced by the one that it is computed in
     */
    public record StateTensor(String name, DType dtype, Shape shape) {
        /** A tensor of the shape and dtype of a parameter. */
        public static StateTensor like(Tensor parameter, String name) {
            return new StateTensor(name, parameter.dtype(), parameter.shape());
        }
    }

    /**
     * An optimizer whose state tensors have the shape of the parameter.
     *
     * @param learningRate the base learning rate, which applies until {@link #setLearningRate} changes it
     * @param stateNames of the tensors kept for each parameter; they start as zeros. {@code step} and {@code master} are
     *     reserved
     * @throws IllegalArgumentException if the rate is negative or not finite, a parameter or a name occurs twice, there is
     *     no parameter, or a parameter has a dtype that its device does not compute in
     */
    protected Optimizer(List<ParameterGroup> groups, double learningRate, String... stateNames) {
        this(
                groups,
                learningRate,
                parameter -> Stream.of(stateNames)
                        .map(name -> StateTensor.like(parameter, name))
                        .toList());
    }

    /**
     * An optimizer whose state tensors depend on the parameter's shape.
     *
     * @param stateTensors the tensors kept for a parameter of this shape and dtype; they start as zeros
     * @throws IllegalArgumentException as the other constructor
     */
    protected Optimizer(
            List<ParameterGroup> groups, double learningRate, Function<Tensor, List<StateTensor>> stateTensors) {
        this.groups = List.copyOf(groups);
        this.state = new OptimizerState(method(), stateTensors);
        requireNotNegative("the learning rate", learningRate);
        this.baseLearningRate = learningRate;
        this.learningRate = learningRate;
        ParameterGroups.requireDistinct(method(), this.groups);
        for (Variable parameter : parameters()) {
            requireTrainable(parameter);
            if (parameter.requiresGrad()) {
                state.of(parameter);
            }
        }
    }

    /**
     * Updates one parameter: changes {@link ParameterStep#weight()} and the state tensors in place. Called once per step for
     * each parameter with a gradient; weight decay is part of the method, and so up to the update.
     */
    protected abstract void update(ParameterStep step);

    /**
     * How the update of one parameter may be divided among processes. The default, {@link Sharding#WHOLE}, is right for every method;
     * a method that treats each element by itself can return {@link Sharding#RANGES}, which divides the work and the state more
     * evenly.
     */
    public Sharding sharding() {
        return Sharding.WHOLE;
    }

    // ---- the step ----

    /** {@link #step(double)} with a scale of 1. */
    public final void step() {
        step(1);
    }

    /**
     * Updates every parameter that has a gradient and is not frozen. The gradients are not changed.
     *
     * @param gradientScale multiplies each gradient, at no cost: to average accumulated gradients, and to
     *     {@linkplain GradientClipping#factor clip} them
     * @throws IllegalArgumentException if the scale is negative or not finite; changes nothing
     */
    public final void step(double gradientScale) {
        step(gradientScale, _ -> {});
    }

    /**
     * {@link #step(double)} that reports each parameter as soon as it is updated.
     *
     * @param updated called on this thread
     */
    public final void step(double gradientScale, Consumer<Variable> updated) {
        requireNotNegative("the gradient scale", gradientScale);
        for (ParameterGroup group : groups) {
            for (Variable parameter : group.parameters()) {
                Tensor gradient = parameter.grad();
                if (gradient != null && parameter.requiresGrad()) {
                    step(group, parameter, gradient, gradientScale);
                    updated.accept(parameter);
                }
            }
        }
    }

    private void step(ParameterGroup group, Variable parameter, Tensor gradient, double gradientScale) {
        OptimizerState.Entry entry = state.of(parameter);
        Tensor weight = state.weight(parameter);
        double rate = learningRate * group.learningRateFactor();
        entry.steps++;
        Tensor rounded = weight == parameter.value() ? null : parameter.value();
        ParameterStep step = new ParameterStep(
                group, rate, weight, gradient, gradientScale, entry, penalty == null ? rounded : null);
        try (Scope _ = Scope.open("optimizer step")) {
            update(step);
        }
        if (penalty != null) {
            penalty.proximalStep(parameter, weight, rate);
        }
        if (rounded != null && !step.isRounded()) {
            rounded.copyFrom(weight);
        }
    }

    /**
     * Runs the backward pass and updates each parameter as soon as its gradient is complete, then frees the gradient (LOMO; Lv et
     * al. 2023). Only about one gradient exists at a time, whereas all gradients take as much memory as the weights. The weights
     * have the same bits as after {@code loss.backwardAndRelease()} and {@link #step(double)}.
     *
     * <p>Whatever needs all gradients before the first update is not possible: clipping by global norm, gradient accumulation, and
     * skipping a step because a gradient is not finite.
     *
     * @param loss a finite scalar; check it before the call
     * @param gradientScale as in {@link #step(double)}
     * @return the Euclidean norm of all gradients as one vector, before scaling; for logging only
     * @throws IllegalArgumentException if the scale is negative or not finite; changes nothing
     * @throws IllegalStateException if a parameter already has a gradient; changes nothing
     * @throws ArithmeticException if a gradient is not finite; names the parameter. That parameter and all earlier layers are
     *     unchanged, but later layers have already been updated, so training can continue only from a checkpoint
     */
    public final double stepInBackward(Variable loss, double gradientScale) {
        requireNotNegative("the gradient scale", gradientScale);
        requireNoGradients();
        IdentityHashMap<Variable, ParameterGroup> groupOf = new IdentityHashMap<>();
        for (ParameterGroup group : groups) {
            group.parameters().forEach(parameter -> groupOf.put(parameter, group));
        }
        double[] squares = new double[1];
        loss.backwardAndRelease(parameter -> {
            ParameterGroup group = groupOf.get(parameter);
            if (group != null) {
                Tensor gradient = Objects.requireNonNull(parameter.grad());
                squares[0] += finiteSquares(parameter, gradient);
                step(group, parameter, gradient, gradientScale);
                parameter.releaseGrad();
            }
        });
        return Math.sqrt(squares[0]);
    }

    /** Rejects existing gradients, and frees the buffers of cleared ones. */
    private void requireNoGradients() {
        List<String> held = parameters().stream()
                .filter(parameter -> parameter.grad() != null)
                .map(ParameterGroup::nameOf)
                .toList();
        if (!held.isEmpty()) {
            throw new IllegalStateException(
                    method() + ": stepInBackward cannot add to existing gradients, as of " + Names.few(held)
                            + "; call zeroGrad() first, or use backward() and step() to accumulate gradients");
        }
        parameters().forEach(Variable::releaseGrad);
    }

    private double finiteSquares(Variable parameter, Tensor gradient) {
        double squares = GradientClipping.sumOfSquares(List.of(gradient));
        if (!Double.isFinite(squares)) {
            throw new ArithmeticException(method() + ": the gradient of " + ParameterGroup.nameOf(parameter)
                    + " is not finite, and later layers have already been updated; continue from a checkpoint with a"
                    + " lower learning rate or a longer warmup, or without stepInBackward");
        }
        return squares;
    }

    /**
     * Clears the gradients of all parameters: {@code grad()} is null afterwards, as with PyTorch's {@code set_to_none=True}. The
     * next backward pass reuses the buffers.
     */
    public final void zeroGrad() {
        parameters().forEach(Variable::clearGrad);
    }

    /**
     * Sets the penalty on the distance from the anchor weights. Each step then ends with the penalty's proximal step, at the
     * learning rate of the parameter's group.
     *
     * @param penalty null to remove the penalty
     * @throws IllegalArgumentException if the penalty does not cover a parameter; names it, and changes nothing
     */
    public final void setPenalty(@Nullable ProximalPenalty penalty) {
        if (penalty != null) {
            penalty.requireCovers(method(), parameters());
        }
        this.penalty = penalty;
    }

    // ---- parameters and their learning rate ----

    /** The groups given to the constructor. */
    public final List<ParameterGroup> groups() {
        return groups;
    }

    /** The parameters of all groups, in order. */
    public final List<Variable> parameters() {
        return groups.stream().flatMap(group -> group.parameters().stream()).toList();
    }

    /** The learning rate given to the constructor: the peak of a schedule. */
    public final double baseLearningRate() {
        return baseLearningRate;
    }

    /** The current learning rate of groups whose factor is 1. */
    public final double learningRate() {
        return learningRate;
    }

    /**
     * Sets the learning rate of the following steps to {@link #baseLearningRate()} times {@link Schedule#factor}.
     *
     * @param step the number of steps done: 0 for the first
     */
    public final void setLearningRate(Schedule schedule, long step) {
        setLearningRate(baseLearningRate * schedule.factor(step));
    }

    /**
     * Sets the learning rate of the following steps, whatever the base learning rate is.
     *
     * @throws IllegalArgumentException if it is negative or not finite
     */
    public final void setLearningRate(double learningRate) {
        requireNotNegative("the learning rate", learningRate);
        this.learningRate = learningRate;
    }

    // ---- state ----

    /**
     * The weights in the precision that they are trained in: the F32 master of a 16-bit parameter, from which the parameter
     * is rounded after each step; the value of any other parameter, and of a frozen one without state. Save these.
     */
    public final Tensor weight(Variable parameter) {
        return state.weight(parameter);
    }

    /**
     * Initializes the master of a 16-bit parameter from the numbers that the parameter was rounded from, such as a
     * checkpoint's in F32. Without this call it starts from the rounded numbers. Does nothing for an F32 parameter.
     *
     * @throws io.gradus.core.ShapeException if the shapes differ
     */
    public final void initMasterWeight(Variable parameter, Tensor exact) {
        if (OptimizerState.needsMaster(parameter)) {
            Tensor master = Objects.requireNonNull(state.of(parameter).master);
            master.copyFrom(exact);
            parameter.value().copyFrom(master);
        }
    }

    /**
     * All state by PyTorch's names after the parameter's: {@code <parameter>.exp_avg} in the parameter's shape, and
     * {@code <parameter>.step}, an I32 scalar. A 16-bit parameter also has {@code <parameter>.master}, its weights in F32.
     * The tensors are the optimizer's own, not copies. The learning rate is not included, since it follows from the
     * schedule, and neither is {@linkplain #setPenalty a penalty}.
     */
    public final Map<String, Tensor> state() {
        return state.tensors();
    }

    /**
     * The state tensors that a parameter has or would have, with its master but without the number of steps.
     *
     * @param parameter of which only the shape and the dtype are read
     */
    public final List<StateTensor> layout(Variable parameter) {
        return state.layout(parameter);
    }

    /**
     * Restores what {@link #state()} returned, of any dtype and device; training then continues as if it had not stopped. A
     * parameter that is frozen now may have state or not.
     *
     * @throws IllegalArgumentException if a tensor is missing, unexpected or of another shape; names it, and changes
     *     nothing
     */
    public final void load(Map<String, Tensor> saved) {
        state.load(parameters(), saved);
    }

    private void requireTrainable(Variable parameter) {
        Tensor value = parameter.value();
        if (!OptimizerState.needsMaster(parameter) || value.device().type().equals("reference")) {
            Checks.computable(method() + ": " + ParameterGroup.nameOf(parameter), value);
        }
    }

    private void requireNotNegative(String what, double value) {
        if (!(value >= 0) || Double.isInfinite(value)) {
            throw new IllegalArgumentException(
                    method() + ": " + what + " is " + value + "; it must be a number of at least 0");
        }
    }

    /** The method's name, as errors mention it. */
    private String method() {
        return getClass().getSimpleName();
    }
}
