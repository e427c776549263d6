package io.gradus.autograd;

import io.gradus.core.ShapeException;
import io.gradus.core.Tensor;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/**
 * The engine. By the chain rule, the gradient of a variable is the sum, over every operation that read it, of the
 * operation's local derivative times the gradient of its result. So the pass visits the operations in an order in which
 * each comes after every operation that read its result, asks each for the gradients of its inputs, and adds them up.
 *
 * <p>Nothing is recursive: a graph may be as deep as memory allows. {@link GradientBuffers} decides where gradients are
 * added up and who owns their memory.
 */
final class BackwardPass {
    private final GradientBuffers buffers = new GradientBuffers();
    private final List<BackwardListener> listeners;

    private BackwardPass(List<BackwardListener> listeners) {
        this.listeners = listeners;
    }

    /**
     * Adds to the gradient of every leaf that the root depends on.
     *
     * @param gradient the gradient of the loss with respect to the root; only read
     * @param retainGraph whether to keep the graph for another pass
     */
    static void run(Variable root, Tensor gradient, boolean retainGraph) {
        check(root, gradient);
        if (root.isLeaf()) {
            GradientBuffers.addToStored(root, gradient);
            return;
        }
        new BackwardPass(List.of()).walk(inputsFirst(root), gradient, retainGraph);
    }

    /**
     * {@link #run} that frees the graph and the intermediate values on the way.
     *
     * @param whenComplete receives each leaf when its gradient is complete
     */
    static void runAndRelease(Variable root, Tensor gradient, Consumer<Variable> whenComplete) {
        check(root, gradient);
        if (root.isLeaf()) {
            GradientBuffers.addToStored(root, gradient);
            whenComplete.accept(root);
            return;
        }
        List<Variable> order = inputsFirst(root);
        IntermediateValues values = new IntermediateValues(order);
        values.keep(root.value());
        values.keep(gradient);
        new BackwardPass(List.of(values, new LeafGradients(order, whenComplete))).walk(order, gradient, false);
    }

    private static void check(Variable root, Tensor gradient) {
        if (!root.requiresGrad()) {
            throw new IllegalStateException("backward: " + root
                    + " requires no gradient; it depends on no parameter, or it was computed in noGrad");
        }
        if (!gradient.shape().equals(root.shape())) {
            throw new ShapeException(
                    "backward",
                    "the gradient's shape differs",
                    "it must be this variable's",
                    gradient.shape(),
                    root.shape());
        }
    }

    /**
     * Every variable with a history that leads to the root, inputs before results: a depth-first search with a stack.
     */
    private static List<Variable> inputsFirst(Variable root) {
        List<Variable> order = new ArrayList<>();
        Set<Variable> entered = Collections.newSetFromMap(new IdentityHashMap<>());
        Set<Variable> left = Collections.newSetFromMap(new IdentityHashMap<>());
        Deque<Variable> stack = new ArrayDeque<>();
        stack.push(root);
        while (!stack.isEmpty()) {
            Variable variable = stack.peek();
            if (entered.add(variable)) {
                Node node = Node.of(variable);
                node.operation(); // fails early if the graph was freed, before any gradient is written
                for (Variable input : node.inputs()) {
                    // The input may be further down the stack already. It must come before this variable too, so push
                    // it again.
                    if (!input.isLeaf() && input.requiresGrad() && !entered.contains(input)) {
                        stack.push(input);
                    }
                }
            } else {
                stack.pop();
                if (left.add(variable)) {
                    order.add(variable);
                }
            }
        }
        return order;
    }

    private void walk(List<Variable> inputsFirst, Tensor rootGradient, boolean retainGraph) {
        buffers.begin(inputsFirst.getLast(), rootGradient);
        for (Variable variable : inputsFirst.reversed()) {
            Node node = Node.of(variable);
            List<Variable> inputs = node.inputs();
            listeners.forEach(listener -> listener.visiting(inputs));
            visit(variable, node);
            if (!retainGraph) {
                node.free();
            }
            listeners.forEach(listener -> listener.visited(variable, inputs));
        }
    }

    private void visit(Variable variable, Node node) {
        GradientBuffers.Pending pending = buffers.remove(variable);
        if (pending == null) {
            return; // every operation that read the variable has a gradient of zero, and wrote none
        }
        Tensor gradient = pending.gradient();
        if (variable.retainsGrad()) {
            GradientBuffers.addToStored(variable, gradient);
        }
        InputGradients inputs = new InputGradients(node.inputs(), pending, buffers, listeners);
        node.operation().backward(gradient, inputs, listeners);
        inputs.finish();
        pending.memory().release();
    }
}
