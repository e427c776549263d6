package io.gradus.train.recipe;

import io.gradus.core.MatmulPrecision;
import io.gradus.data.DataFormat;
import io.gradus.data.ExampleEncoder;
import io.gradus.data.LabelTemplate;
import io.gradus.data.Packing;
import io.gradus.nn.model.ProblemType;
import java.nio.file.Path;
import java.util.List;

/**
 * Builds a {@link Recipe} in Java. Each method sets the key of {@code recipe.yaml} with the same name, where the key is
 * described; keys that are not set keep their defaults.
 */
public final class RecipeBuilder {
    private final RecipeYaml.Keys keys = new RecipeYaml.Keys();

    RecipeBuilder() {}

    /**
     * Creates the recipe.
     *
     * @throws RecipeException if a value is out of range, or keys contradict each other; names the keys
     */
    public Recipe build() {
        return keys.recipe();
    }

    private RecipeBuilder set(String key, Object value) {
        keys.set(key, value);
        return this;
    }

    public RecipeBuilder task(Recipe.TaskKind value) {
        return set("task", value);
    }

    public RecipeBuilder model(Path path) {
        return set("model.path", path);
    }

    public RecipeBuilder train(Path path) {
        return set("data.train", path);
    }

    public RecipeBuilder sources(List<Recipe.Source> sources) {
        return set("data.sources", sources);
    }

    public RecipeBuilder eval(Path path) {
        return set("data.eval", path);
    }

    public RecipeBuilder validationSplit(double value) {
        return set("data.validation_split", value);
    }

    public RecipeBuilder general(Path path) {
        return set("data.general", path);
    }

    public RecipeBuilder maxSeqLen(int value) {
        return set("data.max_seq_len", value);
    }

    public RecipeBuilder format(DataFormat.Kind value) {
        return set("data.format", value);
    }

    public RecipeBuilder chatTemplate(String value) {
        return set("data.chat_template", value);
    }

    public RecipeBuilder labelTemplate(LabelTemplate value) {
        return set("data.label_template", value);
    }

    public RecipeBuilder packing(Packing value) {
        return set("data.packing", value);
    }

    public RecipeBuilder variableBptt(boolean value) {
        return set("data.variable_bptt", value);
    }

    public RecipeBuilder replayRatio(double value) {
        return set("data.replay_ratio", value);
    }

    public RecipeBuilder replay(Path path) {
        return set("data.replay", path);
    }

    public RecipeBuilder textColumn(String value) {
        return set("data.text_column", value);
    }

    public RecipeBuilder textPairColumn(String value) {
        return set("data.text_pair_column", value);
    }

    public RecipeBuilder labelColumn(String value) {
        return set("data.label_column", value);
    }

    public RecipeBuilder problemType(ProblemType value) {
        return set("classification.problem_type", value);
    }

    public RecipeBuilder classWeights(List<String> values) {
        return set("classification.class_weights", values);
    }

    public RecipeBuilder labelSmoothing(double value) {
        return set("classification.label_smoothing", value);
    }

    public RecipeBuilder truncation(ExampleEncoder.Truncation value) {
        return set("classification.truncation", value);
    }

    public RecipeBuilder output(Path path) {
        return set("output", path);
    }

    public RecipeBuilder steps(int value) {
        return set("steps", value);
    }

    public RecipeBuilder epochs(double value) {
        return set("epochs", value);
    }

    public RecipeBuilder batchSize(int value) {
        return set("batch_size", value);
    }

    public RecipeBuilder gradientAccumulationSteps(int value) {
        return set("gradient_accumulation_steps", value);
    }

    public RecipeBuilder precision(Recipe.PrecisionKind value) {
        return set("precision", value);
    }

    public RecipeBuilder matmulPrecision(MatmulPrecision value) {
        return set("matmul_precision", value);
    }

    public RecipeBuilder activationCheckpointing(boolean value) {
        return set("activation_checkpointing", value);
    }

    public RecipeBuilder optimizerInBwd(boolean value) {
        return set("optimizer_in_bwd", value);
    }

