package io.gradus.autograd;

import java.util.function.Supplier;

/** Whether this thread records history. It does unless told otherwise. */
public final class Autograd {
    private static final ThreadLocal<Boolean> RECORDING = ThreadLocal.withInitial(() -> true);

    private Autograd() {}

    /** Whether operations on this thread are recorded. */
    public static boolean isRecording() {
        return RECORDING.get();
    }

    /**
     * Computes without recording history, as evaluation and generation do: results need no gradient and keep nothing
     * (PyTorch's {@code no_grad}).
     */
    public static <T> T noGrad(Supplier<T> work) {
        return with(false, work);
    }

    /** Computes with history, whatever was said outside. */
    static <T> T recording(Supplier<T> work) {
        return with(true, work);
    }

    /**
     * A value that is computed once even where it stands in a function that is run again, as by {@link Checkpoint}: there the
     * backward pass gets what the forward pass got. For what changes with each call, such as a count of calls.
     */
    public static <T> T once(Supplier<T> value) {
        return Replay.once(value);
    }

    private static <T> T with(boolean recording, Supplier<T> work) {
        boolean before = RECORDING.get();
        RECORDING.set(recording);
        try {
            return work.get();
        } finally {
            RECORDING.set(before);
        }
    }
}
