package io.gradus.autograd;

import io.gradus.core.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One run of a function whose intermediate values are not kept: the first run, or a later one that must do the same. Tells
 * which operations belong to the run, and repeats in a later one what {@link Autograd#once} gave in the first.
 */
final class Replay {
    private static final ThreadLocal<@Nullable Replay> CURRENT = new ThreadLocal<>();

    /** The run that this one is part of. */
    private final @Nullable Replay outer;

    private final List<Object> drawn;
    private final boolean first;
    private int next;

    private Replay(@Nullable Replay outer, List<Object> drawn, boolean first) {
        this.outer = outer;
        this.drawn = drawn;
        this.first = first;
    }

    /** What a first run leaves for the later ones. */
    record Recording(List<Object> drawn, Shape shape) {}

    /** The run that the thread is in, if any. */
    static @Nullable Replay current() {
        return CURRENT.get();
    }

    static Replay first() {
        return new Replay(CURRENT.get(), new ArrayList<>(), true);
    }

    static Replay again(Recording recording) {
        return new Replay(CURRENT.get(), recording.drawn, false);
    }

    Recording recording(Shape shape) {
        return new Recording(List.copyOf(drawn), shape);
    }

    /** Runs the function, with history. */
    Variable run(Supplier<Variable> function) {
        CURRENT.set(this);
        try {
            return Autograd.recording(function);
        } finally {
            CURRENT.set(outer);
        }
    }

    /** @throws IllegalStateException when a later run was not like the first */
    void requireSame(Recording recording, Shape shape) {
        if (next != drawn.size() || !shape.equals(recording.shape)) {
            throw new IllegalStateException("checkpoint: the function gave " + recording.shape + " and drew "
                    + drawn.size() + " times, and in the backward pass " + shape + " and " + next
                    + " times; it must do the same each time it is called");
        }
    }

    /** A value that every run of the function gets, computed in the first. */
    @SuppressWarnings("unchecked") // a run that is like the first asks for the same values in the same order
    static <T> T once(Supplier<T> supplier) {
        Replay run = CURRENT.get();
        return run == null ? supplier.get() : (T) run.value(supplier);
    }

    private Object value(Supplier<?> supplier) {
        if (first) {
            Object value = outer == null ? supplier.get() : outer.value(supplier);
            drawn.add(value);
            return value;
        }
        if (next == drawn.size()) {
            throw new IllegalStateException("checkpoint: the function drew " + next
                    + " times, and more often in the backward pass; it must do the same each time it is called");
        }
        return drawn.get(next++);
    }
}
