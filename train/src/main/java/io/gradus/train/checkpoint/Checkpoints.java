package io.gradus.train.checkpoint;

import io.gradus.core.Device;
import io.gradus.core.Scope;
import io.gradus.core.safetensors.AtomicFile;
import io.gradus.train.recipe.Recipe;
import io.gradus.train.recipe.RecipeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The checkpoints of a run: {@code checkpoints/step-000100} is a Hugging Face folder with the state of the optimizer
 * ({@link StateFiles}) and {@code state.json} ({@link RunState}) next to the weights; {@code checkpoints/best} has only weights. Each is written under
 * a temporary name and renamed when it is complete.
 *
 * @param folder of the run
 */
public record Checkpoints(Path folder) {
    private static final String PREFIX = "step-";

    /** Digits of any script: earlier versions wrote those of the locale. */
    private static final String STEP = "\\p{Nd}{1,9}";

    private static final String STATE = "state.json";
    private static final String BEST = "best";

    /** A complete checkpoint. */
    public record Checkpoint(Path path, RunState state) {}

    /** Writes a model, and possibly more, to a folder. */
    @FunctionalInterface
    public interface ModelWriter {
        void write(Path folder) throws IOException;
    }

    /** The newest checkpoint, if there is one. */
    public Optional<Checkpoint> newest() throws IOException {
        List<Path> complete = complete();
        return complete.isEmpty() ? Optional.empty() : Optional.of(open(complete.getLast()));
    }

    private static Checkpoint open(Path path) throws IOException {
        try {
            return new Checkpoint(path, RunState.read(path.resolve(STATE)));
        } catch (IOException e) {
            throw new IOException(
                    path + ": its " + STATE + " is missing or damaged; delete this folder to resume without it", e);
        }
    }

    /**
     * The checkpoint to resume from, if there is one.
     *
     * @param processes the number of processes that will resume
     * @throws RecipeException if the folder has a run that {@code resume} was not set for, a model, or a run of another recipe
     */
    public Optional<Checkpoint> resumable(Recipe recipe, int processes) throws IOException {
        Optional<Checkpoint> newest = newest();
        boolean run = newest.isPresent() || Files.exists(folder.resolve("metrics.jsonl"));
        boolean model = Files.exists(folder.resolve("config.json"));
        if (!recipe.resume() && (run || model)) {
            throw new RecipeException("output " + folder + " already holds a " + (run ? "run" : "model") + "; "
                    + (run ? "continue it with resume=true, or " : "") + "name another folder");
        }
        if (model && !run) {
            throw new RecipeException("output " + folder + " holds a model and no run to resume; name another folder");
        }
        newest.ifPresent(checkpoint -> checkpoint.state().requireRecipe(recipe, processes));
        return newest;
    }

    /** Creates the folder of the run, and removes incomplete files of a killed run. */
    public void prepareFolder() throws IOException {
        Files.createDirectories(folder);
        for (Path left : list(folder, ".+\\.[0-9a-f]{16}\\.tmp")) { // see AtomicFile
            Files.deleteIfExists(left);
        }
        for (Path left : list(checkpoints(), "(" + PREFIX + STEP + "|" + BEST + ")\\.(tmp|old)")) {
            Folders.delete(left);
        }
    }

    /** Complete checkpoints, oldest first. */
    private List<Path> complete() throws IOException {
        return list(checkpoints(), PREFIX + STEP).stream()
                .sorted(Comparator.comparingInt(Checkpoints::stepOf))
                .toList();
    }

    private static List<Path> list(Path folder, String name) throws IOException {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (Stream<Path> paths = Files.list(folder)) {
            return paths.filter(path -> path.getFileName().toString().matches(name))
                    .toList();
        }
    }

    private static int stepOf(Path path) {
        return Integer.parseInt(path.getFileName().toString().substring(PREFIX.length()));
    }

    private Path checkpoints() {
        return folder.resolve("checkpoints");
    }

    /**
     * Writes a checkpoint, then deletes all but the newest.
     *
     * @param keep the number of checkpoints to keep
     * @param tensors writes what is needed besides the weights, with {@link StateFiles}
     */
    public Path write(RunState state, int keep, ModelWriter model, ModelWriter tensors) throws IOException {
        Path target = checkpoints().resolve(String.format(Locale.ROOT, "%s%06d", PREFIX, state.step()));
        replace(target, temporary -> {
            model.write(temporary);
            tensors.write(temporary);
            AtomicFile.write(temporary.resolve(STATE), state.toJson());
        });
        List<Path> complete = complete();
        for (Path old : complete.subList(0, Math.max(0, complete.size() - keep))) {
            discard(old);
        }
        return target;
    }

    /** The Hugging Face folder with the weights of the lowest held-out loss; a run cannot resume from it. */
    public Path best() {
        return checkpoints().resolve(BEST);
    }

    /** @throws IOException if the best weights, of this step, were deleted */
    public void requireBest(int step) throws IOException {
        if (!Files.isDirectory(best())) {
            throw new IOException(
                    best() + " is missing: it had the best weights, of step " + step + ", which the run would save;"
                            + " resume with load_best_model_at_end=false and early_stopping_patience=null to save the last");
        }
    }

    /** Replaces {@link #best()}. */
    public void writeBest(ModelWriter model) throws IOException {
        replace(best(), model);
    }

    /** Writes a folder under a temporary name, and renames it when it is complete. */
    private static void replace(Path target, ModelWriter content) throws IOException {
        Path temporary = unfinished(target);
        boolean complete = false;
        try {
            Files.createDirectories(temporary);
            content.write(temporary);
            discard(target);
            Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
            complete = true;
        } finally {
            if (!complete) {
                Folders.delete(temporary); // makes room on a full disk
            }
        }
    }

    /** What copies the tensors of a checkpoint. */
    @FunctionalInterface
    public interface Loading {
        void load(SavedTensors saved) throws IOException;
    }

    /**
     * Reads the tensors of a checkpoint besides the weights.
     *
     * @param loading reads and copies what it needs
     */
    public static void restore(Checkpoint checkpoint, Device device, Loading loading) throws IOException {
        try (Scope _ = Scope.open("restore");
                StateFiles files = StateFiles.open(checkpoint.path(), device)) {
            loading.load(files);
        }
    }

    /** The temporary name of a checkpoint; leftovers of a crash are deleted. */
    private static Path unfinished(Path checkpoint) throws IOException {
        Path path = checkpoint.resolveSibling(checkpoint.getFileName() + ".tmp");
        Folders.delete(path);
        return path;
    }

    /** Deletes a checkpoint. It is renamed first, so that a partly deleted one is never taken for complete. */
    private static void discard(Path checkpoint) throws IOException {
        if (Files.exists(checkpoint)) {
            Path doomed = checkpoint.resolveSibling(checkpoint.getFileName() + ".old");
            Folders.delete(doomed);
            Files.move(checkpoint, doomed, StandardCopyOption.ATOMIC_MOVE);
            Folders.delete(doomed);
        }
    }
}
