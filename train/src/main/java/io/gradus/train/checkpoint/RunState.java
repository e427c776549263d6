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
 * What a run knows beside the weights and what its optimiser remembers: {@code state.json} of a checkpoint. The place in the
 * data and the random numbers are not there: both follow from the seed and the number of the step.
 *
 * @param step steps made
 * @param recipe that the run was started with, by key
 * @param parts of the run that are not in the recipe: the classes of the optimizer and the model, and the like
 * @param before losses before the first step, by the name of the text
 * @param spikes what is known of the last losses
 * @param best the lowest held-out loss so far
 * @param scale where the scale of the loss stands, in F16; null otherwise
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

    /** Of a run that has not made a step. */
    public static final RunState BEGINNING =
            new RunState(0, Map.of(), Map.of(), Map.of(), SpikeGuard.State.NONE, EarlyStopping.State.NONE, null);

    /** Without what an older checkpoint does not say. */
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
                throw new RecipeException("resume continues a run with the same parts, but the " + part + " was " + was
                        + " and is " + now.get(part));
            }
        });
    }

    /**
     * @throws IOException when the file is missing, or is not what {@link #toJson} wrote
     */
    static RunState read(Path file) throws IOException {
        JsonNode json = JSON.readTree(Files.readString(file));
        if (!json.path("step").isInt()) {
            throw new IOException(file + " does not say at which step it was written");
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
