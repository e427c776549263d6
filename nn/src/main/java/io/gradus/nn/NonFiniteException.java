package io.gradus.nn;

/** Thrown when a result of a model, such as a loss or the logits, is NaN or infinite. The message names the {@linkplain NonFinite cause}. */
public final class NonFiniteException extends IllegalStateException {
    private static final long serialVersionUID = 1L;

    public NonFiniteException(String message) {
        super(message);
    }
}
