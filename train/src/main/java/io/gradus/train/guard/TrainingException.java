package io.gradus.train.guard;

/** Training cannot go on; the message says why and what may help. Checkpoints written before are whole. */
public class TrainingException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public TrainingException(String message) {
        super(message);
    }
}
