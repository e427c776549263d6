package io.gradus.train;

import io.gradus.autograd.Variable;
import io.gradus.core.DType;
import io.gradus.core.Scope;
import io.gradus.core.Tensor;
import io.gradus.core.safetensors.NamedTensor;
import io.gradus.data.BatchSource;
import io.gradus.data.Batches.Batch;
import io.gradus.nn.model.PretrainedModel;
import io.gradus.optim.AnchorWeights;
import io.gradus.optim.FisherInformation;
import io.gradus.optim.Freezing;
import io.gradus.optim.GradientClipping;
import io.gradus.optim.GradualUnfreezing;
import io.gradus.optim.LayerDepth;
import io.gradus.optim.LossScaler;
import io.gradus.optim.Optimizer;
import io.gradus.optim.ParameterGroup;
import io.gradus.optim.ProximalPenalty;
import io.gradus.optim.SquareSums;
import io.gradus.optim.WeightAverage;
import io.gradus.parallel.Shards;
import io.gradus.train.checkpoint.SavedRange;
import io.gradus.train.checkpoint.SavedTensors;
import io.gradus.train.checkpoint.StateFiles;
import io.gradus.train.guard.TrainingException;
import io.gradus.train.recipe.Optimizers;
import io.gradus.train.recipe.Recipe;
import io.gradus.train.recipe.Recipe.ParallelKind;
import io.gradus.train.recipe.Recipe.PrecisionKind;
import io.gradus.train.recipe.RecipeException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.DoubleUnaryOperator;
import java.util.function.LongFunction;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Everything that a step changes besides the gradients: the weights, the optimizer's state, and their companions, such as the
 * moving average of the weights and the loss scale. All of its tensors are allocated here, so that the memory plan, which
 * makes the same steps on the meta device, counts them.
 *
 * <p>Several processes may divide it: then each has the state of its {@linkplain ParameterShards part} of each parameter.
 */
final class TrainingState {
    /** Distinguishes the moving average from an optimizer's state of the same name. */
    private static final String AVERAGE = "ema:";

    /** Distinguishes what passes from batch to batch. */
    private static final String CARRIED = "carried:";

    /** What the first process asks for, besides the numbers of parameters. */
    private static final int WRITE = Integer.MAX_VALUE;

    final Recipe recipe;
    final PretrainedModel model;
    final LossFunction loss;
    final Ranks ranks;
    final Optimizer optimizer;
    final GradientClipping clipping;
    final @Nullable LossScaler scaler; // for F16 only
    final GradientSums sums;
    private final List<Variable> parameters;
    /** In the order of the optimizer's groups: the order in which norms are summed and weights are exchanged. */
    private final List<Variable> order;

    private final Set<Variable> frozen;
    private final Set<String> frozenNames;
    private final @Nullable GradualUnfreezing unfreezing;
    private final @Nullable ParameterShards shards; // null if this process has all of the state
    private final @Nullable GatheredWeights gathered; // null if this process has all weights
    private @Nullable WeightAverage average;
    private @Nullable Tensor collected;
    private @Nullable BatchSource batches; // whose state belongs to that of the run

    /** Freezes parameters and creates the optimizer with its state. */
    TrainingState(
            Recipe recipe, PretrainedModel model, LossFunction loss, Optimizer.@Nullable Factory custom, Ranks ranks) {
        this.recipe = recipe;
        this.ranks = ranks;
        this.model = model;
        this.loss = loss;
        this.clipping = new GradientClipping(recipe.maxGradNorm());
        this.scaler = recipe.memory().precision() == PrecisionKind.F16 ? new LossScaler() : null;
        model.setActivationCheckpointing(recipe.memory().activationCheckpointing());
        this.parameters = model.parameters();
        this.frozen = Set.copyOf(Freezing.freeze(parameters, recipe.forgetting().freeze()));
        this.frozenNames = frozen.stream().map(ParameterShards::nameOf).collect(Collectors.toSet());
        this.unfreezing = recipe.gradualUnfreezeSteps() == null
                ? null
                : new GradualUnfreezing(parameters, LayerDepth.of(parameters), recipe.gradualUnfreezeSteps());
        List<ParameterGroup> groups = Optimizers.groups(recipe, parameters);
        this.order =
                groups.stream().flatMap(group -> group.parameters().stream()).toList();
        ParallelKind kind = kind(recipe, ranks);
        boolean gathers = kind == ParallelKind.ZERO3;
        this.shards = kind == ParallelKind.NONE || kind == ParallelKind.DATA
                ? null
                : new ParameterShards(parameters, Optimizers.sharding(recipe, custom), ranks, (parameter, ranges) -> {
                    Tensor view = ranges.of(parameter.value(), ranks.rank());
                    return gathers ? GatheredWeights.empty(parameter, view.shape()) : view;
                });
        this.gathered = shards != null && gathers ? new GatheredWeights(ranks, shards, parameters) : null;
        // Before anything is frozen for later, so that every trained parameter has its state from the start.
        this.optimizer = Optimizers.of(recipe, shards == null ? groups : shards.groups(groups), custom);
        this.sums = new GradientSums(ranks, kind, shards);
        reserve();
        unfreeze(0);
    }

