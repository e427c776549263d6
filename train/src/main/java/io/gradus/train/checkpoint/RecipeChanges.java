package io.gradus.train.checkpoint;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.gradus.core.json.JsonProblem;
import io.gradus.optim.Schedule;
import io.gradus.train.recipe.Recipe;
import io.gradus.train.recipe.RecipeException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What may change in the recipe of a run that resumes. The promise is that the resumed run ends with the bits of a run that had
 * the new recipe from its first step. A key that is in none of the sets below must not change.
 */
final class RecipeChanges {
    /** No weight depends on these; {@code wise_ft_alpha} and {@code save_dtype} are used after the last step. */
    static final Set<String> FREE = Set.of(
            "output",
            "resume",
            "accept_changed_inputs",
            "threads",
            "save_dtype",
            "save_steps",
            "save_total_limit",
            "check_first_loss",
            "activation_checkpointing",
            "parallel",
            "optimizer_in_bwd",
            "sample.prompt",
            "sample.max_tokens",
            "sample.temperature",
            "wise_ft_alpha");

    /** Free unless the best weights are kept, because only evaluated steps are candidates. */
    static final Set<String> FREE_WITHOUT_BEST = Set.of("eval_steps", "max_eval_blocks");

    /** Paths may change; {@link Inputs} compares what is there. */
    static final Set<String> INPUTS =
            Set.of(Inputs.MODEL, "data.train", "data.sources", "data.eval", "data.general", "data.replay");

    /** May change as long as the learning rates of all completed steps remain. */
    static final Set<String> SCHEDULE = Set.of("steps", "epochs", "schedule", "warmup_ratio", "min_lr_ratio");

    /** Keeping the best weights may end, and early stopping may come later, but neither may begin. */
    static final Set<String> BEST = Set.of("early_stopping_patience", "load_best_model_at_end");

    /** May change with the number of processes, so that a step has as many batches as before. */
    static final String ACCUMULATION = "gradient_accumulation_steps";

    private static final ObjectMapper JSON = new ObjectMapper();

    private final RunState state;
    private final Recipe now;
    private final Map<String, String> then;

    RecipeChanges(RunState state, Recipe now) {
        this.state = state;
        this.now = now;
        this.then = Recipe.defaults().toMap();
        state.recipe().forEach((key, value) -> then.put(key, String.valueOf(value)));
    }

    /**
     * Checks all keys but those of the schedule and the contents of files.
     *
     * @param processes the number of processes that resume
     * @throws RecipeException naming the keys that differ
     */
    void requireAllowed(int processes) {
        Map<String, String> values = now.toMap();
        int accumulated = RunState.count(then, ACCUMULATION);
        long before = (long) accumulated * state.processes();
        long batches = (long) now.gradientAccumulationSteps() * processes;
        boolean sameBatches = before == batches;
        List<String> changed = new ArrayList<>();
        if (!sameBatches && state.processes() != processes) {
            changed.add("the number of processes was " + state.processes() + " and is " + processes
                    + ", so a step would have " + batches + " batches instead of " + before + " (processes times "
                    + ACCUMULATION + ")");
        }
        values.keySet().stream()
                .filter(key -> !Objects.equals(values.get(key), then.get(key)))
                .filter(key -> !isAllowed(key, String.valueOf(values.get(key))))
                .filter(key -> !key.equals(ACCUMULATION) || !sameBatches)
                .map(key -> key + " was " + RecipeException.brief(then.get(key)) + " and is "
                        + RecipeException.brief(values.get(key)))
                .forEach(changed::add);
        if (!changed.isEmpty()) {
            throw new RecipeException("a run resumes with the recipe that it was started with, but "
                    + String.join(", ", changed) + reason(changed));
        }
        boolean inOrder =
                addsInOrder(state.processes(), accumulated) && addsInOrder(processes, now.gradientAccumulationSteps());
        if (state.processes() != processes && !inOrder) {
            System.getLogger(RecipeChanges.class.getName())
                    .log(
                            System.Logger.Level.WARNING,
                            "the run was started with {0} processes and continues with {1}, some with several batches in a"
                                    + " step, which are added in another order: the result agrees to rounding, but not in"
                                    + " every bit",
                            state.processes(),
                            processes);
        }
    }

    /** Whether gradients are added in the order of the batches. */
    private static boolean addsInOrder(int processes, int accumulated) {
        return processes == 1 || accumulated == 1;
    }

    private static String reason(List<String> changed) {
        boolean best = changed.stream()
                .anyMatch(change -> Stream.concat(FREE_WITHOUT_BEST.stream(), BEST.stream())
                        .anyMatch(key -> change.startsWith(key + " ")));
        return best ? "; which weights are the best, and when the run stops, depends on every earlier evaluation" : "";
    }

