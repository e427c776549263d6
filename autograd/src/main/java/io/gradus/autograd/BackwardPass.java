package io.gradus.autograd;

import io.gradus.core.DType;
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
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

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

    private final Afterwards afterwards;
    private final @Nullable Consumer<Variable> whenComplete;
    private @Nullable IntermediateValues values;
    private @Nullable LeafGradients leaves;

    private BackwardPass(Afterwards afterwards, @Nullable Consumer<Variable> whenComplete) {
        this.afterwards = afterwards;
        this.whenComplete = whenComplete;
    }

    /** What becomes of the graph. */
    enum Afterwards {
        /** It stays, for another pass. */
        KEEP_GRAPH,
        /** Each operation is forgotten when it was visited. */
        FREE_GRAPH,
        /** That, and the memory of its result is given back. */
        RELEASE_VALUES
    }

    /** A gradient under way. */
    private record Slot(Tensor gradient, Memory memory) {

        /** Whether it may be added to in place: the engine owns its memory, and no other gradient lies there. */
        boolean isExclusive() {
            return memory.owned && memory.holders == 1;
        }
    }

    /** What gradients under way lie in. One that was passed on shares that of the result it came from. */
    private static final class Memory {
        private final Tensor tensor;
        /** Whether the engine made it or was given it; if not, it is read only. */
        private final boolean owned;

        private int holders;

        Memory(Tensor tensor, boolean owned) {
            this.tensor = tensor;
            this.owned = owned;
        }

        Slot hold(Tensor gradient) {
            holders++;
            return new Slot(gradient, this);
        }

        /** One holder less; the last one gives the memory back. */
        void drop() {
            holders--;
            if (holders == 0 && owned) {
                tensor.release();
            }
        }
    }

    /** @param whenComplete told of each leaf when its gradient is complete, or null */
    static void run(Variable root, Tensor seed, Afterwards afterwards, @Nullable Consumer<Variable> whenComplete) {
        new BackwardPass(afterwards, whenComplete).walk(root, seed);
    }

    private void walk(Variable root, Tensor seed) {
        if (root.node() == null) {
            addToLeaf(root, seed);
            if (whenComplete != null) {
                whenComplete.accept(root);
            }
            return;
        }
        List<Variable> order = topologicalOrder(root);
        if (afterwards == Afterwards.RELEASE_VALUES) {
            values = new IntermediateValues(order);
            values.keep(root.value());
            values.keep(seed);
        }
        if (whenComplete != null) {
            leaves = new LeafGradients(order, whenComplete);
        }
        slots.put(root, new Memory(seed, false).hold(seed));
        for (int i = order.size() - 1; i >= 0; i--) {
            Variable variable = order.get(i);
            Slot slot = slots.remove(variable);
            List<Variable> inputs = Node.of(variable).inputs();
            if (leaves != null) {
                leaves.begin(inputs);
            }
            if (slot != null) {
                visit(variable, slot);
            }
            if (afterwards != Afterwards.KEEP_GRAPH) {
                Node.of(variable).free();
            }
            if (values != null) {
                values.visited(variable);
            }
            if (leaves != null) {
                leaves.end(inputs);
            }
        }
    }

    private void visit(Variable variable, Slot slot) {
        Node node = Node.of(variable);
        if (variable.retainsGrad()) {
            addToLeaf(variable, slot.gradient);
        }
        Inputs gradients = new Inputs(node.inputs(), slot);
        node.operation().backward(slot.gradient, gradients, leaves);
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
                Node node = Node.of(variable);
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

    private static void addToLeaf(Variable leaf, Tensor gradient) {
        fill(leaf.gradientBuffer(), (buffer, accumulate) -> add(gradient, buffer, accumulate));
    }

    /**
     * Lets a kernel write to a buffer. One of 16 bits is converted for it and back again: what one operation adds up is added
     * in F32 and rounded once, when it is put in. So a second operation that reads the same parameter, and each further
     * backward pass that adds to its gradient, rounds once more.
     */
    private static void fill(Gradients.Buffer buffer, Gradients.Writer writer) {
        Tensor stored = buffer.gradient();
        if (!stored.dtype().isHalf()) {
            writer.write(stored, buffer.accumulate());
            return;
        }
        Tensor wide = Tensor.empty(stored.device(), DType.F32, stored.shape(), MemoryCategory.WORKSPACE);
        if (buffer.accumulate()) {
            wide.copyFrom(stored);
        }
        writer.write(wide, buffer.accumulate());
        stored.copyFrom(wide);
        wide.release();
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
        return Tensor.empty(like.device(), like.dtype().computed(), shape, MemoryCategory.GRADIENTS);
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
                fill(bufferOf(inputs.get(input)), writer);
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
            boolean view = gradient.storage() == result.gradient.storage();
            if (!view && values != null) {
                values.keep(gradient);
            }
            pass(input, gradient, view ? result.memory : new Memory(gradient, false));
        }

        @Override
        public void give(int input, Tensor gradient) {
            Memory memory = new Memory(gradient, true);
            Slot own = memory.hold(gradient);
            pass(input, gradient, memory);
            own.memory.drop();
        }

        /** The first gradient to arrive in full stays where it is; any other is added up. */
        private void pass(int input, Tensor gradient, Memory memory) {
            if (!wanted(input)) {
                return;
            }
            Variable variable = inputs.get(input);
            boolean whole = gradient.shape().equals(variable.shape());
            if (whole && variable.node() != null && !slots.containsKey(variable)) {
                slots.put(variable, memory.hold(gradient));
            } else {
                addTo(variable, gradient);
            }
        }

        @Override
        public Buffer buffer(int input) {
            Variable variable = inputs.get(input);
            boolean half = variable.isLeaf() && variable.value().dtype().isHalf();
            if (wanted(input) && !half && !handedOut.contains(variable)) {
                handedOut.add(variable);
                return bufferOf(variable);
            }
            // Nobody wants it, or it is kept in 16 bits, or (as in attention of x on itself) the kernel is still to
            // write
            // the one handed out before.
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
            fill(bufferOf(variable), (buffer, accumulate) -> add(gradient, buffer, accumulate));
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