    static ParallelKind kind(Recipe recipe, Ranks ranks) {
        if (ranks.size() == 1) {
            return ParallelKind.NONE;
        }
        return recipe.parallel() == ParallelKind.NONE ? ParallelKind.DATA : recipe.parallel();
    }

    private void reserve() {
        if (ranks.size() > 1) {
            long longest = shards != null
                    ? shards.longest()
                    : parameters.stream()
                            .mapToLong(
                                    parameter -> Math.ceilDiv(parameter.shape().size(), ranks.size()))
                            .max()
                            .orElse(0);
            ranks.all().reserve(model.device(), recipe.memory().precision().dtype(), longest);
        }
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
        average = decay == null ? null : new WeightAverage(own(), decay, this::ownWeight);
    }

    /** Makes the state of the training batches a part of this one. */
    void carry(BatchSource training) {
        batches = training;
    }

    /** What this process updates: the parameters, or its parts of them. */
    private Collection<Variable> own() {
        return shards == null ? parameters : shards.own();
    }

    private @Nullable ProximalPenalty penalty(Recipe.Forgetting wanted, LongFunction<Batch> general) {
        if (wanted.l2Sp() > 0) {
            return ProximalPenalty.l2sp(AnchorWeights.of(own(), this::ownWeight), wanted.l2Sp());
        }
        if (wanted.ewc() > 0) {
            // Normalized to a mean of 1, so that the strength means the same as in L2-SP.
            FisherInformation importance =
                    importance(wanted.ewcSamples(), general).normalized();
            return ProximalPenalty.ewc(AnchorWeights.of(own(), this::ownWeight), importance, wanted.ewc());
        }
        return null;
    }

    /** Every process reads all samples, and keeps the importance of its own weights. */
    private FisherInformation importance(int samples, LongFunction<Batch> general) {
        model.eval();
        unfreeze(Integer.MAX_VALUE);
        try {
            FisherInformation importance = FisherInformation.estimate(
                    own(),
                    samples,
                    k -> {
                        try (Scope _ = Scope.open("importance")) {
                            parameters.forEach(Variable::clearGrad);
                            Batch batch = general.apply(k);
                            Variable sum = loss.sum(model, model.hiddenStates(batch.input()), batch);
                            if (!Double.isFinite(sum.item())) {
                                throw new TrainingException("ewc: the loss on data.general is " + sum.item() + ": "
                                        + Evaluator.cause(model, batch, loss));
                            }
                            sum.backwardAndRelease(shards == null ? _ -> {} : sums::takeOwn);
                        }
                    },
                    shards == null ? FisherInformation.Others.NONE : others(shards));
            freeWeights();
            return importance;
        } catch (ArithmeticException e) {
            throw new RecipeException("ewc: gradients on data.general are not finite; "
                    + (scaler == null ? "check the weights of the model" : "use precision=bf16") + ". "
                    + e.getMessage());
        } finally {
            parameters.forEach(Variable::clearGrad);
            unfreeze(0);
        }
    }

    private FisherInformation.Others others(ParameterShards divided) {
        return new FisherInformation.Others() {
            @Override
            public SquareSums complete(SquareSums own) {
                return divided.complete(own, parameters, _ -> true, own.half());
            }

            @Override
            public long elements(long own) {
                return model.parameterCount();
            }
        };
    }

