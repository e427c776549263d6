package io.gradus.autograd;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** How a variable was computed: the operation and its inputs. Both are dropped when the graph is freed. */
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

    /** The node of a variable that is not a leaf. */
    static Node of(Variable variable) {
        Node node = variable.node();
        if (node == null) {
            throw new AssertionError("a leaf has no operation");
        }
        return node;
    }

    /** The name of the operation. */
    String label() {
        return label;
    }

    /** The inputs of the operation; empty if the graph was freed. */
    List<Variable> inputs() {
        return inputs;
    }

    /** The run of the checkpointed function that created this node, if any. */
    @Nullable Replay run() {
        return run;
    }

    /**
     * The operation, with the tensors it kept.
     *
     * @throws IllegalStateException if the graph was freed
     */
    Operation operation() {
        if (operation == null) {
            throw new IllegalStateException("backward: the graph of '" + label
                    + "' was freed by an earlier backward pass; call backward(true) there to keep it");
        }
        return operation;
    }

    boolean isFreed() {
        return operation == null;
    }

    /** Drops the operation, with the tensors it kept, and the inputs. */
    void free() {
        operation().release();
        operation = null;
        inputs = List.of();
    }
}
