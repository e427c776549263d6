package io.gradus.train;

import io.gradus.autograd.Variable;
import io.gradus.autograd.op.CrossEntropy;
import io.gradus.autograd.op.CrossEntropy.Reduction;
import io.gradus.core.Scope;
import io.gradus.nn.model.LanguageModel;
import io.gradus.optim.Adam;
import io.gradus.optim.AdamW;
import io.gradus.optim.GradientClipping;
import io.gradus.optim.Optimizer;
import io.gradus.optim.ParameterGroup;
import io.gradus.optim.ParameterGroups;
import io.gradus.optim.Sgd;
import io.gradus.train.data.Batches.Batch;
import java.util.List;
import java.util.function.LongFunction;

/**
 * The four stages of a step, as a recipe has them: forward, loss, backward, update. A run makes it on its device, and the
 * plan of its memory makes it on one that only counts; so all that a step holds in tensors is made here.
 */
public final class TrainingStep {
    private final LanguageModel model;
    private final Optimizer optimizer;
    private final GradientClipping clipping;
    private final int accumulation;

    /** Makes the optimiser and its state. */
    public TrainingStep(Recipe recipe, LanguageModel model) {
        this.model = model;
        this.optimizer = optimizer(recipe, model);
        this.clipping = new GradientClipping(recipe.maxGradNorm());
        this.accumulation = recipe.gradientAccumulation();
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
    }

    private static Optimizer optimizer(Recipe recipe, LanguageModel model) {
        List<ParameterGroup> groups = ParameterGroups.decayed(model.parameters(), recipe.weightDecay());
        Adam.Settings moments = new Adam.Settings(recipe.beta1(), recipe.beta2(), recipe.epsilon());
        return switch (recipe.optimizer()) {
            case ADAMW -> new AdamW(groups, recipe.learningRate(), moments);
            case ADAM -> new Adam(groups, recipe.learningRate(), moments);
            case SGD ->
                new Sgd(groups, recipe.learningRate(), new Sgd.Settings(recipe.momentum(), 0, recipe.nesterov()));
        };
    }
}
