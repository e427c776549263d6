package io.gradus.train;

import io.gradus.autograd.CrossEntropyOptions;
import io.gradus.autograd.Reduction;
import io.gradus.autograd.Variable;
import io.gradus.core.Scope;
import io.gradus.core.Tensor;
import io.gradus.data.Batches.Batch;
import io.gradus.nn.model.LanguageModel;
import io.gradus.optim.AnchorWeights;
import io.gradus.optim.FisherInformation;
import io.gradus.optim.Freezing;
import io.gradus.optim.GradientClipping;
import io.gradus.optim.GradualUnfreezing;
import io.gradus.optim.LayerDepth;
import io.gradus.optim.LossScaler;
import io.gradus.optim.Optimizer;
import io.gradus.optim.ProximalPenalty;
import io.gradus.optim.WeightAverage;
import io.gradus.train.Recipe.PrecisionKind;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongFunction;
import org.jspecify.annotations.Nullable;

/**
 * The four stages of a step, as a recipe has them: forward, loss, backward, update. A run makes it on its device, and the
 * plan of its memory makes it on one that only counts; so all that a step holds in tensors is made here.
 */
public final class TrainingStep {
    private final LanguageModel model;
    private final Recipe recipe;
    private final Set<Variable> frozen;
    private final Optimizer optimizer;
    private final GradientClipping clipping;
    private final @Nullable GradualUnfreezing unfreezing;
    private final @Nullable LossScaler scaler;
    private @Nullable WeightAverage average;

    /** Freezes what is to stay, and makes the optimiser and its state. */
    public TrainingStep(Recipe recipe, LanguageModel model) {
        this.recipe = recipe;
        this.model = model;
        this.clipping = new GradientClipping(recipe.maxGradNorm());
        this.scaler = recipe.memory().precision() == PrecisionKind.F16 ? new LossScaler() : null;
        model.setActivationCheckpointing(recipe.memory().activationCheckpointing());
        List<Variable> parameters = model.parameters();
        this.frozen = Set.copyOf(Freezing.freeze(parameters, recipe.forgetting().freeze()));
        this.unfreezing = recipe.gradualUnfreezeSteps() == null
                ? null
                : new GradualUnfreezing(parameters, LayerDepth.of(parameters), recipe.gradualUnfreezeSteps());
        // Also what is thawed later has its state from here on: its master starts from the base's digits.
        this.optimizer = Optimizers.of(recipe, parameters);
        thaw(0);
    }

    /**
     * Notes where the weights start. Also a run that goes on from a checkpoint comes by here first, with the weights that it
     * began with.
     *
     * @param known batches of one block of what the model knows, by their number, for elastic weight consolidation
     */
    public void begin(LongFunction<Batch> known) {
        optimizer.setPenalty(penalty(recipe.forgetting(), known));
        Double decay = recipe.forgetting().emaDecay();
        average = decay == null ? null : new WeightAverage(model.parameters(), decay, this::weight);
    }

    private @Nullable ProximalPenalty penalty(Recipe.Forgetting wanted, LongFunction<Batch> known) {
        if (wanted.l2Sp() > 0) {
            return ProximalPenalty.l2sp(AnchorWeights.of(model.parameters(), this::weight), wanted.l2Sp());
        }
        if (wanted.ewc() > 0) {
            // A mean of 1 gives the strength the meaning that it has in L2-SP.
            FisherInformation importance =
                    importance(wanted.ewcSamples(), known).normalized();
            return ProximalPenalty.ewc(AnchorWeights.of(model.parameters(), this::weight), importance, wanted.ewc());
        }
        return null;
    }

    private FisherInformation importance(int samples, LongFunction<Batch> known) {
        model.eval();
        thaw(Integer.MAX_VALUE);
        try {
            return FisherInformation.estimate(model.parameters(), samples, k -> {
                try (Scope _ = Scope.open("importance")) {
                    lossSum(known.apply(k)).backwardAndRelease();
                }
            });
        } catch (ArithmeticException e) {
            throw new RecipeException("ewc: gradients on data.general are not finite; "
                    + (scaler == null ? "check the weights of the model" : "take precision=bf16") + ". "
                    + e.getMessage());
        } finally {
            thaw(0);
        }
    }

    private void thaw(int step) {
        if (unfreezing != null) {
            unfreezing.apply(step);
        }
    }

    // ---- the step ----

    /**
     * What came of a step.
     *
     * @param loss the mean over the tokens, in nats, before the update
     * @param tokens that counted
     * @param gradientNorm of the mean loss, before clipping
     * @param skipped why weights and moments were left as they were; null: they were not
     */
    public record Outcome(
            double loss,
            long tokens,
            double gradientNorm,
            @Nullable String skipped) {}

    /** Looks at the loss before anything changes. */
    @FunctionalInterface
    public interface LossCheck {
        /** A reason to skip the step, if there is one; an exception ends the run. */
        Optional<String> reasonToSkip(double loss);
    }

    /**
     * Forward, loss, backward and update, from as many batches as the recipe adds up.
     *
     * @param step counted from 0
     * @param batches by their number, counted from 0 over all steps
     * @throws ArithmeticException when a gradient is not finite; names the parameters that are the cause
     */
    public Outcome step(int step, LongFunction<Batch> batches, double learningRate, LossCheck check) {
        model.train();
        thaw(step);
        optimizer.zeroGrad();
        optimizer.setLearningRate(learningRate);
        Outcome outcome = recipe.memory().optimizerInBwd()
                ? inBackward(step, batches, check)
                : backwardAndUpdate(step, batches, check);
        if (outcome.skipped == null && average != null) {
            average.update();
        }
        return outcome;
    }

