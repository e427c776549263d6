package io.gradus.autograd;

import io.gradus.core.Scope;
import io.gradus.core.Tensor;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.function.Function;

/**
 * Activation checkpointing (Chen et al. 2016, Training Deep Nets with Sublinear Memory Cost): the intermediate values
 * of a function are not kept for the backward pass but computed again in it. This saves memory at the price of a second
 * forward pass. With a checkpoint around each of L blocks, memory holds the input of every block and the inside of only
 * one.
 *
 * {@snippet :
 * Variable x = Variable.constant(Tensor.of(new float[] {1, 2}, 1, 2));
 * Variable w = Variable.parameter("w", Tensor.of(new float[] {1, 2, 3, 4}, 2, 2));
 * Variable h = x.checkpoint(block -> block.linear(w, null).gelu()); // keeps x only
 * h.sum().backward(); // computes linear again, then the gradient of w
 * }
 *
 * <p>The gradient is that of the function: with {@code y = f(x, θ)}, dx and dθ are what its own operations compute.
 * The backward pass runs f again from x, this time with history, and walks through that graph. Gradients have the same
 * bits as without a checkpoint, except where an input is also read outside, or a leaf has a gradient already: those are
 * added in another order.
 *
 * <p>Parameters that the function uses need not be passed: they are found in its history, and get their gradients. The
 * results of operations outside must be passed as inputs. The function must do the same each time it is called; route
 * anything that changes between calls, such as a counter, through {@link Autograd#once}.
 */
public final class Checkpoint extends Operation {
    private final Function<List<Variable>, Variable> function;
    private final int count;
    private final Set<Variable> captured;
    private final Replay.Recording recording;
    private final Tensor result;
    private List<Tensor> values = List.of();

    /**
     * @param count the number of inputs that the function receives; parameters follow them
     * @param captured the parameters that are not also inputs
     */
    private Checkpoint(
            Function<List<Variable>, Variable> function,
            int count,
            Set<Variable> captured,
            Replay.Recording recording,
            Tensor result) {
        this.function = function;
        this.count = count;
        this.captured = captured;
        this.recording = recording;
        this.result = result;
    }

    /**
     * {@code function(inputs)}. Without recording, intermediate values are freed as soon as the result is computed, so
     * an evaluation needs no more memory than a training step.
     *
     * @param function called now and in each backward pass, with variables that have the inputs' values
     * @throws IllegalArgumentException if the function reads the result of an operation outside that is not an input
     */
    public static Variable apply(Function<List<Variable>, Variable> function, Variable... inputs) {
        if (!Autograd.isRecording()) {
            try (Scope scope = Scope.open("checkpoint")) {
                return Variable.constant(
                        scope.keep(function.apply(List.of(inputs)).value()));
            }
        }
        Replay run = Replay.first();
        Checkpoint operation;
        List<Variable> all = new ArrayList<>(List.of(inputs));
        try (Scope scope = Scope.open("checkpoint")) {
            List<Variable> leaves = all.stream().map(Variable::leaf).toList();
            Variable y = run.run(() -> function.apply(leaves));
            Tensor result = scope.keep(y.value());
            List<Variable> parameters = parameters(y, run);
            parameters.removeAll(leaves);
            Set<Variable> captured = Collections.newSetFromMap(new IdentityHashMap<>());
            captured.addAll(parameters);
            all.forEach(captured::remove);
            operation = new Checkpoint(function, inputs.length, captured, run.recording(result.shape()), result);
            if (!y.requiresGrad()) {
                return Variable.constant(result);
            }
            all.addAll(parameters);
        }
        return Variable.apply(operation, all.toArray(Variable[]::new));
    }

    /** The leaves that a result depends on and that require a gradient, in the order in which they are found. */
    private static List<Variable> parameters(Variable result, Replay run) {
        List<Variable> parameters = new ArrayList<>();
        Set<Variable> seen = Collections.newSetFromMap(new IdentityHashMap<>());
        Deque<Variable> stack = new ArrayDeque<>(List.of(result));
        while (!stack.isEmpty()) {
            Variable variable = stack.pop();
            if (!variable.requiresGrad() || !seen.add(variable)) {
                continue;
            }
            Node node = variable.node();
            if (node == null) {
                parameters.add(variable);
            } else if (node.run() != run) {
                throw new IllegalArgumentException("checkpoint: the function reads '" + variable
                        + "', which was computed outside; pass it as an input");
            } else {
                node.inputs().forEach(stack::push);
            }
        }
        return parameters;
    }

    /** The engine needs the parameters as inputs, but they are not read: converting them to F32 would waste memory. */
    @Override
    protected boolean readsHalf(int input) {
        return true;
    }

    @Override
    protected Tensor forward(Tensor... inputs) {
        values = List.of(inputs).subList(0, count);
        return result;
    }

    @Override
    protected void backward(Tensor dy, Gradients gradients) {
        backward(dy, gradients, List.of());
    }

    @Override
    void backward(Tensor dy, Gradients gradients, List<BackwardListener> listeners) {
        List<Variable> leaves = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            leaves.add(Variable.leaf(values.get(i), gradients.wanted(i)));
        }
        try (Scope _ = Scope.open("checkpoint")) {
            nestedPass(List.copyOf(leaves), dy, listeners);
        }
        for (int i = 0; i < count; i++) {
            Tensor dx = leaves.get(i).grad();
            if (dx != null) {
                gradients.give(i, dx);
            }
        }
    }

    /** Computes the function again, and adds to the gradients of its inputs and parameters. */
    private void nestedPass(List<Variable> inputs, Tensor dy, List<BackwardListener> listeners) {
        Replay run = Replay.again(recording);
        Variable y = run.run(() -> function.apply(inputs));
        run.requireSame(recording, y.shape());
        if (!y.requiresGrad()) {
            return; // everything was frozen after the forward pass
        }
        BackwardPass.runAndRelease(y, dy, leaf -> {
            if (captured.contains(leaf)) {
                listeners.forEach(listener -> listener.nestedPassDone(leaf));
            }
        });
    }
}
