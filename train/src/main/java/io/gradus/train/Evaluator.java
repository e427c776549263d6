package io.gradus.train;

import io.gradus.autograd.Autograd;
import io.gradus.core.Backend;
import io.gradus.core.Scope;
import io.gradus.data.BatchSource;
import io.gradus.data.Batches;
import io.gradus.data.Batches.Batch;
import io.gradus.data.Blocks;
import io.gradus.nn.NonFinite;
import io.gradus.nn.NonFiniteException;
import io.gradus.nn.model.PretrainedModel;
import io.gradus.train.TrainingListener.Progress;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Evaluates a model on text that it is not trained on. The processes of a parallel run share the batches: each takes every N-th,
 * and all add the losses in the order of the batches, so the result has the bits of one process.
 */
public final class Evaluator {
    private static final Ranks ALONE = new Ranks(null);

    private Evaluator() {}

    /**
     * The mean cross-entropy per token, in nats; its exponential is the perplexity.
     *
     * @param maxBlocks evaluate only the first blocks, at most this many
     * @param batchSize blocks per forward pass; the result does not depend on it, except for rounding
     * @throws NonFiniteException if it is NaN or infinite; names the weight or the layer
     */
    public static double loss(PretrainedModel model, Blocks blocks, int maxBlocks, int batchSize) {
        return loss(model, blocks, maxBlocks, batchSize, _ -> {});
    }

    /**
     * {@link #loss(PretrainedModel, Blocks, int, int)}, with a consumer of its progress.
     *
     * @param progress called before each batch
     */
    public static double loss(
            PretrainedModel model, Blocks blocks, int maxBlocks, int batchSize, Consumer<Progress> progress) {
        Blocks first = blocks.first(Math.min(maxBlocks, blocks.size()));
        Batches batches = new Batches(first, batchSize, 0, false);
        return loss(model, batches, LossFunction.crossEntropy(0), "text", ALONE, progress);
    }

    /**
     * The mean loss per target over one pass of the batches.
     *
     * @throws NonFiniteException if it is NaN or infinite; names the weight or the layer
     */
    public static double loss(PretrainedModel model, BatchSource batches, LossFunction loss) {
        return loss(model, batches, loss, "text", ALONE, _ -> {});
    }

    private static double loss(
            PretrainedModel model,
            BatchSource batches,
            LossFunction loss,
            String name,
            Ranks ranks,
            Consumer<Progress> progress) {
        model.eval();
        double sum = 0;
        long tokens = 0;
        long count = batches.batchesPerEpoch();
        for (long first = 0; first < count; first += ranks.size()) {
            progress.accept(new Progress("evaluating " + name, first, count));
            // A process without a batch repeats the last, so that all make the same number of forward passes.
            double[] each = ranks.gather(own(model, batches, Math.min(first + ranks.rank(), count - 1), loss));
            for (int i = 0; i < Math.min(ranks.size(), count - first); i++) {
                double batchSum = each[2 * i];
                if (!Double.isFinite(batchSum)) {
                    throw new NonFiniteException(
                            "the loss on " + name + " is " + batchSum + ": " + cause(model, batches, first + i, loss));
                }
                sum += batchSum;
                tokens += (long) each[2 * i + 1];
            }
        }
        if (tokens == 0) {
            throw new IllegalStateException("the loss on " + name + " is undefined: no token counts");
        }
        return sum / tokens;
    }

    /** The loss of a batch, summed over its targets, and their number. */
    private static double[] own(PretrainedModel model, BatchSource batches, long index, LossFunction loss) {
        Backend backend = model.device().backend();
        double[] own;
        boolean isSmaller;
        try (Scope _ = Scope.open("evaluation")) {
            Batch batch = batches.batch(index, model.device());
            isSmaller = batch.ids().shape().get(0) < batches.batchSize();
            if (isSmaller) {
                backend.trim(); // memory of whole batches does not fit
            }
            own = new double[] {lossSum(model, batch, loss), batch.counted()};
        }
        if (isSmaller) {
            backend.trim();
        }
        return own;
    }

    private static String cause(PretrainedModel model, BatchSource batches, long index, LossFunction loss) {
        try (Scope _ = Scope.open("cause")) {
            return cause(model, batches.batch(index, model.device()), loss);
        }
    }

    /** Why the loss of a batch is not finite: {@link NonFinite#cause}. */
    static String cause(PretrainedModel model, Batch batch, LossFunction loss) {
        return NonFinite.cause(model, () -> lossSum(model, batch, loss));
    }

    /** The loss of one batch, summed over its targets. The tensors of the forward pass belong to the open scope. */
    static double lossSum(PretrainedModel model, Batch batch, LossFunction loss) {
        return Autograd.noGrad(() -> loss.sum(model, model.hiddenStates(batch.input()), batch))
                .item();
    }

    /** The losses on several sources, by name; all processes must call this method. */
    static Map<String, Double> losses(
            PretrainedModel model,
            Map<String, BatchSource> sources,
            LossFunction loss,
            Ranks ranks,
            Consumer<Progress> progress) {
        Map<String, Double> losses = new LinkedHashMap<>();
        sources.forEach((name, batches) ->
                losses.put(name, loss(model, batches, loss, name.replace('_', '-') + " text", ranks, progress)));
        return losses;
    }
}