    // ---- the step ----

    /** Begins a step: freezes the layers that it does not train yet, and discards the gradients of the last one. */
    void beginStep(int step) {
        unfreeze(step);
        optimizer.zeroGrad();
        parameters.forEach(Variable::clearGrad);
        sums.begin();
    }

    /** Freezes the layers that a step does not train yet (gradual unfreezing). */
    private void unfreeze(int step) {
        if (unfreezing != null) {
            unfreezing.apply(step);
        }
        if (shards != null) {
            shards.freezeAsParameters();
        }
    }

    /**
     * The norm of the gradients of all parameters, summed over the processes.
     *
     * @throws ArithmeticException if it is not finite; names the parameters
     */
    double gradientNorm() {
        return shards == null ? GradientClipping.norm(optimizer.parameters()) : GradientClipping.norm(squares(shards));
    }

    private SquareSums squares(ParameterShards divided) {
        SquareSums own = GradientClipping.squares(optimizer.parameters());
        boolean half = recipe.memory().precision().dtype().isHalf();
        return divided.complete(own, order, parameter -> parameter.requiresGrad() && sums.has(parameter), half);
    }

    /** Updates the weights, on all processes. */
    void update(double gradientScale) {
        if (shards == null) {
            optimizer.step(gradientScale);
            return;
        }
        if (gathered != null) {
            gathered.free();
            optimizer.step(gradientScale);
            return;
        }
        try (WeightExchange exchange = new WeightExchange(
                ranks,
                shards,
                order.stream()
                        .filter(parameter -> parameter.requiresGrad() && sums.has(parameter))
                        .toList())) {
            optimizer.step(gradientScale, part -> exchange.updated(ParameterShards.nameOf(part)));
        }
    }

    /**
     * {@link #update} in F16, unless a gradient has overflowed.
     *
     * @param factor maps the norm of the unscaled gradients to the factor that multiplies them
     */
    LossScaler.StepResult scaledUpdate(LossScaler loss, DoubleUnaryOperator factor) {
        return shards == null
                ? loss.step(optimizer, factor)
                : loss.step(squares(shards), norm -> update(factor.applyAsDouble(norm) / loss.scale()));
    }

    /** Adds the weights after a step to their moving average, if there is one. */
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

    /**
     * Runs an action while the parameters hold the weights to evaluate and save: their moving average, if there is one. All
     * processes must call this method.
     */
    <X extends Exception> void withAverage(Action<X> action) throws X {
        if (average == null) {
            action.run();
            return;
        }
        swap(average);
        try {
            action.run();
        } finally {
            swap(average);
        }
    }

    private void swap(WeightAverage weights) {
        weights.swap();
        exchangeWeights();
    }

    /** Gives all processes the weights that each has changed. */
    private void exchangeWeights() {
        if (gathered != null) {
            gathered.free();
        } else if (shards != null) {
            new WeightExchange(ranks, shards, parameters).close();
        }
    }

    /** Call after the last step: replaces the weights by their moving average and frees the gradients. */
    void finish() {
        optimizer.zeroGrad();
        if (average != null) {
            for (Variable part : own()) {
                part.value().copyFrom(average.of(part));
                if (isTrained(part)) {
                    optimizer.initMasterWeight(part, average.of(part));
                }
            }
            average = null;
            exchangeWeights();
        }
    }

    /** Whether the optimizer has state for what this process updates. */
    private boolean isTrained(Variable part) {
        return !frozenNames.contains(ParameterShards.nameOf(part));
    }

    /** The weights of a parameter, or of this process's part of it, in the precision that they are trained in. */
    private Tensor ownWeight(Variable part) {
        if (average != null && average.isSwapped()) {
            return average.of(part);
        }
        return isTrained(part) ? optimizer.weight(part) : part.value();
    }

    /**
     * The weight in the precision that it is trained in; inside {@link #withAverage} its average. If the processes have parts of it,
     * the first one may call this method, in {@link #lead}; the tensor is valid until
     * the next call.
     */
    Tensor weight(Variable parameter) {
        return shards == null ? ownWeight(parameter) : collect(parameters.indexOf(parameter));
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
        return parameters.stream()
                .filter(parameter -> !frozen.contains(parameter) && !later.contains(parameter))
                .mapToLong(parameter -> parameter.shape().size())
                .sum();
    }

