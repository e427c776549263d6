package io.gradus.train;

import io.gradus.autograd.Autograd;
import io.gradus.autograd.Variable;
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
import io.gradus.train.task.Scores;
import io.gradus.train.task.Task;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

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
        return measured(model, batches, LossFunction.crossEntropy(0), null, "text", ALONE, progress)
                .loss();
    }

    /**
     * The mean loss per target over one pass of the batches.
     *
     * @throws NonFiniteException if it is NaN or infinite; names the weight or the layer
     */
    public static double loss(PretrainedModel model, BatchSource batches, LossFunction loss) {
        return measured(model, batches, loss, null, "text", ALONE, _ -> {}).loss();
    }

    /**
     * What an evaluation has found.
     *
     * @param loss the mean over the targets
     */
    record Measured(double loss, Scores scores) {}

    private static Measured measured(
            PretrainedModel model,
            BatchSource batches,
            LossFunction loss,
            @Nullable Task task,
            String name,
            Ranks ranks,
            Consumer<Progress> progress) {
        model.eval();
        double sum = 0;
        long tokens = 0;
        List<double[]> observed = new ArrayList<>();
        long count = batches.batchesPerEpoch();
        for (long first = 0; first < count; first += ranks.size()) {
            progress.accept(new Progress("evaluating " + name, first, count));
            // A process without a batch repeats the last, so that all make the same number of forward passes.
            List<double[]> each =
                    gather(ranks, own(model, batches, Math.min(first + ranks.rank(), count - 1), loss, task));
            for (int i = 0; i < Math.min(ranks.size(), count - first); i++) {
                double[] own = each.get(i);
                double batchSum = own[0];
                if (!Double.isFinite(batchSum)) {
                    throw new NonFiniteException(
                            "the loss on " + name + " is " + batchSum + ": " + cause(model, batches, first + i, loss));
                }
                sum += batchSum;
                tokens += (long) own[1];
                observed.add(Arrays.copyOfRange(own, 2, own.length));
            }
        }
        if (tokens == 0) {
            throw new IllegalStateException("the loss on " + name + " is undefined: no token counts");
        }
        return new Measured(sum / tokens, task == null ? Scores.NONE : task.score(observed));
    }

    /** The values of all processes, which may differ in number. */
    private static List<double[]> gather(Ranks ranks, double[] own) {
        double[] lengths = ranks.gather(own.length);
        int longest = (int) Arrays.stream(lengths).max().orElseThrow();
        double[] all = ranks.gather(Arrays.copyOf(own, longest));
        List<double[]> each = new ArrayList<>();
        for (int rank = 0; rank < lengths.length; rank++) {
            each.add(Arrays.copyOfRange(all, rank * longest, rank * longest + (int) lengths[rank]));
        }
        return each;
    }

    /** The loss of a batch, summed over its targets, their number, and what the task keeps of it. */
    private static double[] own(
            PretrainedModel model, BatchSource batches, long index, LossFunction loss, @Nullable Task task) {
        Backend backend = model.device().backend();
        double[] own;
        boolean isSmaller;
        try (Scope _ = Scope.open("evaluation")) {
            Batch batch = batches.batch(index, model.device());
            isSmaller = batch.ids().shape().get(0) < batches.batchSize();
            if (isSmaller) {
                backend.trim(); // memory of whole batches does not fit
            }
            own = observed(model, batch, loss, task);
        }
        if (isSmaller) {
            backend.trim();
        }
        return own;
    }

    private static double[] observed(PretrainedModel model, Batch batch, LossFunction loss, @Nullable Task task) {
        if (task == null) {
            return new double[] {lossSum(model, batch, loss), batch.counted()};
        }
        return Autograd.noGrad(() -> {
            Variable hidden = model.hiddenStates(batch.input());
            double[] kept = task.observe(model, hidden, batch);
            double[] all = new double[2 + kept.length];
            all[0] = loss.sum(model, hidden, batch).item();
            all[1] = batch.counted();
            System.arraycopy(kept, 0, all, 2, kept.length);
            return all;
        });
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

    /** What is found on several sources, by name; all processes must call this method. */
    static Map<String, Measured> all(
            PretrainedModel model,
            Map<String, BatchSource> sources,
            LossFunction loss,
            Task task,
            Ranks ranks,
            Consumer<Progress> progress) {
        Map<String, Measured> found = new LinkedHashMap<>();
        sources.forEach((name, batches) -> found.put(
                name, measured(model, batches, loss, task, name.replace('_', '-') + " text", ranks, progress)));
        return found;
    }
}
