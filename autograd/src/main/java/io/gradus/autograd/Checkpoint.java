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
import org.jspecify.annotations.Nullable;

/**
 * A function whose intermediate values are not kept for the backward pass but computed again in it (Chen et al. 2016,
 * Training Deep Nets with Sublinear Memory Cost): memory for the price of a second forward pass. Around each of L blocks,
 * what lives at once is the input of every block and the inside of one, where it was the inside of all.
 *
 * <p>The gradient is that of the function: with {@code y = f(x, θ)}, dx and dθ are what its own operations give. The backward
 * pass runs f again from x, this time with history, and walks through it. The bits are those that it would have given without;
 * only the gradient of an input that others read too, or of a leaf that has one already, is added up in another order.
 *
 * <p>Parameters that the function uses need not be named: they are found in its history, and get their gradients. What
 * operations made outside must be an input, though. The function must do the same each time; what does not by itself, such as
 * a counter, goes through {@link Autograd#once}.
 */
public final class Checkpoint extends Operation {
    private final Function<List<Variable>, Variable> function;
    private final int count;
    private final Set<Variable> captured;
    private final Replay.Recording recording;
    private final Tensor result;
    private List<Tensor> values = List.of();

    /**
     * @param count of the inputs that the function is given; parameters follow them
     * @param captured those parameters that it reaches by itself only
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
     * {@code function(inputs)}. Without history its inside goes as soon as the result is there, so that an evaluation takes
     * no more than a step does.
     *
     * @param function called now and in each backward pass, with variables of the inputs' values
     * @throws IllegalArgumentException when it reads something that an operation made outside and that is no input
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
            List<Variable> own = all.stream().map(Variable::leaf).toList();
            Variable made = run.run(() -> function.apply(own));
            Tensor result = scope.keep(made.value());
            List<Variable> parameters = parameters(made, run);
            parameters.removeAll(own);
            Set<Variable> captured = Collections.newSetFromMap(new IdentityHashMap<>());
            captured.addAll(parameters);
            all.forEach(captured::remove);
            operation = new Checkpoint(function, inputs.length, captured, run.recording(result.shape()), result);
            if (!made.requiresGrad()) {
                return Variable.constant(result);
            }
            all.addAll(parameters);
        }
        return Variable.apply(operation, all.toArray(Variable[]::new));
    }

    /** The trained leaves that a result comes from, in the order in which they are met. */
    private static List<Variable> parameters(Variable made, Replay run) {
        List<Variable> parameters = new ArrayList<>();
        Set<Variable> seen = Collections.newSetFromMap(new IdentityHashMap<>());
        Deque<Variable> open = new ArrayDeque<>(List.of(made));
        while (!open.isEmpty()) {
            Variable variable = open.pop();
            if (!variable.requiresGrad() || !seen.add(variable)) {
                continue;
            }
            Node node = variable.node();
            if (node == null) {
                parameters.add(variable);
            } else if (node.run() != run) {
                throw new IllegalArgumentException("checkpoint: the function reads '" + variable
                        + "', which was made outside of it; pass it as an input");
            } else {
                node.inputs().forEach(open::push);
            }
        }
        return parameters;
    }

    /** Parameters are inputs for their gradients' sake only: a copy of each in F32 would cost what is saved here. */
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
        backward(dy, gradients, null);
    }

    @Override
    void backward(Tensor dy, Gradients gradients, @Nullable LeafGradients waiting) {
        List<Variable> own = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            own.add(Variable.leaf(values.get(i), gradients.wanted(i)));
        }
        try (Scope _ = Scope.open("checkpoint")) {
            runBackwards(List.copyOf(own), dy, waiting);
        }
        for (int i = 0; i < count; i++) {
            Tensor dx = own.get(i).grad();
            if (dx != null) {
                gradients.give(i, dx);
            }
        }
    }

    /** Leaves the gradients in the inputs, and in the parameters. */
    private void runBackwards(List<Variable> inputs, Tensor dy, @Nullable LeafGradients waiting) {
        Replay run = Replay.again(recording);
        Variable made = run.run(() -> function.apply(inputs));
        run.requireSame(recording, made.shape());
        if (!made.requiresGrad()) {
            return; // all was frozen since
        }
        BackwardPass.run(
                made,
                dy,
                BackwardPass.Afterwards.RELEASE_VALUES,
                waiting == null
                        ? null
                        : leaf -> {
                            if (captured.contains(leaf)) {
                                waiting.complete(leaf);
                            }
                        });
    }
}
