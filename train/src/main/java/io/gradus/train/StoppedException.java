package io.gradus.train;

import io.gradus.train.guard.TrainingException;
import java.nio.file.Path;

/** Thrown when a run was told to stop before its end. It can be resumed. */
public final class StoppedException extends TrainingException {
    private static final long serialVersionUID = 1L;

    StoppedException(Path output, int step, int steps) {
        super(
                step == 0
                        ? "stopped before the first step; nothing was written"
                        : "stopped after step " + step + " of " + steps + "; a checkpoint is written. To continue to"
                                + " the same bits:\n  " + ResumeCommand.of(output));
    }
}
