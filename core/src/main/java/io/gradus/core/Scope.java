package io.gradus.core;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A stretch of work whose tensors die together. Tensors that the opening thread makes while a scope is open belong to the
 * innermost one; when it closes their memory goes back to the device and serves the next scope.
 *
 * <pre>{@code
 * try (Scope step = Scope.open("step")) {
 *     Variable loss = model.loss(batch);
 *     loss.backward();
 *     optimizer.step();
 * }
 * }</pre>
 *
 * A tensor that is touched after its scope closed says so; it never reads freed memory.
 */
public final class Scope implements AutoCloseable {
    private static final ThreadLocal<@Nullable Scope> CURRENT = new ThreadLocal<>();

    private final String name;
    private final @Nullable Scope parent;
    private final boolean collects;
    private final List<Storage> owned = new ArrayList<>();
    private boolean closed;

    private Scope(String name, @Nullable Scope parent, boolean collects) {
        this.name = name;
        this.parent = parent;
        this.collects = collects;
    }

    /**
     * Opens a scope on this thread, inside the one that is open already, if any.
     *
     * @param name what the work is called in an error
     */
    public static Scope open(String name) {
        return push(new Scope(name, CURRENT.get(), true));
    }

    /**
     * Runs something whose tensors belong to no scope but to the garbage collector: what must outlive the step, such as
     * a parameter's gradient.
     */
    public static <T> T outside(Supplier<T> work) {
        try (Scope _ = push(new Scope("outside", CURRENT.get(), false))) {
            return work.get();
        }
    }

    private static Scope push(Scope scope) {
        CURRENT.set(scope);
        return scope;
    }

    /** Hands a new storage to the innermost scope of this thread; to the garbage collector, when there is none. */
    static void adopt(Storage storage) {
        Scope scope = CURRENT.get();
        if (scope != null && scope.collects) {
            scope.owned.add(storage);
        } else {
            storage.leaveToGarbageCollector();
        }
    }

    /**
     * Hands a tensor of this scope to the one outside, or to the garbage collector when there is none: it outlives this
     * scope, and with it all its views.
     *
     * @return the tensor; nothing changes when its memory is not this scope's
     */
    public Tensor keep(Tensor tensor) {
        Storage storage = tensor.storage();
        for (int i = owned.size() - 1; i >= 0; i--) { // results are made last
            if (owned.get(i) == storage) {
                owned.remove(i);
                if (parent != null && parent.collects) {
                    parent.owned.add(storage);
                } else {
                    storage.leaveToGarbageCollector();
                }
                break;
            }
        }
        return tensor;
    }

    /**
     * Closes the scope and gives its memory back.
     *
     * @throws IllegalStateException when a scope opened inside it is still open, or on another thread
     */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        if (CURRENT.get() != this) {
            throw new IllegalStateException("scope '" + name
                    + "' is not the innermost open scope of this thread; close scopes in the reverse order of opening");
        }
        closed = true;
        CURRENT.set(parent);
        String reason = "its scope '" + name
                + "' closed; make it outside the scope, or keep a copy with Scope.outside(tensor::copy)";
        for (Storage storage : owned) {
            storage.release(reason);
        }
        owned.clear();
    }
}
