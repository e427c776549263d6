package io.gradus.train;

import io.gradus.data.Dataset;
import io.gradus.data.tokenizer.Prompts;
import io.gradus.data.tokenizer.Tokenizer;
import io.gradus.nn.generate.Sampling;
import io.gradus.nn.generate.TextGeneration;
import io.gradus.nn.model.LanguageModel;
import io.gradus.train.recipe.Recipe;
import io.gradus.train.recipe.RecipeException;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Samples text before and after a run, with the same prompt and the same random numbers. Only language models write any. */
final class Samples {
    private final Recipe recipe;
    private final @Nullable LanguageModel model;
    private final Tokenizer tokenizer;
    private final Set<Integer> stops;
    private final int @Nullable [] prompt;

    /**
     * @throws RecipeException if the recipe's prompt exceeds the context length
     */
    Samples(Recipe recipe, TrainingSetup setup) {
        this.recipe = recipe;
        this.model = setup.model() instanceof LanguageModel writes ? writes : null;
        this.tokenizer = setup.tokenizer();
        this.stops = new HashSet<>(Prompts.stops(tokenizer));
        stops.addAll(setup.data().stopIds());
        this.prompt =
                model == null || recipe.sample().maxTokens() == 0 ? null : prompt(setup.data(), model.contextLength());
    }

    /** The recipe's prompt, or as much of the dataset's as leaves room for a continuation; null if there is neither. */
    private int @Nullable [] prompt(Dataset data, int context) {
        String wanted = recipe.sample().prompt();
        if (wanted == null) {
            return data.samplePrompt()
                    .map(ids -> Arrays.copyOf(ids, Math.clamp(context / 2, 1, ids.length)))
                    .orElse(null);
        }
        int[] ids = Prompts.encode(tokenizer, wanted);
        if (ids.length > context) {
            throw new RecipeException("sample.prompt has " + ids.length + " tokens, but the model sees only " + context
                    + " (max_position_embeddings or n_positions)");
        }
        return ids;
    }

    /** A sample, if the recipe wants any. */
    Optional<TrainingListener.Sample> write(int step) {
        if (model == null || prompt == null) {
            return Optional.empty();
        }
        var sampling = new Sampling(recipe.sample().temperature(), 0, 1, recipe.seed());
        var generation = new TextGeneration(sampling, recipe.sample().maxTokens(), stops, true);
        int[] written = generation.generate(model, prompt, id -> {}).ids();
        String text = Prompts.continuation(tokenizer, prompt, written);
        return Optional.of(new TrainingListener.Sample(step, tokenizer.decode(prompt), text));
    }
}
