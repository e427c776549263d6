package io.gradus.train.checkpoint;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.gradus.optim.LossScaler;
import io.gradus.train.guard.EarlyStopping;
import io.gradus.train.guard.SpikeGuard;
import io.gradus.train.recipe.RecipeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The state of a run besides its tensors: {@code state.json} of a checkpoint. The position in the data and the random numbers
 * are not saved, because they follow from the seed and the step.
 *
 * @param step the number of completed steps
 * @param recipe with which the run was started, by key
 * @param parts of the run that are not in the recipe: the classes of the optimizer and the model, and the like
 * @param before losses before the first step, by text
 * @param spikes the recent losses
 * @param best the lowest held-out loss so far
 * @param scale the state of the loss scale in F16; null otherwise
 */
@JsonIgnoreProperties(ignoreUnknown = true)
public record RunState(
        int step,
        Map<String, String> recipe,
        Map<String, String> parts,
        Map<String, Double> before,
        SpikeGuard.State spikes,
        EarlyStopping.State best,
        LossScaler.@Nullable State scale) {
    private static final ObjectMapper JSON = JsonMapper.builder()
            .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
            .build();

    /** The state before the first step. */
    public static final RunState BEGINNING =
            new RunState(0, Map.of(), Map.of(), Map.of(), SpikeGuard.State.NONE, EarlyStopping.State.NONE, null);

    /** Missing parts get their defaults. */
    public RunState {
        recipe = orElse(recipe, Map.of());
        parts = orElse(parts, Map.of());
        before = orElse(before, Map.of());
        spikes = orElse(spikes, SpikeGuard.State.NONE);
        best = orElse(best, EarlyStopping.State.NONE);
    }

    private static <T> T orElse(@Nullable T value, T otherwise) {
        return value == null ? otherwise : value;
    }

    /**
     * Checks that a run resumes with the parts that it was started with.
     *
     * @throws RecipeException if a part differs
     */
    public void requireParts(Map<String, String> now) {
        parts.forEach((part, was) -> {
            if (!was.equals(now.get(part))) {
                throw new RecipeException("a run resumes with the parts that it was started with, but the " + part
                        + " was " + was + " and is " + now.get(part));
            }
        });
    }

    /**
     * @throws IOException if the file is missing, or was not written by {@link #toJson}
     */
    static RunState read(Path file) throws IOException {
        JsonNode json = JSON.readTree(Files.readString(file));
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
