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
        boolean before = RECORDING.get();
        RECORDING.set(false);
        try {
            return work.get();
        } finally {
            RECORDING.set(before);
        }
    }
}