    /** Sets the weight of a parameter. All processes must set it. */
    void set(Variable parameter, Tensor exact) {
        if (gathered == null) {
            parameter.value().copyFrom(exact);
        } else {
            gathered.free();
        }
        Variable part = shards == null ? parameter : shards.own(parameter);
        if (part != null) {
            Tensor own = shards == null ? exact : shards.range(parameter, exact);
            if (gathered != null) {
                part.value().copyFrom(own);
            }
            if (!frozen.contains(parameter)) {
                optimizer.initMasterWeight(part, own);
            }
        }
    }

    /** Frees weights that are whole only while they are used. Call this after passes that no update follows. */
    void freeWeights() {
        if (gathered != null) {
            gathered.free();
        }
    }

    /** Moves a parameter back toward its start: {@code start + alpha·(weight − start)}. {@link #interpolated} must follow. */
    void interpolate(Variable parameter, Tensor start, double alpha) {
        Variable part = shards == null ? parameter : shards.own(parameter);
        if (part != null) {
            Tensor own = shards == null ? start : shards.range(parameter, start);
            AnchorWeights.of(Map.of(ParameterShards.nameOf(parameter), own))
                    .interpolate(List.of(part), alpha, this::ownWeight);
        }
    }

    /** Call after all parameters were {@linkplain #interpolate interpolated}. */
    void interpolated() {
        exchangeWeights();
    }

    // ---- checkpoints ----

    /**
     * The tensors besides the weights that a resumed run needs to continue with the same bits, as far as this process has them: of its
     * parts of the parameters.
     */
    Map<String, Tensor> tensors() {
        Map<String, Tensor> tensors = new LinkedHashMap<>(optimizer.state());
        if (average != null) {
            average.state().forEach((name, tensor) -> tensors.put(AVERAGE + name, tensor));
        }
        if (batches != null) {
            batches.state().forEach((name, tensor) -> tensors.put(CARRIED + name, tensor));
        }
        return tensors;
    }

    /**
     * Writes all tensors besides the weights that a resumed run needs to continue with the same bits. If the processes have parts of
     * them, each writes its own; the first one calls this method, in {@link #lead}.
     *
     * @param folder which all processes share if they have parts
     */
    void write(Path folder) throws IOException {
        if (shards != null) {
            ranks.ask(WRITE);
            writeRanges(folder.toString());
            return;
        }
        StateFiles.write(
                folder,
                stateShards().stream()
                        .map(each -> NamedTensor.of(each.name(), Objects.requireNonNull(each.own())))
                        .toList());
    }

    /** @param folder of the first process */
    private void writeRanges(String folder) throws IOException {
        Path shared = Path.of(ranks.broadcast(folder, 0));
        List<SavedRange> ranges = new ArrayList<>();
        for (StateShards each : stateShards()) {
            if (each.own() != null && each.shards().size(ranks.rank()) > 0) {
                ranges.add(
                        new SavedRange(each.name(), each.shape(), each.shards().from(ranks.rank()), each.own()));
            }
        }
        ranks.together(() -> {
            StateFiles.write(shared, ranks.rank(), ranks.size(), ranges);
            return null;
        });
    }

    /** The size of what {@link #write} writes. */
    long savedBytes() {
        return stateShards().stream()
                .mapToLong(each -> each.shape().size() * each.dtype().bytes())
                .sum();
    }

    /** Whether the processes write parts of the state, so that all need the same folder. */
    boolean isDivided() {
        return shards != null;
    }

    /** How all processes together have the tensors that {@link #write} writes. */
    List<StateShards> stateShards() {
        Map<String, Tensor> own = tensors();
        if (shards == null) {
            return own.entrySet().stream()
                    .map(each -> StateShards.whole(each.getKey(), each.getValue(), ranks.size()))
                    .toList();
        }
        List<StateShards> all = new ArrayList<>();
        for (Variable parameter : order) {
            if (!frozen.contains(parameter)) {
                all.addAll(StateShards.of(optimizer, parameter, shards.of(parameter), own));
            }
        }
        if (average != null) {
            for (Variable parameter : parameters) {
                String name = AVERAGE + parameter.name() + ".average";
                all.add(new StateShards(
                        name,
                        parameter.value().dtype().computed(),
                        parameter.shape(),
                        shards.of(parameter),
                        own.get(name)));
            }
        }
        return all;
    }