    private boolean isAllowed(String key, String value) {
        if (FREE.contains(key)) {
            return true;
        }
        if (FREE_WITHOUT_BEST.contains(key)) {
            return !now.guards().restoresBest();
        }
        if (INPUTS.contains(key)) {
            return key.equals("data.sources")
                    ? weights(value).equals(weights(then.getOrDefault(key, "[]")))
                    : !state.inputs().files().isEmpty() || isSamePath(value, String.valueOf(then.get(key)));
        }
        if (SCHEDULE.contains(key)) {
            return state.steps() != null;
        }
        return BEST.contains(key) && !beginsToKeepTheBest();
    }

    private boolean beginsToKeepTheBest() {
        boolean kept = !"null".equals(then.get("early_stopping_patience"))
                || Boolean.parseBoolean(then.get("load_best_model_at_end"));
        Integer patience = now.guards().earlyStoppingPatience();
        Integer before = Recipe.parse("", "early_stopping_patience=" + then.get("early_stopping_patience"))
                .guards()
                .earlyStoppingPatience();
        boolean earlier = patience != null && (before == null || patience < before);
        return earlier || (now.guards().restoresBest() && !kept);
    }

    /** The weights of a list of sources; the number of sources counts, and their paths do not. */
    private static List<@Nullable Double> weights(String sources) {
        try {
            List<@Nullable Double> weights = new ArrayList<>();
            for (JsonNode source : JSON.readTree(sources)) {
                weights.add(
                        source.path("weight").isNumber() ? source.path("weight").doubleValue() : null);
            }
            return weights;
        } catch (JsonProcessingException e) {
            throw new RecipeException("data.sources of the checkpoint cannot be read: " + JsonProblem.of(e));
        }
    }

    private static boolean isSamePath(String one, String other) {
        return !one.equals("null")
                && !other.equals("null")
                && Path.of(one)
                        .toAbsolutePath()
                        .normalize()
                        .equals(Path.of(other).toAbsolutePath().normalize());
    }

    /**
     * Checks the keys of the schedule.
     *
     * @param steps of the whole run with the new recipe
     * @throws RecipeException if a completed step would have had another learning rate, or more steps are completed than wanted
     */
    void requireSameRates(int steps) {
        if (state.steps() == null || (state.step() == 0)) {
            return;
        }
        if (steps < state.step()) {
            throw new RecipeException("the run would end after " + steps + " steps, but its checkpoint is of step "
                    + state.step() + "; set more steps, or start a new run with another output");
        }
        if (steps > state.steps()
                && state.step() == state.steps()
                && state.step() % now.evalSteps() != 0
                && now.guards().restoresBest()) {
            throw new RecipeException(
                    "the checkpoint is of the last step, which was evaluated only because it was the last;"
                            + " a run of " + steps + " steps could have other best weights. Keep the number of steps");
        }
        boolean fewer = steps < state.steps();
        if (fewer && now.guards().restoresBest()) {
            throw new RecipeException("the run would end after " + steps + " steps instead of " + state.steps()
                    + ", but its best weights may be of a later step; keep the number of steps");
        }
        Schedule before = schedule().schedule(state.steps());
        Schedule after = now.schedule(steps);
        for (int step = 0; step < state.step(); step++) {
            if (before.factor(step) != after.factor(step)) {
                throw new RecipeException(otherRate(step, steps));
            }
        }
    }

    private String otherRate(int step, int steps) {
        List<String> changes = new ArrayList<>();
        if (!Integer.valueOf(steps).equals(state.steps())) {
            changes.add("the run had " + state.steps() + " steps and has " + steps);
        }
        Map<String, String> values = now.toMap();
        for (String key : List.of("schedule", "warmup_ratio", "min_lr_ratio")) {
            if (!Objects.equals(values.get(key), then.get(key))) {
                changes.add(key + " was " + then.get(key) + " and is " + values.get(key));
            }
        }
        return String.join(", ", changes) + ", so completed steps such as step " + (step + 1)
                + " would have had another learning rate, and the result would not be that of an uninterrupted run. Only a"
                + " run with schedule=constant and warmup_ratio=0 can be extended; otherwise finish this run and start a"
                + " new one from its output: model.path=" + now.output() + " output=NEW";
    }

    /** The new recipe with the schedule of the old one. */
    private Recipe schedule() {
        return now.with(
                "schedule=" + then.get("schedule"),
                "warmup_ratio=" + then.get("warmup_ratio"),
                "min_lr_ratio=" + then.get("min_lr_ratio"));
    }
}
