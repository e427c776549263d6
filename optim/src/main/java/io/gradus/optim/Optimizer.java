package io.gradus.optim;

import io.gradus.autograd.Variable;
import io.gradus.core.DType;
import io.gradus.core.Scope;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.Checks;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Updates parameters from their gradients and keeps the state that its method needs for each of them.
 *
 * <pre>{@code
 * Optimizer optimizer = new AdamW(ParameterGroups.withWeightDecay(model.parameters(), 0.1), 3e-4);
 * Schedule schedule = Schedule.cosine(100, 1000, 0.1);
 * for (int step = 0; step < 1000; step++) {
 *     optimizer.zeroGrad();
 *     loss(batch).backward();
 *     optimizer.setLearningRate(schedule, step);
 *     optimizer.step();
 * }
 * }</pre>
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
 * <pre>{@code
 * final class Momentum extends Optimizer {
 *     Momentum(List<ParameterGroup> groups, double learningRate) {
 *         super(groups, learningRate, "momentum_buffer");
 *     }
 *
 *     protected void update(ParameterStep step) {
 *         Tensor average = step.state("momentum_buffer");
 *         InPlace.lerp(average, step.gradient(), 0.1);
 *         InPlace.add(step.weight(), average, -step.learningRate());
 *     }
 * }
 * }</pre>
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

    // ---- the step ----

    /** {@link #step(double)} with gradients as they are. */
    public final void step() {
        step(1);
    }

    /**
     * Changes every parameter that has a gradient and is not frozen. The gradients themselves stay as they are.
     *
     * @param gradientScale what each gradient is multiplied by first, at no cost: to average over what was accumulated,
     *     and to {@linkplain GradientClipping#factor clip}
     * @throws IllegalArgumentException when the scale is negative or not finite; nothing has changed then
     */
    public final void step(double gradientScale) {
        requireNotNegative("the gradient scale", gradientScale);
        for (ParameterGroup group : groups) {
            for (Variable parameter : group.parameters()) {
                Tensor gradient = parameter.grad();
                if (gradient != null && parameter.requiresGrad()) {
                    step(group, parameter, gradient, gradientScale);
                }
            }
        }
    }

    private void step(ParameterGroup group, Variable parameter, Tensor gradient, double gradientScale) {
        OptimizerState.Entry entry = state.of(parameter);
        Tensor weight = state.weight(parameter);
        double rate = learningRate * group.learningRateFactor();
        entry.steps++;
        try (Scope _ = Scope.open("optimizer step")) {
            update(new ParameterStep(group, rate, weight, Precision.widen(gradient), gradientScale, entry));
        }
        if (penalty != null) {
            penalty.pull(parameter, weight, rate);
        }
        if (weight != parameter.value()) {
            parameter.value().copyFrom(weight);
        }
    }

    /**
     * The backward pass and the step in one (Lv et al. 2023, LOMO): each parameter is changed as soon as its gradient is
     * complete, and the gradient's memory given back. So there is about one gradient at a time, where all of them take as
     * much as the weights. The weights become those of {@code loss.backwardAndRelease()} and {@link #step(double)}, to the
     * bit.
     *
     * <p>What needs all gradients before the first step cannot be had: clipping by their common norm, adding up several
     * passes, and skipping a step because of one that is not finite.
     *
     * @param loss a scalar that is finite; better look before than after
     * @param gradientScale as of {@link #step(double)}
     * @return the Euclidean norm of all gradients as one vector, before scaling; for looking at
     * @throws IllegalArgumentException when the scale is negative or not finite; nothing has changed then
     * @throws IllegalStateException when a parameter has a gradient from before; nothing has changed then
     * @throws ArithmeticException when a gradient is not finite; names the parameter. It and those before it in the network
     *     have not changed then, but those behind it have, so that training can only go on from a checkpoint
     */
    public final double stepInBackward(Variable loss, double gradientScale) {
        requireNotNegative("the gradient scale", gradientScale);
        requireNoGradients();
        Map<Variable, ParameterGroup> groupOf = new IdentityHashMap<>();
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

    /** Refuses gradients that are there already, and gives back the memory of those that are forgotten. */
    private void requireNoGradients() {
        List<String> held = parameters().stream()
                .filter(parameter -> parameter.grad() != null)
                .map(ParameterGroup::nameOf)
                .toList();
        if (!held.isEmpty()) {
            throw new IllegalStateException(
                    method() + ": a step inside the backward pass cannot add to gradients that are"
                            + " there already, as of " + Names.few(held)
                            + "; call zeroGrad() before, and to accumulate gradients use backward() and step()");
        }
        parameters().forEach(Variable::releaseGrad);
    }

    private double finiteSquares(Variable parameter, Tensor gradient) {
        double squares = GradientClipping.sumOfSquares(List.of(gradient));
        if (!Double.isFinite(squares)) {
            throw new ArithmeticException(method() + ": the gradient of " + ParameterGroup.nameOf(parameter)
                    + " is not finite, and layers behind it have made their step already; go on from a checkpoint with"
                    + " a lower learning rate or a longer warm-up, or without steps inside the backward pass");
        }
        return squares;
    }

    /** Forgets the gradients of all parameters. */
    public final void zeroGrad() {
        parameters().forEach(Variable::clearGrad);
    }

    /**
     * Holds the weights near where they started: from now on each step ends with the penalty's pull, at the rate of the
     * parameter's group.
     *
     * @param penalty null to let go
     * @throws IllegalArgumentException that names the parameters that the penalty does not know; nothing has changed
     *     then
     */
    public final void setPenalty(@Nullable ProximalPenalty penalty) {
        if (penalty != null) {
            penalty.requireCovers(method(), parameters());
        }
        this.penalty = penalty;
    }

    // ---- parameters and their rate ----

    public final List<ParameterGroup> groups() {
        return groups;
    }

    /** The parameters of all groups, in their order. */
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
