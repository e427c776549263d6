package io.gradus.optim;

import io.gradus.autograd.Variable;
import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Scope;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.Checks;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Changes parameters by their gradients, and remembers what its method needs of each.
 *
 * <pre>{@code
 * Optimizer optimizer = new AdamW(ParameterGroups.decayed(model.parameters(), 0.1), 3e-4);
 * Schedule schedule = Schedule.cosine(100, 1000, 0.1);
 * for (int step = 0; step < 1000; step++) {
 *     optimizer.zeroGrad();
 *     loss(batch).backward();
 *     optimizer.setLearningRate(3e-4 * schedule.factor(step));
 *     optimizer.step();
 * }
 * }</pre>
 *
 * <p>State is allocated when the optimiser is made, so that a run that does not fit fails at its start, and outlives
 * every {@link Scope}. A frozen parameter has none; one that is thawed later gets it at its first step. A parameter
 * without a gradient is skipped, and steps are counted for each parameter, as in PyTorch.
 *
 * <p>A parameter of 16 bits is changed through a master in F32, which is part of the state: see {@link #weight}.
 */
public abstract sealed class Optimizer permits Sgd, Adam, Adafactor, AdamW8bit {
    private static final String STEP = "step";

    private final List<ParameterGroup> groups;
    private final Function<Tensor, List<Buffer>> buffers;
    private final Map<String, State> states = new LinkedHashMap<>();
    private final MasterWeights masters = new MasterWeights();
    private double learningRate;
    private @Nullable ElasticPenalty penalty;

    /** @param bufferNames what is remembered of each parameter, in tensors of its shape that start as zeros */
    Optimizer(List<ParameterGroup> groups, double learningRate, List<String> bufferNames) {
        this(
                groups,
                learningRate,
                value -> bufferNames.stream()
                        .map(name -> Buffer.like(value, name))
                        .toList());
    }

    /** @param buffers what is remembered of a parameter of this shape and dtype */
    Optimizer(List<ParameterGroup> groups, double learningRate, Function<Tensor, List<Buffer>> buffers) {
        this.groups = List.copyOf(groups);
        this.buffers = buffers;
        setLearningRate(learningRate);
        ParameterGroups.requireDistinct(method(), this.groups);
        for (Variable parameter : parameters()) {
            requireTrainable(parameter);
            if (parameter.requiresGrad()) {
                stateOf(parameter);
            }
        }
    }

    /** A tensor that is remembered of one parameter; zeros at first. */
    record Buffer(String name, DType dtype, Shape shape) {
        static Buffer like(Tensor value, String name) {
            return new Buffer(name, value.dtype(), value.shape());
        }
    }

    /** What is remembered of one parameter. */
    private static final class State {
        final List<Buffer> layout;
        final List<Tensor> buffers;
        long steps;

        State(List<Buffer> layout, List<Tensor> buffers) {
            this.layout = layout;
            this.buffers = buffers;
        }
    }

    /**
     * Changes one parameter.
     *
     * @param buffers in the order given at construction
     * @param step counted from 1
     */
    abstract void update(
            ParameterGroup group,
            Tensor parameter,
            Tensor gradient,
            List<Tensor> buffers,
            double gradientScale,
            long step);

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
        State state = stateOf(parameter);
        Tensor weight = masters.of(parameter);
        state.steps++;
        try (Widened wide = Widened.of(gradient)) {
            update(group, weight, wide.tensor(), state.buffers, gradientScale, state.steps);
        }
        if (penalty != null) {
            penalty.pull(parameter, weight, learningRate(group));
        }
        masters.write(parameter);
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
                    + " is not finite, and layers behind it have made their step already; go on from a checkpoint with a"
                    + " lower learning rate or a longer warm-up, or without steps inside the backward pass");
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
    public final void holdWith(@Nullable ElasticPenalty penalty) {
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

    /** The learning rate of groups whose factor is 1. */
    public final double learningRate() {
        return learningRate;
    }

    /**
     * Sets the rate of the steps from now on: the peak rate times {@link Schedule#factor}.
     *
     * @throws IllegalArgumentException when it is negative or not finite
     */
    public final void setLearningRate(double learningRate) {
        requireNotNegative("the learning rate", learningRate);
        this.learningRate = learningRate;
    }

    final double learningRate(ParameterGroup group) {
        return learningRate * group.learningRateFactor();
    }

    // ---- masters of parameters of 16 bits ----

    /**
     * The weights in the precision that they are trained in: of a parameter of 16 bits the F32 master, from which it is
     * rounded after each step; of any other its own value. This is what to save.
     */
    public final Tensor weight(Variable parameter) {
        return masters.of(parameter);
    }

    /**
     * Starts the master of a parameter of 16 bits from the numbers that the parameter was rounded from, such as a
     * checkpoint's in F32; otherwise it starts from the rounded ones. Does nothing for a parameter of F32.
     *
     * @throws io.gradus.core.ShapeException when the shapes differ
     */
    public final void startMaster(Variable parameter, Tensor exact) {
        if (MasterWeights.isNeeded(parameter)) {
            masters.of(parameter).copyFrom(exact);
            masters.write(parameter);
        }
    }

    private void requireTrainable(Variable parameter) {
        Tensor value = parameter.value();
        if (!MasterWeights.isNeeded(parameter) || value.device().type().equals("reference")) {
            Checks.computable(method() + ": " + ParameterGroup.nameOf(parameter), value);
        }
    }

    // ---- state ----

    /**
     * All that the optimiser remembers, under PyTorch's names after the parameter's: {@code <parameter>.exp_avg} of the
     * parameter's shape, and {@code <parameter>.step}, an I32 scalar. The tensors are the optimiser's own and not
     * copies; the learning rate is not among them, for it follows from the schedule, nor is what a penalty
     * {@linkplain #holdWith holds to}. A parameter of 16 bits also has {@code <parameter>.master}, its weights in F32.
     */
    public final Map<String, Tensor> state() {
        Map<String, Tensor> named = new LinkedHashMap<>();
        states.forEach((parameter, state) -> {
            for (int i = 0; i < state.layout.size(); i++) {
                named.put(parameter + "." + state.layout.get(i).name(), state.buffers.get(i));
            }
            named.put(parameter + "." + STEP, Tensor.of(Device.cpu(), new int[] {Math.toIntExact(state.steps)}));
        });
        masters.all().forEach((parameter, master) -> named.put(parameter + "." + MasterWeights.NAME, master));
        return named;
    }

    /**
     * Takes over what {@link #state()} gave, of any dtype and device; training then goes on as if it had not stopped. A
     * parameter that is frozen now may have state or not.
     *
     * @throws IllegalArgumentException that names what is missing, unexpected or of another shape; nothing has changed
     *     then
     */
    public final void load(Map<String, Tensor> saved) {
        List<Variable> restored = parameters().stream()
                .filter(p -> p.requiresGrad() || stateNames(p).stream().anyMatch(saved::containsKey))
                .toList();
        requireFits(saved, restored);
        List<String> names = restored.stream().map(ParameterGroup::nameOf).toList();
        states.keySet().retainAll(names);
        masters.all().keySet().retainAll(names);
        for (Variable parameter : restored) {
            State state = stateOf(parameter);
            for (int i = 0; i < state.layout.size(); i++) {
                state.buffers
                        .get(i)
                        .copyFrom(saved(saved, parameter, state.layout.get(i).name()));
            }
            state.steps = (long) saved(saved, parameter, STEP).item();
            if (MasterWeights.isNeeded(parameter)) {
                startMaster(parameter, saved(saved, parameter, MasterWeights.NAME));
            }
        }
    }

    private void requireFits(Map<String, Tensor> saved, List<Variable> restored) {
        TreeSet<String> unexpected = new TreeSet<>(saved.keySet());
        List<String> missing = new ArrayList<>();
        List<String> wrong = new ArrayList<>();
        for (Variable parameter : restored) {
            for (Buffer buffer : wholeLayout(parameter)) {
                String name = ParameterGroup.nameOf(parameter) + "." + buffer.name();
                Tensor tensor = saved.get(name);
                unexpected.remove(name);
                if (tensor == null) {
                    missing.add(name);
                } else if (!tensor.shape().equals(buffer.shape())) {
                    wrong.add(name + " has shape " + tensor.shape() + ", not " + buffer.shape());
                }
            }
            String name = ParameterGroup.nameOf(parameter) + "." + STEP;
            Tensor steps = saved.get(name);
            unexpected.remove(name);
            if (steps == null) {
                missing.add(name);
            } else if (!isCount(steps)) {
                wrong.add(name + " is not a count of steps: " + steps);
            }
        }
        List<String> problems = new ArrayList<>();
        if (!wrong.isEmpty()) {
            problems.add(Names.few(wrong));
        }
        if (!missing.isEmpty()) {
            problems.add("missing: " + Names.few(missing));
        }
        if (!unexpected.isEmpty()) {
            problems.add("unexpected: " + Names.few(List.copyOf(unexpected)));
        }
        if (!problems.isEmpty()) {
            throw new IllegalArgumentException(
                    method() + ": the saved state does not fit; " + String.join("; ", problems)
                            + ". It must come from the same optimiser with the same trainable parameters");
        }
    }

    private State stateOf(Variable parameter) {
        masters.of(parameter);
        return states.computeIfAbsent(ParameterGroup.nameOf(parameter), name -> {
            List<Buffer> layout = layout(parameter);
            return new State(layout, zeros(name, layout, parameter.value().device()));
        });
    }

    /** What is remembered beside a master; of a parameter of 16 bits as of that. */
    private List<Buffer> layout(Variable parameter) {
        return buffers.apply(parameter.value()).stream()
                .map(buffer -> new Buffer(buffer.name(), buffer.dtype().computed(), buffer.shape()))
                .toList();
    }

    /** All tensors of the state but the count of steps. */
    private List<Buffer> wholeLayout(Variable parameter) {
        Tensor value = parameter.value();
        Buffer master = new Buffer(MasterWeights.NAME, value.dtype().computed(), value.shape());
        return Stream.concat(
                        layout(parameter).stream(),
                        MasterWeights.isNeeded(parameter) ? Stream.of(master) : Stream.empty())
                .toList();
    }

    private static List<Tensor> zeros(String name, List<Buffer> layout, Device device) {
        return Scope.outside(() -> layout.stream()
                .map(buffer -> Tensor.zeros(device, buffer.dtype(), buffer.shape(), MemoryCategory.OPTIMIZER_STATE)
                        .named(name + "." + buffer.name()))
                .toList());
    }

    private List<String> stateNames(Variable parameter) {
        String name = ParameterGroup.nameOf(parameter);
        return Stream.concat(wholeLayout(parameter).stream().map(Buffer::name), Stream.of(STEP))
                .map(suffix -> name + "." + suffix)
                .toList();
    }

    private static Tensor saved(Map<String, Tensor> saved, Variable parameter, String suffix) {
        return Objects.requireNonNull(saved.get(ParameterGroup.nameOf(parameter) + "." + suffix));
    }

    private static boolean isCount(Tensor tensor) {
        if (tensor.size() != 1) {
            return false;
        }
        double value = tensor.item();
        return value >= 0 && value <= Integer.MAX_VALUE && value == Math.rint(value);
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
