package io.gradus.train;

import io.gradus.train.guard.TrainingException;
import java.nio.file.Path;

/** A run was told to end before it was done, and can go on. */
public final class StoppedException extends TrainingException {
    private static final long serialVersionUID = 1L;

    StoppedException(Path output, int step, int steps) {
        super(
                step == 0
                        ? "stopped before the first step; nothing was written"
                        : "stopped after step " + step + " of " + steps + "; a checkpoint is written, and this goes on"
                                + " to the same bits:\n  gradus finetune " + output.resolve("recipe.yaml") + " output="
                                + output + " --resume");
    }
}
