package io.gradus.core;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A block of code that frees its tensors at the end. A tensor created while scopes are open belongs to the innermost scope of
 * its thread; closing the scope returns its memory to the device for reuse.
 *
 * {@snippet :
 * Tensor kept;
 * try (Scope step = Scope.open("step")) {
 *     Tensor x = Tensor.of(new float[] {1, 2, 3}, 3);
 *     Tensor y = x.emptyLike(x.shape());
 *     x.kernels().elementwise().affine(x, 2, 1, y, false);
 *     kept = step.keep(y); // y outlives the scope; x does not
 * }
 * System.out.println(kept); // F32 [3] on cpu [3.0, 5.0, 7.0]
 * }
 *
 * Using a tensor after its scope closed throws an IllegalStateException that names both; it never reads freed memory.
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
     * Opens a scope on this thread, nested in the current scope, if any.
     *
     * @param name the scope's name in errors
     */
    public static Scope open(String name) {
        return push(new Scope(name, CURRENT.get(), true));
    }

    /**
     * Runs code whose tensors belong to no scope; the garbage collector frees them. For what must outlive the step, such as the
     * gradient of a parameter.
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

    /** Gives new storage to the innermost scope of this thread, or to the garbage collector if there is none. */
    static void adopt(Storage storage) {
        Scope scope = CURRENT.get();
        if (scope != null && scope.collects) {
            scope.owned.add(storage);
        } else {
            storage.leaveToGarbageCollector();
        }
    }

    /**
     * Moves a tensor and all its views from this scope to the enclosing one, or to the garbage collector if there is none, so
     * that it outlives this scope. Does nothing if the tensor does not belong to this scope.
     *
     * @return the tensor
     */
    public Tensor keep(Tensor tensor) {
        Storage storage = tensor.storage();
        for (int i = owned.size() - 1; i >= 0; i--) { // results are created last
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
     * Closes the scope and frees its tensors.
     *
     * @throws IllegalStateException if a nested scope is still open, or on another thread
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
                + "' closed; create it outside the scope, or keep a copy with Scope.outside(tensor::copy)";
        for (Storage storage : owned) {
            storage.release(reason);
        }
        owned.clear();
    }
}
