package io.gradus.train.checkpoint;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.gradus.core.WholeFile;
import io.gradus.optim.LossScaler;
import io.gradus.train.guard.EarlyStopping;
import io.gradus.train.guard.SpikeGuard;
import io.gradus.train.recipe.Recipe;
import io.gradus.train.recipe.RecipeException;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The state of a run besides its tensors: {@code state.json} of a checkpoint. The position in the data and the random numbers
 * are not saved, because they follow from the seed and the step.
 *
 * @param step the number of completed steps
 * @param steps of the whole run; null in checkpoints of older versions
 * @param recipe with which the run was started, by key
 * @param parts of the run that are not in the recipe: the classes of the optimizer and the model, and the like
 * @param inputs of the run; {@link Inputs#UNKNOWN} in checkpoints of older versions
 * @param before losses before the first step, by text
 * @param spikes the recent losses
 * @param best the lowest held-out loss so far
 * @param scale the state of the loss scale in F16; null otherwise
 */
@JsonIgnoreProperties(ignoreUnknown = true)
public record RunState(
        int step,
        @Nullable Integer steps,
        Map<String, String> recipe,
        Map<String, String> parts,
        Inputs inputs,
        Map<String, Double> before,
        SpikeGuard.State spikes,
        EarlyStopping.State best,
        LossScaler.@Nullable State scale) {
    private static final ObjectMapper JSON = JsonMapper.builder()
            .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
            .enable(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS) // the same bytes in every JVM
            .build();

    /** The name of the part that is the number of processes. */
    public static final String PROCESSES = "number of processes";

    /** The state before the first step. */
    public static final RunState BEGINNING = new RunState(
            0,
            null,
            Map.of(),
            Map.of(),
            Inputs.UNKNOWN,
            Map.of(),
            SpikeGuard.State.NONE,
            EarlyStopping.State.NONE,
            null);

    /** Missing parts get their defaults. */
    public RunState {
        recipe = orElse(recipe, Map.of());
        parts = orElse(parts, Map.of());
        inputs = orElse(inputs, Inputs.UNKNOWN);
        before = orElse(before, Map.of());
        spikes = orElse(spikes, SpikeGuard.State.NONE);
        best = orElse(best, EarlyStopping.State.NONE);
    }

    /** A number that a checkpoint may lack; then it is 1. */
    static int count(Map<String, String> values, String name) {
        String value = String.valueOf(values.getOrDefault(name, "1"));
        if (!value.matches("[1-9][0-9]{0,5}")) {
            throw new RecipeException("the " + name + " in the checkpoint is damaged: " + RecipeException.brief(value));
        }
        return Integer.parseInt(value);
    }

    private static <T> T orElse(@Nullable T value, T otherwise) {
        return value == null ? otherwise : value;
    }

    /**
     * Checks that a run resumes with a recipe that keeps its promise, as far as the recipe alone can tell.
     *
     * @param processes the number of processes that resume
     * @throws RecipeException naming the keys that differ
     */
    void requireRecipe(Recipe now, int processes) {
        new RecipeChanges(this, now).requireAllowed(processes);
    }

    /** The number of processes that wrote the checkpoint. */
    int processes() {
        return count(parts, PROCESSES);
    }

    /**
     * Checks that the completed steps had the learning rates of the new recipe.
     *
     * @param steps of the whole run with the new recipe
     * @throws RecipeException if they had not
     */
    public void requireRates(Recipe now, int steps) {
        new RecipeChanges(this, now).requireSameRates(steps);
    }

    /**
     * Checks that a run resumes with the inputs that it was started with, unless the recipe accepts others. Then it logs a
     * warning.
     *
     * @throws IOException naming the files that differ
     */
    public void requireInputs(Recipe recipe, Inputs now) throws IOException {
        List<String> changes = now.changesSince(inputs);
        if (changes.isEmpty()) {
            return;
        }
        String listed = String.join("\n  ", changes);
        if (!recipe.acceptChangedInputs()) {
            throw new IOException("output " + recipe.output() + ": what the run reads has changed since it began:\n  "
                    + listed
                    + "\nThe result would not be that of an uninterrupted run. Restore the files, or name another"
                    + " output for a new run, or continue with the changed files: accept_changed_inputs=true");
        }
        System.getLogger(RunState.class.getName())
                .log(
                        Level.WARNING,
                        "the run continues with changed inputs, so its result is not that of an uninterrupted run:\n  "
                                + listed);
    }

    /**
     * Checks that a run resumes with the parts that it was started with.
     *
     * @throws RecipeException if a part differs
     */
    public void requireParts(Map<String, String> now) {
        parts.forEach((part, was) -> {
            if (!part.equals(PROCESSES) && !was.equals(now.get(part))) {
                throw new RecipeException("a run resumes with the parts that it was started with, but the " + part
                        + " was " + was + " and is " + now.get(part));
            }
        });
    }

    /**
     * @throws IOException if the file is missing, or was not written by {@link #toJson}
     */
    static RunState read(Path file) throws IOException {
        JsonNode json = JSON.readTree(WholeFile.text(file));
        if (!json.path("step").isInt()) {
            throw new IOException(file + " has no step");
        }
        return JSON.treeToValue(json, RunState.class);
    }

    String toJson() {
        try {
            return JSON.writerWithDefaultPrettyPrinter().writeValueAsString(this) + "\n";
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }
}
