package io.gradus.optim;

import io.gradus.autograd.Variable;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Scope;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.Checks;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeSet;
import java.util.stream.Stream;

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
 */
public abstract sealed class Optimizer permits Sgd, Adam {
    private static final String STEP = "step";

    private final List<ParameterGroup> groups;
    private final List<String> bufferNames;
    private final Map<String, State> states = new LinkedHashMap<>();
    private double learningRate;

    /** @param bufferNames what is remembered of each parameter, in tensors of its shape that start as zeros */
    Optimizer(List<ParameterGroup> groups, double learningRate, List<String> bufferNames) {
        this.groups = List.copyOf(groups);
        this.bufferNames = bufferNames;
        setLearningRate(learningRate);
        ParameterGroups.requireDistinct(method(), this.groups);
        for (Variable parameter : parameters()) {
            Checks.computable(method() + ": " + ParameterGroup.nameOf(parameter), parameter.value());
            if (parameter.requiresGrad()) {
                stateOf(parameter);
            }
        }
    }

    /** What is remembered of one parameter. */
    private static final class State {
        final List<Tensor> buffers;
        long steps;

        State(List<Tensor> buffers) {
            this.buffers = buffers;
        }
    }

    /**
     * Changes one parameter.
     *
     * @param buffers in the order of the names given at construction
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
                    State state = stateOf(parameter);
                    state.steps++;
                    update(group, parameter.value(), gradient, state.buffers, gradientScale, state.steps);
                }
            }
        }
    }

    /** Forgets the gradients of all parameters. */
    public final void zeroGrad() {
        parameters().forEach(Variable::clearGrad);
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

    // ---- state ----

    /**
     * All that the optimiser remembers, under PyTorch's names after the parameter's: {@code <parameter>.exp_avg} of the
     * parameter's shape, and {@code <parameter>.step}, an I32 scalar. The tensors are the optimiser's own and not
     * copies; the learning rate is not among them, for it follows from the schedule.
     */
    public final Map<String, Tensor> state() {
        Map<String, Tensor> named = new LinkedHashMap<>();
        states.forEach((parameter, state) -> {
            for (int i = 0; i < bufferNames.size(); i++) {
                named.put(parameter + "." + bufferNames.get(i), state.buffers.get(i));
            }
            named.put(parameter + "." + STEP, Tensor.of(Device.cpu(), new int[] {Math.toIntExact(state.steps)}));
        });
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
        states.keySet().retainAll(restored.stream().map(ParameterGroup::nameOf).toList());
        for (Variable parameter : restored) {
            State state = stateOf(parameter);
            for (int i = 0; i < bufferNames.size(); i++) {
                state.buffers.get(i).copyFrom(saved(saved, parameter, bufferNames.get(i)));
            }
            state.steps = (long) saved(saved, parameter, STEP).item();
        }
    }

    private void requireFits(Map<String, Tensor> saved, List<Variable> restored) {
        TreeSet<String> unexpected = new TreeSet<>(saved.keySet());
        List<String> missing = new ArrayList<>();
        List<String> wrong = new ArrayList<>();
        for (Variable parameter : restored) {
            for (String name : stateNames(parameter)) {
                Tensor tensor = saved.get(name);
                unexpected.remove(name);
                boolean isStep = name.endsWith("." + STEP);
                if (tensor == null) {
                    missing.add(name);
                } else if (isStep && !isCount(tensor)) {
                    wrong.add(name + " is not a count of steps: " + tensor);
                } else if (!isStep && !tensor.shape().equals(parameter.shape())) {
                    wrong.add(name + " has shape " + tensor.shape() + ", its parameter " + parameter.shape());
                }
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
        return states.computeIfAbsent(
                ParameterGroup.nameOf(parameter), name -> new State(zeros(name, parameter.value())));
    }

    private List<Tensor> zeros(String name, Tensor value) {
        return Scope.outside(() -> bufferNames.stream()
                .map(buffer -> Tensor.zeros(
                                value.device(), value.dtype(), value.shape(), MemoryCategory.OPTIMIZER_STATE)
                        .named(name + "." + buffer))
                .toList());
    }

    private List<String> stateNames(Variable parameter) {
        String name = ParameterGroup.nameOf(parameter);
        return Stream.concat(bufferNames.stream(), Stream.of(STEP))
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
