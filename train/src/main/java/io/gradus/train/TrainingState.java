package io.gradus.train;

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
import io.gradus.train.guard.TrainingException;
import io.gradus.train.recipe.Optimizers;
import io.gradus.train.recipe.Recipe;
import io.gradus.train.recipe.Recipe.PrecisionKind;
import io.gradus.train.recipe.RecipeException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.LongFunction;
import org.jspecify.annotations.Nullable;

/**
 * Everything that a step changes besides the gradients: the weights, the optimizer's state, and their companions, such as the
 * moving average of the weights and the loss scale. All of its tensors are allocated here, so that the memory plan, which
 * makes the same steps on the meta device, counts them.
 */
final class TrainingState {
    /** Distinguishes the moving average from an optimizer's state of the same name. */
    private static final String AVERAGE = "ema:";

    final Recipe recipe;
    final LanguageModel model;
    final LossFunction loss;
    final Ranks ranks;
    final Optimizer optimizer;
    final GradientClipping clipping;
    final @Nullable LossScaler scaler; // for F16 only
    private final Set<Variable> frozen;
    private final @Nullable GradualUnfreezing unfreezing;
    private @Nullable WeightAverage average;

    /** Freezes parameters and creates the optimizer with its state. */
    TrainingState(
            Recipe recipe, LanguageModel model, LossFunction loss, Optimizer.@Nullable Factory custom, Ranks ranks) {
        this.recipe = recipe;
        this.ranks = ranks;
        this.model = model;
        this.loss = loss;
        this.clipping = new GradientClipping(recipe.maxGradNorm());
        this.scaler = recipe.memory().precision() == PrecisionKind.F16 ? new LossScaler() : null;
        model.setActivationCheckpointing(recipe.memory().activationCheckpointing());
        List<Variable> parameters = model.parameters();
        this.frozen = Set.copyOf(Freezing.freeze(parameters, recipe.forgetting().freeze()));
        this.unfreezing = recipe.gradualUnfreezeSteps() == null
                ? null
                : new GradualUnfreezing(parameters, LayerDepth.of(parameters), recipe.gradualUnfreezeSteps());
        // Before anything is frozen for later, so that every trained parameter has its state from the start.
        this.optimizer = Optimizers.of(recipe, parameters, custom);
        unfreeze(0);
    }

    /**
     * Records the weights that the run starts from, for penalties and the moving average. A resumed run calls this with its
     * initial weights, before it loads the checkpoint.
     *
     * @param general batches of one block of general text, for elastic weight consolidation
     */
    void begin(LongFunction<Batch> general) {
        optimizer.setPenalty(penalty(recipe.forgetting(), general));
        Double decay = recipe.forgetting().emaDecay();
        average = decay == null ? null : new WeightAverage(model.parameters(), decay, this::weight);
    }

    private @Nullable ProximalPenalty penalty(Recipe.Forgetting wanted, LongFunction<Batch> general) {
        if (wanted.l2Sp() > 0) {
            return ProximalPenalty.l2sp(AnchorWeights.of(model.parameters(), this::weight), wanted.l2Sp());
        }
        if (wanted.ewc() > 0) {
            // Normalized to a mean of 1, so that the strength means the same as in L2-SP.
            FisherInformation importance =
                    importance(wanted.ewcSamples(), general).normalized();
            return ProximalPenalty.ewc(AnchorWeights.of(model.parameters(), this::weight), importance, wanted.ewc());
        }
        return null;
    }

    private FisherInformation importance(int samples, LongFunction<Batch> general) {
        model.eval();
        unfreeze(Integer.MAX_VALUE);
        try {
            return FisherInformation.estimate(model.parameters(), samples, k -> {
                try (Scope _ = Scope.open("importance")) {
                    Batch batch = general.apply(k);
                    Variable sum = loss.sum(model, model.hiddenStates(batch.input()), batch);
                    if (!Double.isFinite(sum.item())) {
                        throw new TrainingException("ewc: the loss on data.general is " + sum.item() + ": "
                                + Evaluator.cause(model, batch, loss));
                    }
                    sum.backwardAndRelease();
                }
            });
        } catch (ArithmeticException e) {
            throw new RecipeException("ewc: gradients on data.general are not finite; "
                    + (scaler == null ? "check the weights of the model" : "use precision=bf16") + ". "
                    + e.getMessage());
        } finally {
            unfreeze(0);
        }
    }

