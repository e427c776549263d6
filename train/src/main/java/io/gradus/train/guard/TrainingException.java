package io.gradus.train.guard;

/** Thrown when training cannot continue. The message names the cause and what may help. Earlier checkpoints remain usable. */
public class TrainingException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public TrainingException(String message) {
        super(message);
    }
}