    public RecipeBuilder lossChunkSize(int value) {
        return set("loss_chunk_size", value);
    }

    public RecipeBuilder learningRate(double value) {
        return set("learning_rate", value);
    }

    public RecipeBuilder schedule(Recipe.ScheduleKind value) {
        return set("schedule", value);
    }

    public RecipeBuilder warmupRatio(double value) {
        return set("warmup_ratio", value);
    }

    public RecipeBuilder minLrRatio(double value) {
        return set("min_lr_ratio", value);
    }

    public RecipeBuilder layerDecay(double value) {
        return set("layer_decay", value);
    }

    public RecipeBuilder gradualUnfreezeSteps(int value) {
        return set("gradual_unfreeze_steps", value);
    }

    public RecipeBuilder optimizer(Recipe.OptimizerKind value) {
        return set("optimizer", value);
    }

    public RecipeBuilder weightDecay(double value) {
        return set("weight_decay", value);
    }

    public RecipeBuilder beta1(double value) {
        return set("beta1", value);
    }

    public RecipeBuilder beta2(double value) {
        return set("beta2", value);
    }

    public RecipeBuilder epsilon(double value) {
        return set("epsilon", value);
    }

    public RecipeBuilder momentum(double value) {
        return set("momentum", value);
    }

    public RecipeBuilder nesterov(boolean value) {
        return set("nesterov", value);
    }

    public RecipeBuilder maxGradNorm(double value) {
        return set("max_grad_norm", value);
    }

    public RecipeBuilder freeze(List<String> patterns) {
        return set("freeze", patterns);
    }

    public RecipeBuilder l2Sp(double value) {
        return set("l2_sp", value);
    }

    public RecipeBuilder ewc(double value) {
        return set("ewc", value);
    }

    public RecipeBuilder ewcSamples(int value) {
        return set("ewc_samples", value);
    }

    public RecipeBuilder emaDecay(double value) {
        return set("ema_decay", value);
    }

    public RecipeBuilder wiseFtAlpha(double value) {
        return set("wise_ft_alpha", value);
    }

    public RecipeBuilder evalSteps(int value) {
        return set("eval_steps", value);
    }

    public RecipeBuilder maxEvalBlocks(int value) {
        return set("max_eval_blocks", value);
    }

    public RecipeBuilder earlyStoppingPatience(int value) {
        return set("early_stopping_patience", value);
    }

    public RecipeBuilder loadBestModelAtEnd(boolean value) {
        return set("load_best_model_at_end", value);
    }

    public RecipeBuilder metricForBestModel(String value) {
        return set("metric_for_best_model", value);
    }

    public RecipeBuilder spikeZ(double value) {
        return set("spike_z", value);
    }

    public RecipeBuilder saveSteps(int value) {
        return set("save_steps", value);
    }

    public RecipeBuilder saveTotalLimit(int value) {
        return set("save_total_limit", value);
    }

    public RecipeBuilder saveDtype(Recipe.SaveDtype value) {
        return set("save_dtype", value);
    }

    public RecipeBuilder resume(boolean value) {
        return set("resume", value);
    }

    public RecipeBuilder acceptChangedInputs(boolean value) {
        return set("accept_changed_inputs", value);
    }

    public RecipeBuilder checkFirstLoss(boolean value) {
        return set("check_first_loss", value);
    }

    public RecipeBuilder samplePrompt(String value) {
        return set("sample.prompt", value);
    }

    public RecipeBuilder sampleMaxTokens(int value) {
        return set("sample.max_tokens", value);
    }

    public RecipeBuilder sampleTemperature(double value) {
        return set("sample.temperature", value);
    }

    public RecipeBuilder seed(long value) {
        return set("seed", value);
    }

    public RecipeBuilder device(String value) {
        return set("device", value);
    }

    public RecipeBuilder threads(int value) {
        return set("threads", value);
    }

    public RecipeBuilder parallel(Recipe.ParallelKind value) {
        return set("parallel", value);
    }
}
