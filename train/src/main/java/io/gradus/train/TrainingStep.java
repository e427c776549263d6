package io.gradus.train;

import io.gradus.autograd.Variable;
import io.gradus.autograd.op.CrossEntropy;
import io.gradus.autograd.op.CrossEntropy.Reduction;
import io.gradus.core.Scope;
import io.gradus.core.Tensor;
import io.gradus.nn.model.LanguageModel;
import io.gradus.optim.ElasticPenalty;
import io.gradus.optim.FisherInformation;
import io.gradus.optim.Freezing;
import io.gradus.optim.GradientClipping;
import io.gradus.optim.GradualUnfreezing;
import io.gradus.optim.LayerDepth;
import io.gradus.optim.Optimizer;
import io.gradus.optim.StartingPoint;
import io.gradus.optim.WeightAverage;
import io.gradus.train.data.Batches.Batch;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongFunction;
import org.jspecify.annotations.Nullable;

/**
 * The four stages of a step, as a recipe has them: forward, loss, backward, update. A run makes it on its device, and the
 * plan of its memory makes it on one that only counts; so all that a step holds in tensors is made here.
 */
public final class TrainingStep {
    private final LanguageModel model;
    private final Optimizer optimizer;
    private final GradientClipping clipping;
    private final int accumulation;
    private final @Nullable GradualUnfreezing unfreezing;
    private @Nullable WeightAverage average;

    /**
     * Freezes what is to stay, notes where the weights start, and makes the optimiser and its state.
     *
     * @param model with the weights that the run begins with, also where it goes on from a checkpoint
     * @param known batches of one block of what the model knows, by their number, for elastic weight consolidation
     */
    public TrainingStep(Recipe recipe, LanguageModel model, LongFunction<Batch> known) {
        this.model = model;
        this.clipping = new GradientClipping(recipe.maxGradNorm());
        this.accumulation = recipe.gradientAccumulation();
        List<Variable> parameters = model.parameters();
        Freezing.freeze(parameters, recipe.forgetting().freeze());
        ElasticPenalty penalty = penalty(recipe.forgetting(), known);
        this.unfreezing = recipe.unfreezeEvery() == null
                ? null
                : new GradualUnfreezing(parameters, LayerDepth.of(parameters), recipe.unfreezeEvery());
        thaw(0);
        this.optimizer = Optimizers.of(recipe, parameters);
        optimizer.holdWith(penalty);
        Double decay = recipe.forgetting().ema();
        this.average = decay == null ? null : new WeightAverage(parameters, decay);
    }

    private @Nullable ElasticPenalty penalty(Recipe.Forgetting wanted, LongFunction<Batch> known) {
        if (wanted.l2Sp() > 0) {
            return ElasticPenalty.l2sp(StartingPoint.of(model.parameters()), wanted.l2Sp());
        }
        if (wanted.ewc() > 0) {
            model.setTraining(false);
            FisherInformation importance = FisherInformation.estimate(model.parameters(), wanted.ewcSamples(), k -> {
                try (Scope _ = Scope.open("importance")) {
                    lossSum(model, known.apply(k)).backwardAndRelease();
                }
            });
            // A mean of 1 gives the strength the meaning that it has in L2-SP.
            return ElasticPenalty.ewc(StartingPoint.of(model.parameters()), importance.normalized(), wanted.ewc());
        }
        return null;
    }

    private void thaw(int step) {
        if (unfreezing != null) {
            unfreezing.apply(step);
        }
    }

    /**
     * What came of the first three stages; the gradients are in the parameters.
     *
     * @param loss the mean over the tokens, in nats
     * @param tokens that counted
     */
    public record Pass(double loss, long tokens) {}

    /** What changes the parameters. */
    public Optimizer optimizer() {
        return optimizer;
    }

    /**
     * Forward, loss and backward of as many batches as the recipe adds up.
     *
     * @param step counted from 0
     * @param batches by their number, counted from 0 over all steps
     */
    public Pass backward(int step, LongFunction<Batch> batches) {
        double loss = 0;
        long tokens = 0;
        model.setTraining(true);
        thaw(step);
        optimizer.zeroGrad();
        for (int i = 0; i < accumulation; i++) {
            try (Scope _ = Scope.open("step " + (step + 1))) {
                Batch batch = batches.apply((long) step * accumulation + i);
                Variable sum = lossSum(model, batch);
                sum.backwardAndRelease();
                loss += sum.item();
                tokens += batch.counted();
            }
        }
        return new Pass(loss / tokens, tokens);
    }

    /** The sum, not the mean: a mean of means would weight a short batch as much as a long one. */
    static Variable lossSum(LanguageModel model, Batch batch) {
        return model.forward(batch.input())
                .crossEntropy(batch.targets(), CrossEntropy.IGNORE_INDEX, Reduction.SUM, null);
    }

    /**
     * The norm of the gradient of the mean loss, before clipping.
     *
     * @throws ArithmeticException when it is not finite; names the parameters that are the cause
     */
    public double gradientNorm(Pass pass) {
        return GradientClipping.norm(optimizer.parameters()) / pass.tokens;
    }

    /**
     * Changes the parameters by the gradient of the mean loss, clipped.
     *
     * @param gradientNorm of this pass
     */
    public void update(Pass pass, double gradientNorm, double learningRate) {
        optimizer.setLearningRate(learningRate);
        optimizer.step(clipping.factor(gradientNorm) / pass.tokens);
        if (average != null) {
            average.update();
        }
    }

    // ---- besides the step ----

    /** Something that is done with the weights. */
    @FunctionalInterface
    interface Work<X extends Exception> {
        void run() throws X;
    }

    /** Does something with the weights that are evaluated and kept: the average over the steps, where there is one. */
    <X extends Exception> void withAverage(Work<X> work) throws X {
        if (average == null) {
            work.run();
            return;
        }
        average.swap();
        try {
            work.run();
        } finally {
            average.swap();
        }
    }

    /** No step comes any more: the average takes the place of the weights for good, and gradients give theirs back. */
    void settle() {
        optimizer.zeroGrad();
        if (average != null) {
            average.swap();
            average = null;
        }
    }

    /** All that must be remembered for the run to go on to the same bits, besides the weights. */
    public Map<String, Tensor> state() {
        Map<String, Tensor> state = new LinkedHashMap<>(optimizer.state());
        if (average != null) {
            state.putAll(average.state());
        }
        return state;
    }

    /** Takes over what {@link #state} gave. */
    public void load(Map<String, Tensor> saved) {
        Map<String, Tensor> rest = new LinkedHashMap<>(saved);
        if (average != null) {
            Map<String, Tensor> averages = new LinkedHashMap<>();
            average.state().keySet().stream()
                    .filter(rest::containsKey)
                    .forEach(name -> averages.put(name, rest.remove(name)));
            average.load(averages);
        }
        optimizer.load(rest);
    }
}
