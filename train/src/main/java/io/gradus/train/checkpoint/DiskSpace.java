package io.gradus.train.checkpoint;

import io.gradus.train.memory.Bytes;
import io.gradus.train.memory.MemoryPlan;
import io.gradus.train.recipe.Recipe;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The space that a run needs on disk.
 *
 * @param recipe of the run
 * @param steps of the run
 * @param memory the plan of its memory
 * @param stateBytes the size of what all processes together save besides the weights
 * @param modelBytes the size of the trained model as it is saved
 */
public record DiskSpace(Recipe recipe, int steps, MemoryPlan memory, long stateBytes, long modelBytes) {

    /** The most bytes at a time: kept checkpoints and the one that is written, the best weights twice, and the trained model. */
    long bytes() {
        long weights = 4 * memory.parameters();
        long checkpoint = weights + stateBytes;
        long written = recipe.saveSteps() == 0 ? 0 : (steps - 1) / recipe.saveSteps();
        long together = Math.min(written, recipe.saveTotalLimit() + 1L);
        return together * checkpoint + (recipe.guards().restoresBest() ? 2 * weights : 0) + modelBytes;
    }

    /** A warning if the file system of a folder has less free space than the run needs. */
    public Optional<String> warning(Path folder) {
        try {
            long free = Files.getFileStore(folder).getUsableSpace();
            return free >= bytes()
                    ? Optional.empty()
                    : Optional.of("output " + folder + ": the run writes up to " + Bytes.format(bytes()) + ", but only "
                            + Bytes.format(free) + " are free; free disk space, or set save_total_limit=1 or a larger"
                            + " save_steps");
        } catch (IOException e) {
            return Optional.empty(); // unknown
        }
    }
}