    private Outcome backwardAndUpdate(int step, LongFunction<Batch> batches, LossCheck check) {
        int accumulation = recipe.gradientAccumulationSteps();
        double loss = 0;
        long tokens = 0;
        double weight = 0;
        for (int i = 0; i < accumulation; i++) {
            try (Scope _ = Scope.open("step " + (step + 1))) {
                Batch batch = batches.apply((long) step * accumulation + i);
                weight = i == 0 ? lossWeight(batch) : weight;
                Variable sum = lossSum(batch);
                loss += sum.item();
                tokens += batch.counted();
                (scaler == null ? sum : sum.multiply(weight)).backwardAndRelease();
            }
        }
        loss /= tokens;
        Optional<String> reason = check.reasonToSkip(loss);
        if (reason.isPresent()) {
            return new Outcome(loss, tokens, Double.NaN, reason.get());
        }
        return update(loss, tokens, weight);
    }

    /**
     * What the sum of the losses is multiplied by in F16: the loss scale, for the mean and not for the sum, which would soon
     * be too large. All batches of a step have the weight of the first.
     */
    private double lossWeight(Batch first) {
        return scaler == null
                ? 1
                : scaler.scale() / (Math.max(1, first.counted()) * recipe.gradientAccumulationSteps());
    }

    private Outcome update(double loss, long tokens, double weight) {
        if (scaler == null) {
            double norm = GradientClipping.norm(optimizer.parameters()) / tokens;
            optimizer.step(clipping.factor(norm) / tokens);
            return new Outcome(loss, tokens, norm, null);
        }
        double toMean = scaler.scale() / (weight * tokens); // what is left when the scaler has divided by its scale
        LossScaler.StepResult made = scaler.step(optimizer, norm -> clipping.factor(norm * toMean) * toMean);
        return new Outcome(
                loss,
                tokens,
                made.norm() * toMean,
                made.stepped()
                        ? null
                        : "a gradient is too large for f16; the loss is scaled by " + scaler.scale() + " now");
    }

    /** The loss is looked at before the first gradient is there, for each changes its weights at once. */
    private Outcome inBackward(int step, LongFunction<Batch> batches, LossCheck check) {
        try (Scope _ = Scope.open("step " + (step + 1))) {
            Batch batch = batches.apply(step);
            Variable sum = lossSum(batch);
            long tokens = batch.counted();
            double loss = sum.item() / tokens;
            Optional<String> reason = check.reasonToSkip(loss);
            double norm = reason.isPresent() ? Double.NaN : optimizer.stepInBackward(sum, 1.0 / tokens) / tokens;
            return new Outcome(loss, tokens, norm, reason.orElse(null));
        }
    }

    private Variable lossSum(Batch batch) {
        return lossSum(model, batch, recipe.memory().lossChunkSize());
    }

    /**
     * The sum, not the mean: a mean of means would weight a short batch as much as a long one.
     *
     * @param chunk of how many tokens there are logits at once; 0: as many as pay; null: of all
     */
    static Variable lossSum(LanguageModel model, Batch batch, @Nullable Integer chunk) {
        return chunk != null
                ? model.lossSum(batch.input(), batch.targets(), chunk)
                : model.forward(batch.input()).crossEntropy(batch.targets(), CrossEntropyOptions.of(Reduction.SUM));
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
            for (Variable parameter : model.parameters()) {
                set(parameter, average.of(parameter));
            }
            average = null;
        }
    }

    /** The weight in the precision that it is trained in; inside {@link #withAverage} the average of it. */
    Tensor weight(Variable parameter) {
        if (average != null && average.isSwapped()) {
            return average.of(parameter);
        }
        return frozen.contains(parameter) ? parameter.value() : optimizer.weight(parameter);
    }

    /** Whether a weight stays as it is and has 16 bits here, so that the base alone may have all its digits. */
    boolean isFrozenAndRounded(Variable parameter) {
        return frozen.contains(parameter) && parameter.value().dtype().isHalf();
    }

    /** How many numbers are trained in so many steps: not the frozen ones, nor those that would be thawed later. */
    long trained(int steps) {
        List<Variable> later = unfreezing == null
                ? List.of()
                : unfreezing.groups().stream()
                        .skip(unfreezing.trainableGroups(Math.max(0, steps - 1)))
                        .flatMap(List::stream)
                        .toList();
        return model.parameters().stream()
                .filter(parameter -> !frozen.contains(parameter) && !later.contains(parameter))
                .mapToLong(parameter -> parameter.shape().size())
                .sum();
    }

    /** Gives a parameter other numbers. */
    void set(Variable parameter, Tensor exact) {
        parameter.value().copyFrom(exact);
        if (!frozen.contains(parameter)) {
            optimizer.initMasterWeight(parameter, exact);
        }
    }

    /**
     * Moves a parameter back towards where it started.
     *
     * @param share of the way from there that it keeps
     */
    void mix(Variable parameter, Tensor start, double share) {
        AnchorWeights.of(Map.of(String.valueOf(parameter.name()), start))
                .interpolate(List.of(parameter), share, this::weight);
    }

    /** All that must be remembered in tensors for the run to go on to the same bits, besides the weights. */
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
            for (String name : average.state().keySet()) {
                if (rest.containsKey(name)) {
                    averages.put(name, rest.remove(name));
                }
            }
            average.load(averages);
        }
        optimizer.load(rest);
    }

    /** Where the scale of the loss stands, in F16. */
    LossScaler.@Nullable State scale() {
        return scaler == null ? null : scaler.state();
    }

    /** Steps that were skipped because a gradient was too large for F16. */
    int overflows() {
        return scaler == null ? 0 : Math.toIntExact(scaler.skipped());
    }

    /** Goes on from there. */
    void load(LossScaler.@Nullable State scale) {
        if (scaler != null && scale != null) {
            scaler.load(scale);
        }
    }
}
