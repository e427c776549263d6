package io.gradus.autograd;

import io.gradus.core.MemoryCategory;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The engine. By the chain rule the gradient of a variable is the sum, over every operation that read it, of that
 * operation's local derivative times the gradient of its result. So: visit the operations such that each comes after
 * everything that read its result, ask each for its inputs' gradients, and add up.
 *
 * <p>Nothing here is recursive; a graph may be as deep as memory allows.
 */
final class BackwardPass {
    /** Gradients of variables that were made by an operation and are still to be visited. */
    private final Map<Variable, Slot> slots = new IdentityHashMap<>();

    private BackwardPass() {}

    /** A gradient under way. */
    private record Slot(Tensor gradient, Memory memory) {

        /** Whether it may be added to in place: the engine made its memory, and no other gradient lies there. */
        boolean isExclusive() {
            return memory.made && memory.holders == 1;
        }
    }

    /** What gradients under way lie in. One that was passed on shares that of the result it came from. */
    private static final class Memory {
        private final Tensor tensor;
        /** Whether the engine made it; if not, it is read only. */
        private final boolean made;

        private int holders;

        Memory(Tensor tensor, boolean made) {
            this.tensor = tensor;
            this.made = made;
        }

        Slot hold(Tensor gradient) {
            holders++;
            return new Slot(gradient, this);
        }

        /** One holder less; the last one gives the memory back. */
        void drop() {
            holders--;
            if (holders == 0 && made) {
                tensor.release();
            }
        }
    }

    static void run(Variable root, Tensor seed, boolean retainGraph) {
        new BackwardPass().walk(root, seed, retainGraph);
    }

    private void walk(Variable root, Tensor seed, boolean retainGraph) {
        if (root.node() == null) {
            addToLeaf(root, seed);
            return;
        }
        List<Variable> order = topologicalOrder(root);
        slots.put(root, new Memory(seed, false).hold(seed));
        for (int i = order.size() - 1; i >= 0; i--) {
            Variable variable = order.get(i);
            Slot slot = slots.remove(variable);
            if (slot != null) {
                visit(variable, slot);
            }
        }
        if (!retainGraph) {
            order.forEach(variable -> nodeOf(variable).free());
        }
    }

    private void visit(Variable variable, Slot slot) {
        Node node = nodeOf(variable);
        if (variable.retainsGrad()) {
            addToLeaf(variable, slot.gradient);
        }
        Inputs gradients = new Inputs(node.inputs(), slot);
        node.operation().backward(slot.gradient, gradients);
        gradients.finish();
        slot.memory.drop();
    }

    /** Every variable with a history that leads to the root, inputs before results: a depth-first walk, with a stack. */
    private static List<Variable> topologicalOrder(Variable root) {
        List<Variable> order = new ArrayList<>();
        Set<Variable> entered = Collections.newSetFromMap(new IdentityHashMap<>());
        Set<Variable> left = Collections.newSetFromMap(new IdentityHashMap<>());
        Deque<Variable> open = new ArrayDeque<>();
        open.push(root);
        while (!open.isEmpty()) {
            Variable variable = open.peek();
            if (entered.add(variable)) {
                Node node = nodeOf(variable);
                node.operation(); // fails early when freed, before any gradient is written
                for (Variable input : node.inputs()) {
                    // It may lie further down the stack already; it has to come before this one too, so it goes on top.
                    if (input.node() != null && input.requiresGrad() && !entered.contains(input)) {
                        open.push(input);
                    }
                }
            } else {
                open.pop();
                if (left.add(variable)) {
                    order.add(variable);
                }
            }
        }
        return order;
    }

    private static Node nodeOf(Variable variable) {
        Node node = variable.node();
        if (node == null) {
            throw new AssertionError("a leaf has no operation");
        }
        return node;
    }

    private static void addToLeaf(Variable leaf, Tensor gradient) {
        Gradients.Buffer buffer = leaf.gradientBuffer();
        add(gradient, buffer.gradient(), buffer.accumulate());
    }