    /** Restores what {@link #write} wrote, with any number of processes. Each reads its own parts. */
    void load(SavedTensors saved) throws IOException {
        Map<String, Tensor> read = new LinkedHashMap<>();
        Set<String> rest = new TreeSet<>(saved.names());
        for (StateShards each : shards == null ? List.<StateShards>of() : stateShards()) {
            Tensor own = each.own();
            if (rest.remove(each.name()) && own != null && own.size() > 0) {
                read.put(each.name(), range(saved, each));
            }
        }
        for (String name : rest) {
            read.put(name, saved.read(name)); // all of them, or those that the optimizer will report
        }
        tensors().forEach((name, tensor) -> {
            if (shards != null && tensor.size() == 0) { // of a process that has no part of any parameter
                read.putIfAbsent(name, tensor);
            }
        });
        load(read);
    }

    private Tensor range(SavedTensors saved, StateShards each) throws IOException {
        Shards shards = each.shards();
        boolean part = shards.size(ranks.rank()) > 0 && !shards.isWhole(ranks.rank());
        return part
                ? saved.read(each.name(), shards.from(ranks.rank()), shards.to(ranks.rank()))
                : saved.read(each.name()); // also what all need and one writes, such as the number of steps
    }

    private void load(Map<String, Tensor> saved) {
        Map<String, Tensor> optimizerState = new LinkedHashMap<>();
        Map<String, Tensor> averages = new LinkedHashMap<>();
        Map<String, Tensor> carried = new LinkedHashMap<>();
        saved.forEach((name, tensor) -> {
            if (name.startsWith(CARRIED)) {
                carried.put(name.substring(CARRIED.length()), tensor);
            } else if (name.startsWith(AVERAGE)) {
                averages.put(name.substring(AVERAGE.length()), tensor);
            } else {
                optimizerState.put(name, tensor);
            }
        });
        if (average != null) {
            average.load(averages);
        }
        optimizer.load(optimizerState);
        if (batches != null) {
            batches.load(carried);
        }
    }

    // ---- what the first process asks for ----

    /** Asks the others for their parts of a weight. */
    private Tensor collect(int number) {
        ranks.ask(number);
        return Objects.requireNonNull(help(number));
    }

    /** Does its part of what the first process asked for. */
    private void serve(int what) throws IOException {
        if (what == WRITE) {
            writeRanges("");
        } else {
            help(what);
        }
    }

    /**
     * Sends this process's part of a weight to the first process.
     *
     * @return the whole tensor on the first process, null on the others
     */
    private @Nullable Tensor help(int number) {
        if (gathered != null && GatheredWeights.isQuestion(number)) {
            gathered.answer(number);
            return null;
        }
        ParameterShards divided = Objects.requireNonNull(shards);
        releaseCollected();
        Variable parameter = parameters.get(number);
        Variable part = divided.own(parameter);
        Tensor own = part == null ? null : ownWeight(part);
        boolean wide = average != null && average.isSwapped() || !frozen.contains(parameter);
        DType dtype = parameter.value().dtype();
        collected = new StateShards(
                        ParameterShards.nameOf(parameter),
                        wide ? dtype.computed() : dtype,
                        parameter.shape(),
                        divided.of(parameter),
                        own)
                .collect(ranks, model.device());
        return collected;
    }

    private void releaseCollected() {
        if (collected != null) {
            collected.release("the next tensor was read");
            collected = null;
        }
    }

    /**
     * Does something on the first process that reads weights or {@linkplain #write writes} the state; the others do their parts.
     *
     * @throws OtherRankException on the other processes, if it failed on the first
     */
    void lead(Ranks.Alone<?> action) throws IOException {
        freeWeights();
        try {
            ranks.lead(action, this::serve);
        } finally {
            freeWeights();
            releaseCollected();
        }
    }

    // ---- the loss scale ----

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
