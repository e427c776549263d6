package io.gradus.train;

import io.gradus.data.tokenizer.Prompts;
import io.gradus.data.tokenizer.Tokenizer;
import io.gradus.nn.generate.Sampling;
import io.gradus.nn.generate.TextGeneration;
import io.gradus.nn.model.LanguageModel;
import java.util.Arrays;
import java.util.Optional;

/** What a model writes before and after a run, from the same beginning and with the same random numbers. */
final class Samples {
    private final Recipe recipe;
    private final LanguageModel model;
    private final Tokenizer tokenizer;
    private final int[] prompt;

    /**
     * @throws RecipeException when the recipe's prompt is longer than what the model sees
     */
    Samples(Recipe recipe, Prepared prepared) {
        this.recipe = recipe;
        this.model = prepared.model();
        this.tokenizer = prepared.tokenizer();
        this.prompt = prompt(prepared.data());
    }

    /** As the recipe says, or as much of held-out text as leaves room to write. */
    private int[] prompt(TrainingData data) {
        String wanted = recipe.sample().prompt();
        int context = model.contextLength();
        if (wanted == null) {
            int[] ids = Prompts.encode(tokenizer, data.samplePrompt());
            return Arrays.copyOf(ids, Math.clamp(context / 2, 1, ids.length));
        }
        int[] ids = Prompts.encode(tokenizer, wanted);
        if (ids.length > context) {
            throw new RecipeException("sample.prompt has " + ids.length + " tokens, but the model sees only " + context
                    + " (max_position_embeddings or n_positions)");
        }
        return ids;
    }

    /** A sample, unless the recipe wants none. */
    Optional<TrainingListener.Sample> write(int step) {
        if (recipe.sample().maxTokens() == 0) {
            return Optional.empty();
        }
        var sampling = new Sampling(recipe.sample().temperature(), 0, 1, recipe.seed());
        var generation = new TextGeneration(sampling, recipe.sample().maxTokens(), Prompts.stops(tokenizer), true);
        int[] written = generation.generate(model, prompt, id -> {}).ids();
        String text = Prompts.continuation(tokenizer, prompt, written);
        return Optional.of(new TrainingListener.Sample(step, tokenizer.decode(prompt), text));
    }
}
