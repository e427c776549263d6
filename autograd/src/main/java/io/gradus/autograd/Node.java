package io.gradus.autograd;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** How a variable was made: the operation and what it was applied to. Forgotten once the backward pass went through. */
final class Node {
    private final String label;
    private final @Nullable Replay run;
    private @Nullable Operation operation;
    private List<Variable> inputs;

    Node(Operation operation, List<Variable> inputs) {
        this.label = operation.label();
        this.run = Replay.current();
        this.operation = operation;
        this.inputs = inputs;
    }

    /** That of a variable which is no leaf. */
    static Node of(Variable variable) {
        Node node = variable.node();
        if (node == null) {
            throw new AssertionError("a leaf has no operation");
        }
        return node;
    }

    String label() {
        return label;
    }

    List<Variable> inputs() {
        return inputs;
    }

    /** The checkpointed function whose run this was made in, if any. */
    @Nullable Replay run() {
        return run;
    }

    /**
     * The operation with what it kept.
     *
     * @throws IllegalStateException when the graph was freed
     */
    Operation operation() {
        if (operation == null) {
            throw new IllegalStateException("backward: the graph behind '" + label
                    + "' was freed by an earlier backward pass; call backward(true) there to keep it");
        }
        return operation;
    }

    boolean isFreed() {
        return operation == null;
    }

    /** Drops what the operation kept, and the way to the inputs. */
    void free() {
        operation().release();
        operation = null;
        inputs = List.of();
    }
}
