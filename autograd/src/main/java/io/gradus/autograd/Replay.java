package io.gradus.autograd;

import io.gradus.core.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One run of a checkpointed function: the first run, or a later run that must do the same. It identifies the operations
 * of the run, and gives later runs the values that {@link Autograd#once} computed in the first.
 */
final class Replay {
    private static final ThreadLocal<@Nullable Replay> CURRENT = new ThreadLocal<>();

    /** The enclosing run. */
    private final @Nullable Replay outer;

    /** The values of {@link Autograd#once}, in order. */
    private final List<Object> values;

    private final boolean first;
    /** The number of values that a later run has used. */
    private int used;

    private Replay(@Nullable Replay outer, List<Object> values, boolean first) {
        this.outer = outer;
        this.values = values;
        this.first = first;
    }

    /**
     * What later runs need to know about the first.
     *
     * @param values the values of {@link Autograd#once}, in order
     * @param shape the shape of the result
     */
    record Recording(List<Object> values, Shape shape) {}

    /** The run that this thread is in, if any. */
    static @Nullable Replay current() {
        return CURRENT.get();
    }

    static Replay first() {
        return new Replay(CURRENT.get(), new ArrayList<>(), true);
    }

    static Replay again(Recording recording) {
        return new Replay(CURRENT.get(), recording.values, false);
    }

    Recording recording(Shape shape) {
        return new Recording(List.copyOf(values), shape);
    }

    /** Runs the function, with recording on. */
    Variable run(Supplier<Variable> function) {
        CURRENT.set(this);
        try {
            return Autograd.recording(function);
        } finally {
            CURRENT.set(outer);
        }
    }

    /**
     * Checks a later run.
     *
     * @param shape the shape of its result
     * @throws IllegalStateException if the run differed from the first
     */
    void requireSame(Recording recording, Shape shape) {
        if (used != values.size() || !shape.equals(recording.shape)) {
            throw new IllegalStateException("checkpoint: in the forward pass the function returned " + recording.shape
                    + " and called Autograd.once " + values.size() + " times; in the backward pass it returned " + shape
                    + " and called it " + used + " times; it must do the same each time it is called");
        }
    }

    /** A value that is computed in the first run of the function and the same in every later one. */
    @SuppressWarnings("unchecked") // a run that is like the first asks for the same values in the same order
    static <T> T once(Supplier<T> supplier) {
        Replay run = CURRENT.get();
        return run == null ? supplier.get() : (T) run.value(supplier);
    }

    private Object value(Supplier<?> supplier) {
        if (first) {
            Object value = outer == null ? supplier.get() : outer.value(supplier);
            values.add(value);
            return value;
        }
        if (used == values.size()) {
            throw new IllegalStateException("checkpoint: the function called Autograd.once " + used
                    + " times in the forward pass, and more often in the backward pass;"
                    + " it must do the same each time it is called");
        }
        return values.get(used++);
    }
}
