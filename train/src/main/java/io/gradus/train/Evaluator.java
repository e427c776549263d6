package io.gradus.train;

import io.gradus.autograd.Autograd;
import io.gradus.core.Scope;
import io.gradus.data.Batches;
import io.gradus.data.Batches.Batch;
import io.gradus.data.Blocks;
import io.gradus.nn.model.LanguageModel;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The loss of a model on text that it is not trained on. */
public final class Evaluator {
    private Evaluator() {}

    /**
     * The mean negative log-likelihood per token, in nats; its exponential is the perplexity.
     *
     * @param maxBlocks how many blocks at most, from the first
     * @param batchSize blocks per forward pass; the result does not depend on it but for rounding
     */
    public static double loss(LanguageModel model, Blocks blocks, int maxBlocks, int batchSize) {
        return loss(model, blocks, maxBlocks, batchSize, null);
    }

    private static double loss(
            LanguageModel model, Blocks blocks, int maxBlocks, int batchSize, @Nullable Integer lossChunk) {
        Batches batches = new Batches(blocks.first(Math.min(maxBlocks, blocks.size())), batchSize, 0, false);
        model.eval();
        double sum = 0;
        long tokens = 0;
        for (long i = 0; i < batches.batchesPerEpoch(); i++) {
            try (Scope _ = Scope.open("evaluation")) {
                Batch batch = batches.batch(i, model.device());
                sum += lossSum(model, batch, lossChunk);
                tokens += batch.counted();
            }
        }
        return sum / tokens;
    }

    /**
     * The loss of one batch, summed over its tokens; a scope that is open has what the forward pass makes.
     *
     * @param lossChunk of how many tokens there are logits at once; 0: as many as pay; null: of all
     */
    public static double lossSum(LanguageModel model, Batch batch, @Nullable Integer lossChunk) {
        return Autograd.noGrad(() -> TrainingStep.lossSum(model, batch, lossChunk))
                .item();
    }

    /** The losses on several texts, by name, with as many blocks as a recipe says. */
    static Map<String, Double> losses(LanguageModel model, Map<String, Blocks> texts, Recipe recipe) {
        Map<String, Double> losses = new LinkedHashMap<>();
        texts.forEach((name, blocks) -> losses.put(
                name,
                loss(
                        model,
                        blocks,
                        recipe.maxEvalBlocks(),
                        recipe.batchSize(),
                        recipe.memory().lossChunkSize())));
        return losses;
    }
}