    /** Adds a gradient to a buffer, summing over the axes along which the buffer was broadcast. */
    private static void add(Tensor gradient, Tensor buffer, boolean accumulate) {
        if (gradient.shape().equals(buffer.shape())) {
            gradient.backend().elementwise().affine(gradient, 1, 0, buffer, accumulate);
        } else {
            gradient.backend().reduction().sumTo(gradient, buffer, accumulate);
        }
    }

    /** A gradient that is added to its variable's when the kernel has written it. */
    private record Scratch(Variable variable, Tensor gradient) {}

    private static Tensor empty(Tensor like, Shape shape) {
        return Tensor.empty(like.device(), like.dtype(), shape, MemoryCategory.GRADIENTS);
    }

    /** The gradients of one operation's inputs. */
    private final class Inputs implements Gradients {
        private final List<Variable> inputs;
        private final Slot result;
        private final List<Variable> handedOut = new ArrayList<>(0);
        private final List<Scratch> scratch = new ArrayList<>(0);

        Inputs(List<Variable> inputs, Slot result) {
            this.inputs = inputs;
            this.result = result;
        }

        @Override
        public boolean wanted(int input) {
            return inputs.get(input).requiresGrad();
        }

        @Override
        public void write(int input, Writer writer) {
            if (wanted(input)) {
                Buffer buffer = bufferOf(inputs.get(input));
                writer.write(buffer.gradient(), buffer.accumulate());
            }
        }

        @Override
        public void write(int input, Shape broadcastTo, Writer writer) {
            Variable variable = inputs.get(input);
            if (variable.shape().equals(broadcastTo)) {
                write(input, writer);
            } else if (wanted(input)) {
                Tensor whole = empty(variable.value(), broadcastTo);
                writer.write(whole, false);
                addTo(variable, whole);
                whole.release();
            }
        }

        @Override
        public void pass(int input, Tensor gradient) {
            if (!wanted(input)) {
                return;
            }
            Variable variable = inputs.get(input);
            boolean whole = gradient.shape().equals(variable.shape());
            if (whole && variable.node() != null && !slots.containsKey(variable)) {
                boolean view = gradient.storage() == result.gradient.storage();
                Memory memory = view ? result.memory : new Memory(gradient, false);
                slots.put(variable, memory.hold(gradient));
            } else {
                addTo(variable, gradient);
            }
        }

        @Override
        public Buffer buffer(int input) {
            Variable variable = inputs.get(input);
            if (wanted(input) && !handedOut.contains(variable)) {
                handedOut.add(variable);
                return bufferOf(variable);
            }
            // Nobody wants it, or (as in attention of x on itself) the kernel is still to write the one handed out
            // before.
            Tensor own = empty(variable.value(), variable.shape());
            scratch.add(new Scratch(variable, own));
            return new Buffer(own, false);
        }

        /** Adds up what was written to scratch. */
        void finish() {
            for (Scratch written : scratch) {
                if (written.variable.requiresGrad()) {
                    addTo(written.variable, written.gradient);
                }
                written.gradient.release();
            }
        }

        private void addTo(Variable variable, Tensor gradient) {
            Buffer buffer = bufferOf(variable);
            add(gradient, buffer.gradient(), buffer.accumulate());
        }

        /** Where a variable's gradient is added up: a leaf's own, or that of its slot. */
        private Buffer bufferOf(Variable variable) {
            if (variable.node() == null) {
                return variable.gradientBuffer();
            }
            Slot slot = slots.get(variable);
            if (slot != null && slot.isExclusive()) {
                return new Buffer(slot.gradient, true);
            }
            Tensor own = empty(variable.value(), variable.shape());
            slots.put(variable, new Memory(own, true).hold(own));
            if (slot == null) {
                return new Buffer(own, false);
            }
            add(slot.gradient, own, false);
            slot.memory.drop();
            return new Buffer(own, true);
        }
    }
}
