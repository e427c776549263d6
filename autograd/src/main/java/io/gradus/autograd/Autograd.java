package io.gradus.autograd;

import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Turns the recording of history on and off for a thread. It is on by default. */
public final class Autograd {
    private static final ThreadLocal<Boolean> RECORDING = ThreadLocal.withInitial(() -> true);
    private static final ThreadLocal<@Nullable ForwardListener> LISTENER = new ThreadLocal<>();

    private Autograd() {}

    /** Whether operations on this thread are recorded. */
    public static boolean isRecording() {
        return RECORDING.get();
    }

    /**
     * Computes without recording history, as in evaluation and generation: results require no gradient and keep nothing
     * for a backward pass (PyTorch's {@code no_grad}).
     */
    public static <T> T noGrad(Supplier<T> work) {
        return withRecording(false, work);
    }

    /** Computes with recording on, even inside {@link #noGrad}. */
    static <T> T recording(Supplier<T> work) {
        return withRecording(true, work);
    }

    /**
     * Computes while a listener receives each result, such as to find the first that is not finite. Listeners do not nest: an
     * inner one takes the place of the outer one.
     */
    public static <T> T listening(ForwardListener listener, Supplier<T> work) {
        @Nullable ForwardListener before = LISTENER.get();
        LISTENER.set(listener);
        try {
            return work.get();
        } finally {
            LISTENER.set(before);
        }
    }

    /** The listener of this thread. */
    static @Nullable ForwardListener listener() {
        return LISTENER.get();
    }

    /**
     * A value that is computed only once even inside a function that runs again, as under {@link Checkpoint}: the
     * backward pass sees the value of the forward pass. Use it for anything that changes with each call, such as a call
     * counter.
     */
    public static <T> T once(Supplier<T> value) {
        return Replay.once(value);
    }

    private static <T> T withRecording(boolean recording, Supplier<T> work) {
        boolean before = RECORDING.get();
        RECORDING.set(recording);
        try {
            return work.get();
        } finally {
            RECORDING.set(before);
        }
    }
}