    // ---- the step ----

    /** Freezes the layers that a step does not train yet (gradual unfreezing). */
    void unfreeze(int step) {
        if (unfreezing != null) {
            unfreezing.apply(step);
        }
    }

    /** Adds the weights after a step to their moving average, if the recipe wants one. */
    void updateAverage() {
        if (average != null) {
            average.update();
        }
    }

    // ---- the weights ----

    /** An action on the weights. */
    @FunctionalInterface
    interface Action<X extends Exception> {
        void run() throws X;
    }

    /** Runs an action while the parameters hold the weights to evaluate and save: their moving average, if there is one. */
    <X extends Exception> void withAverage(Action<X> action) throws X {
        if (average == null) {
            action.run();
            return;
        }
        average.swap();
        try {
            action.run();
        } finally {
            average.swap();
        }
    }

    /** Call after the last step: replaces the weights by their moving average and frees the gradients. */
    void finish() {
        optimizer.zeroGrad();
        if (average != null) {
            for (Variable parameter : model.parameters()) {
                set(parameter, average.of(parameter));
            }
            average = null;
        }
    }

    /** The weight in the precision that it is trained in; inside {@link #withAverage} its average. */
    Tensor weight(Variable parameter) {
        if (average != null && average.isSwapped()) {
            return average.of(parameter);
        }
        return frozen.contains(parameter) ? parameter.value() : optimizer.weight(parameter);
    }

    /** Whether a parameter is frozen and has 16 bits, so that only the base model has its exact value. */
    boolean isFrozenAndRounded(Variable parameter) {
        return frozen.contains(parameter) && parameter.value().dtype().isHalf();
    }

    /** The number of trained elements in a run of so many steps: without frozen ones and those never unfrozen. */
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

    /** Sets the weight of a parameter. */
    void set(Variable parameter, Tensor exact) {
        parameter.value().copyFrom(exact);
        if (!frozen.contains(parameter)) {
            optimizer.initMasterWeight(parameter, exact);
        }
    }

    /** Moves a parameter back toward its start: {@code start + alpha·(weight − start)}. */
    void interpolate(Variable parameter, Tensor start, double alpha) {
        AnchorWeights.of(Map.of(String.valueOf(parameter.name()), start))
                .interpolate(List.of(parameter), alpha, this::weight);
    }

    // ---- checkpoints ----

    /** All tensors besides the weights that a resumed run needs to continue with the same bits. */
    Map<String, Tensor> tensors() {
        Map<String, Tensor> tensors = new LinkedHashMap<>(optimizer.state());
        if (average != null) {
            average.state().forEach((name, tensor) -> tensors.put(AVERAGE + name, tensor));
        }
        return tensors;
    }

    /** Restores what {@link #tensors} returned. */
    void load(Map<String, Tensor> saved) {
        Map<String, Tensor> optimizerState = new LinkedHashMap<>();
        Map<String, Tensor> averages = new LinkedHashMap<>();
        saved.forEach((name, tensor) -> {
            if (name.startsWith(AVERAGE)) {
                averages.put(name.substring(AVERAGE.length()), tensor);
            } else {
                optimizerState.put(name, tensor);
            }
        });
        if (average != null) {
            average.load(averages);
        }
        optimizer.load(optimizerState);
    }

    /** The state of the loss scale; null unless the precision is F16. */
    LossScaler.@Nullable State lossScale() {
        return scaler == null ? null : scaler.state();
    }

    /** Restores the state of the loss scale. */
    void load(LossScaler.@Nullable State saved) {
        if (scaler != null && saved != null) {
            scaler.load(saved);
        }
    }

    /** Steps that were skipped because a gradient overflowed in F16. */
    int overflows() {
        return scaler == null ? 0 : Math.toIntExact(scaler.skipped());
    }
}
