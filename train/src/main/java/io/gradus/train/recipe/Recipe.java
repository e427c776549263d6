package io.gradus.train.recipe;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonUnwrapped;
import io.gradus.core.DType;
import io.gradus.core.FileNames;
import io.gradus.core.MatmulPrecision;
import io.gradus.core.WholeFile;
import io.gradus.data.DataFormat;
import io.gradus.data.ExampleEncoder;
import io.gradus.data.LabelTemplate;
import io.gradus.data.Packing;
import io.gradus.nn.model.ProblemType;
import io.gradus.optim.Schedule;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The settings of a fine-tuning run. {@code recipe.yaml} beside this class lists all keys with their meaning and default. A
 * recipe is built in Java, or read from YAML; both set only the keys that differ from the defaults.
 *
 * {@snippet :
 * Recipe recipe = Recipe.builder()
 *         .model(Path.of("my-llama"))
 *         .train(Path.of("corpus.txt"))
 *         .output(Path.of("my-llama-tuned"))
 *         .steps(300)
 *         .build();
 * Recipe slower = recipe.with("learning_rate=1e-4", "output=slower");
 * Recipe read = Recipe.read(Path.of("recipe.yaml"), "steps=600");
 * }
 */
public record Recipe(
        TaskKind task,
        Model model,
        Data data,
        Classification classification,
        @Nullable Path output,
        @Nullable Integer steps,
        @Nullable Double epochs,
        int batchSize,
        int gradientAccumulationSteps,
        @JsonUnwrapped Memory memory,
        double learningRate,
        ScheduleKind schedule,
        double warmupRatio,
        @Nullable Double minLrRatio,
        double layerDecay,
        @Nullable Integer gradualUnfreezeSteps,
        OptimizerKind optimizer,
        double weightDecay,
        @Nullable Double beta1,
        @Nullable Double beta2,
        @Nullable Double epsilon,
        @Nullable Double momentum,
        @Nullable Boolean nesterov,
        double maxGradNorm,
        @JsonUnwrapped Forgetting forgetting,
        int evalSteps,
        @Nullable Integer maxEvalBlocks,
        @JsonUnwrapped Guards guards,
        int saveSteps,
        int saveTotalLimit,
        SaveDtype saveDtype,
        boolean resume,
        boolean acceptChangedInputs,
        boolean checkFirstLoss,
        Sample sample,
        long seed,
        String device,
        @Nullable Integer threads,
        ParallelKind parallel) {

    private static final int MAX_BYTES = 1 << 20;

    /** The pre-trained model. */
    public record Model(@Nullable Path path) {}

    /** Default block length, in tokens; the cost of attention grows with its square. */
    public static final int DEFAULT_BLOCK_LENGTH = 256;

    private static final int DEFAULT_EVAL_BLOCKS = 64;

    /** The texts, and how they become blocks of tokens. */
    public record Data(
            @Nullable Path train,
            List<Source> sources,
            @Nullable Path eval,
            double validationSplit,
            @Nullable Path general,
            @Nullable Integer maxSeqLen,
            DataFormat.Kind format,
            @Nullable String chatTemplate,
            LabelTemplate labelTemplate,
            @Nullable Packing packing,
            boolean variableBptt,
            double replayRatio,
            @Nullable Path replay,
            String textColumn,
            @Nullable String textPairColumn,
            @Nullable String labelColumn) {

        public Data {
            sources = List.copyOf(sources);
            require(
                    validationSplit > 0 && validationSplit < 1,
                    "data.validation_split",
                    validationSplit,
                    "between 0 and 1");
            require(maxSeqLen == null || maxSeqLen >= 2, "data.max_seq_len", maxSeqLen, "at least 2");
            require(replayRatio >= 0 && replayRatio < 1, "data.replay_ratio", replayRatio, "at least 0 and below 1");
            if (variableBptt && packing != Packing.CONTIGUOUS) {
                throw new RecipeException(
                        "data.variable_bptt has an effect on data.packing=contiguous only, and data.packing is "
                                + (packing == null ? "null" : lowerCase(packing))
                                + "; set that, or remove data.variable_bptt");
            }
            if (train != null && !sources.isEmpty()) {
                throw new RecipeException(
                        "data.train and data.sources both name text to train on; leave one of them out");
            }
            long weighted =
                    sources.stream().filter(source -> source.weight != null).count();
            if (weighted != 0 && weighted != sources.size()) {
                throw new RecipeException("data.sources: give a weight to each of the " + sources.size()
                        + " or to none, which weights them by length; " + weighted + " have one");
            }
            if (chatTemplate != null && format != DataFormat.Kind.AUTO && format != DataFormat.Kind.CHAT) {
                throw new RecipeException("data.chat_template is for chats, and data.format is " + lowerCase(format)
                        + "; leave one of them out");
            }
        }

        /** The files and folders with text to train on; empty when the recipe names none. */
        public List<Path> trained() {
            return train != null
                    ? List.of(train)
                    : sources.stream().map(Source::path).toList();
        }

        /**
         * The block length: {@code max_seq_len}, or by default the model's context length, at most {@value
         * #DEFAULT_BLOCK_LENGTH}.
         *
         * @throws RecipeException when {@code max_seq_len} exceeds the context length
         */
        public int blockLength(int contextLength) {
            if (maxSeqLen == null) {
                return Math.min(DEFAULT_BLOCK_LENGTH, contextLength);
            }
            if (maxSeqLen > contextLength) {
                throw new RecipeException(
                        "data.max_seq_len is " + maxSeqLen + ", but the context length of the model is " + contextLength
                                + " (max_position_embeddings or n_positions)");
            }
            return maxSeqLen;
        }
    }

    /** How a classifier of sequences is trained. */
    public record Classification(
            @Nullable ProblemType problemType,
            List<String> classWeights,
            double labelSmoothing,
            ExampleEncoder.Truncation truncation) {
        public Classification {
            classWeights = List.copyOf(classWeights);
            require(
                    labelSmoothing >= 0 && labelSmoothing < 1,
                    "classification.label_smoothing",
                    labelSmoothing,
                    "at least 0 and below 1");
            if (problemType == ProblemType.REGRESSION && (!classWeights.isEmpty() || labelSmoothing > 0)) {
                throw new RecipeException("classification.class_weights and classification.label_smoothing have no"
                        + " effect with classification.problem_type=regression; remove them");
            }
        }
    }

    /**
     * One of several training texts.
     *
     * @param path a file or a folder
     * @param weight its share of the rows, relative to the other sources; null: in proportion to their lengths
     */
    public record Source(Path path, @Nullable Double weight) {

        public Source {
            require(
                    weight == null || (weight > 0 && Double.isFinite(weight)),
                    "data.sources.weight",
                    weight,
                    "above 0");
        }

        @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
        static Source of(String path) {
            return new Source(FileNames.path(path), null);
        }
    }

    /** Memory and precision. In YAML these keys are at the top level, as are those of the next two records. */
    public record Memory(
            PrecisionKind precision,
            MatmulPrecision matmulPrecision,
            boolean activationCheckpointing,
            boolean optimizerInBwd,
            @Nullable Integer lossChunkSize) {

        public Memory {
            require(lossChunkSize == null || lossChunkSize >= 0, "loss_chunk_size", lossChunkSize, "0 or more");
            if (optimizerInBwd && precision == PrecisionKind.F16) {
                throw new RecipeException(
                        "optimizer_in_bwd and precision=f16 exclude each other: a step in f16 is skipped when any"
                                + " gradient overflows, but by then weights have changed; use precision=bf16");
            }
        }
    }

    /** Settings against forgetting. */
    public record Forgetting(
            List<String> freeze,
            double l2Sp,
            double ewc,
            int ewcSamples,
            @Nullable Double emaDecay,
            double wiseFtAlpha) {

        public Forgetting {
            freeze = List.copyOf(freeze);
            require(freeze.stream().noneMatch(String::isBlank), "freeze", freeze, "names, with * for any characters");
            require(l2Sp >= 0 && Double.isFinite(l2Sp), "l2_sp", l2Sp, "0 or more");
            require(ewc >= 0 && Double.isFinite(ewc), "ewc", ewc, "0 or more");
            require(ewcSamples >= 1, "ewc_samples", ewcSamples, "at least 1");
            require(
                    emaDecay == null || emaDecay > 0 && emaDecay < 1,
                    "ema_decay",
                    emaDecay,
                    "between 0 and 1, such as 0.999");
            require(wiseFtAlpha > 0 && wiseFtAlpha <= 1, "wise_ft_alpha", wiseFtAlpha, "above 0 and at most 1");
        }
    }

    /** Settings of the guards. */
    public record Guards(
            @Nullable Integer earlyStoppingPatience,
            boolean loadBestModelAtEnd,
            @Nullable String metricForBestModel,
            @Nullable Double spikeZ) {

        public Guards {
            require(
                    earlyStoppingPatience == null || earlyStoppingPatience >= 1,
                    "early_stopping_patience",
                    earlyStoppingPatience,
                    "at least 1");
            require(spikeZ == null || spikeZ > 0 && Double.isFinite(spikeZ), "spike_z", spikeZ, "above 0");
            if (metricForBestModel != null && earlyStoppingPatience == null && !loadBestModelAtEnd) {
                throw new RecipeException("metric_for_best_model has no effect without load_best_model_at_end or"
                        + " early_stopping_patience; set one of them, or remove it");
            }
        }

        /** Whether the run saves the weights of its best evaluation instead of the last. */
        public boolean restoresBest() {
            return loadBestModelAtEnd || earlyStoppingPatience != null;
        }
    }

    /** The samples before and after training. */
    public record Sample(@Nullable String prompt, int maxTokens, double temperature) {

        public Sample {
            require(maxTokens >= 0, "sample.max_tokens", maxTokens, "0 or more");
            require(temperature >= 0 && Double.isFinite(temperature), "sample.temperature", temperature, "0 or more");
        }
    }

    /** What a run trains. */
    public enum TaskKind {
        /** A language model: to predict the next token of texts. */
        LANGUAGE_MODELING("token"),
        /** A classifier of texts, or of pairs of texts. */
        SEQUENCE_CLASSIFICATION("example"),
        /** A classifier of the words of sentences. */
        TOKEN_CLASSIFICATION("word"),
        /** An encoder: to predict hidden tokens of texts. */
        MASKED_LANGUAGE_MODELING("token"),
        /** A network that turns texts into vectors. */
        EMBEDDINGS("pair");

        private final String target;

        TaskKind(String target) {
            this.target = target;
        }

        /** What a target of the loss is, in reports: {@code token}, {@code example}, {@code word} or {@code pair}. */
        public String target() {
            return target;
        }

        /** Whether the data are examples of what is to be learned, such as texts with labels, and not plain text. */
        public boolean readsExamples() {
            return this != LANGUAGE_MODELING && this != MASKED_LANGUAGE_MODELING;
        }

        /** The name in recipes, such as {@code token_classification}. */
        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** The dtype of weights and gradients, and of activations if the device computes in it. */
    public enum PrecisionKind {
        F32(DType.F32),
        BF16(DType.BF16),
        F16(DType.F16);

        private final DType dtype;

        PrecisionKind(DType dtype) {
            this.dtype = dtype;
        }

        public DType dtype() {
            return dtype;
        }
    }

    /** The dtype of saved weights; {@code KEEP} is that of each tensor of the model to start from. */
    public enum SaveDtype {
        KEEP(null),
        F32(DType.F32),
        BF16(DType.BF16),
        F16(DType.F16);

        private final @Nullable DType dtype;

        SaveDtype(@Nullable DType dtype) {
            this.dtype = dtype;
        }

        /** The dtype in which a tensor is saved. */
        public DType of(DType start) {
            return dtype == null ? start : dtype;
        }
    }

    /** How several processes train one model. */
    public enum ParallelKind {
        /** One process trains. */
        NONE,
        /** Each process has all weights and batches of its own; their gradients are added. */
        DATA,
        /** In addition, each process has its part of the optimizer's state only (ZeRO; Rajbhandari et al. 2020). */
        ZERO1,
        /** In addition, each process keeps its part of the gradients only. */
        ZERO2,
        /** In addition, each process has its part of the weights only, and collects those of a layer while it uses them. */
        ZERO3
    }

    /** The learning rate schedule after the warmup, and the keys that only some schedules honor. */
    public enum ScheduleKind {
        COSINE("min_lr_ratio"),
        LINEAR,
        CONSTANT,
        SLANTED_TRIANGULAR("min_lr_ratio");

        private final Set<String> keys;

        ScheduleKind(String... keys) {
            this.keys = Set.of(keys);
        }
    }

    /** The optimizer, and the keys that only some optimizers honor. */
    public enum OptimizerKind {
        ADAMW("beta1", "beta2", "epsilon"),
        ADAM("beta1", "beta2", "epsilon"),
        SGD("momentum", "nesterov"),
        ADAFACTOR,
        ADAMW8BIT("beta1", "beta2", "epsilon");

        private final Set<String> keys;

        OptimizerKind(String... keys) {
            this.keys = Set.of(keys);
        }
    }

    public Recipe {
        require(steps == null || steps >= 1, "steps", steps, "at least 1");
        require(epochs == null || (epochs > 0 && Double.isFinite(epochs)), "epochs", epochs, "above 0");
        require(batchSize >= 1, "batch_size", batchSize, "at least 1");
        require(gradientAccumulationSteps >= 1, "gradient_accumulation_steps", gradientAccumulationSteps, "at least 1");
        require(learningRate >= 0 && Double.isFinite(learningRate), "learning_rate", learningRate, "0 or more");
        require(
                warmupRatio >= 0 && warmupRatio < 1,
                "warmup_ratio",
                warmupRatio,
                "a part of the steps, at least 0 and below 1");
        require(
                minLrRatio == null || minLrRatio >= 0 && minLrRatio <= 1,
                "min_lr_ratio",
                minLrRatio,
                "a part of the peak, from 0 to 1");
        require(layerDecay > 0 && layerDecay <= 1, "layer_decay", layerDecay, "above 0 and at most 1");
        require(
                gradualUnfreezeSteps == null || gradualUnfreezeSteps >= 1,
                "gradual_unfreeze_steps",
                gradualUnfreezeSteps,
                "at least 1");
        require(weightDecay >= 0 && Double.isFinite(weightDecay), "weight_decay", weightDecay, "0 or more");
        require(beta1 == null || beta1 >= 0 && beta1 < 1, "beta1", beta1, "from 0 to below 1");
        require(beta2 == null || beta2 >= 0 && beta2 < 1, "beta2", beta2, "from 0 to below 1");
        require(epsilon == null || epsilon > 0 && Double.isFinite(epsilon), "epsilon", epsilon, "above 0");
        require(momentum == null || momentum >= 0 && momentum < 1, "momentum", momentum, "from 0 to below 1");
        require(
                nesterov == null || !nesterov || momentum == null || momentum > 0,
                "nesterov",
                nesterov,
                "false without momentum");
        require(maxGradNorm > 0, "max_grad_norm", maxGradNorm, "above 0; Infinity disables clipping");
        require(evalSteps >= 1, "eval_steps", evalSteps, "at least 1");
        require(maxEvalBlocks == null || maxEvalBlocks >= 1, "max_eval_blocks", maxEvalBlocks, "at least 1");
        require(saveSteps >= 0, "save_steps", saveSteps, "0 or more");
        require(saveTotalLimit >= 1, "save_total_limit", saveTotalLimit, "at least 1");
        require(device.equals("cpu") || device.equals("gpu"), "device", device, "cpu or gpu");
        require(threads == null || threads >= 1, "threads", threads, "at least 1");
        if (device.equals("gpu") && memory.matmulPrecision != MatmulPrecision.HIGHEST) {
            throw new RecipeException("matmul_precision=" + lowerCase(memory.matmulPrecision)
                    + " has no effect with device=gpu, which computes products in F32; set matmul_precision=highest, or"
                    + " device=cpu");
        }
        rejectWithoutEffect(
                "optimizer",
                optimizer,
                OptimizerKind.values(),
                kind -> kind.keys,
                optimizerKeys(beta1, beta2, epsilon, momentum, nesterov));
        rejectWithoutEffect(
                "schedule", schedule, ScheduleKind.values(), kind -> kind.keys, given("min_lr_ratio", minLrRatio));
        requireHonored(task, data, classification, sample);
        if (task != TaskKind.LANGUAGE_MODELING && forgetting.ewc > 0) {
            throw new RecipeException(
                    "ewc needs general text, which only language models read; use l2_sp with task=" + task);
        }
        if (resume && output == null) {
            throw new RecipeException("resume needs output, the folder of the run to continue");
        }
        if (acceptChangedInputs && !resume) {
            throw new RecipeException(
                    "accept_changed_inputs has no effect without resume; remove it or set resume=true");
        }
        if (memory.optimizerInBwd && gradientAccumulationSteps > 1) {
            throw new RecipeException("optimizer_in_bwd frees each gradient at once and cannot accumulate: set"
                    + " gradient_accumulation_steps=1 with a larger batch_size, or optimizer_in_bwd=false");
        }
        if (memory.optimizerInBwd && Double.isFinite(maxGradNorm)) {
            throw new RecipeException("optimizer_in_bwd updates weights before all gradients are known, so it cannot"
                    + " clip: set max_grad_norm=Infinity, or optimizer_in_bwd=false");
        }
        if (data.replay != null && data.replayRatio == 0 && forgetting.ewc == 0) {
            throw new RecipeException(
                    "data.replay names text to mix in, but data.replay_ratio is 0; set data.replay_ratio=0.05");
        }
        if (forgetting.l2Sp > 0 && forgetting.ewc > 0) {
            throw new RecipeException("l2_sp and ewc both keep the weights near their start; use one of them");
        }
        if (schedule == ScheduleKind.SLANTED_TRIANGULAR && minLrRatio != null && minLrRatio == 0) {
            throw new RecipeException("schedule=slanted_triangular starts at min_lr_ratio, which is 0, so the"
                    + " first step would have learning rate 0; use min_lr_ratio=0.03125 (1/32)");
        }
    }

    /** The most blocks to evaluate on, of a language model. */
    public int evaluatedBlocks() {
        return maxEvalBlocks == null ? DEFAULT_EVAL_BLOCKS : maxEvalBlocks;
    }

    /** A key that not all tasks honor. */
    private record TaskKey(String name, boolean given, Set<TaskKind> honoredBy) {}

    /** Rejects keys that are set but that the task does not honor. */
    private static void requireHonored(TaskKind task, Data data, Classification classification, Sample sample) {
        Set<TaskKind> language = Set.of(TaskKind.LANGUAGE_MODELING);
        Set<TaskKind> sequences = Set.of(TaskKind.SEQUENCE_CLASSIFICATION);
        Set<TaskKind> classifiers = Set.of(TaskKind.SEQUENCE_CLASSIFICATION, TaskKind.TOKEN_CLASSIFICATION);
        Stream.of(
                        new TaskKey("classification.problem_type", classification.problemType != null, sequences),
                        new TaskKey("classification.class_weights", !classification.classWeights.isEmpty(), sequences),
                        new TaskKey("classification.label_smoothing", classification.labelSmoothing > 0, classifiers),
                        new TaskKey(
                                "classification.truncation",
                                classification.truncation != ExampleEncoder.Truncation.HEAD_TAIL,
                                sequences),
                        new TaskKey("data.text_column", !data.textColumn.equals("text"), sequences),
                        new TaskKey("data.text_pair_column", data.textPairColumn != null, sequences),
                        new TaskKey("data.label_column", data.labelColumn != null, classifiers),
                        new TaskKey("data.general", data.general != null, language),
                        new TaskKey("data.replay_ratio", data.replayRatio > 0, language),
                        new TaskKey("data.chat_template", data.chatTemplate != null, language),
                        new TaskKey("data.packing", data.packing != null, language),
                        new TaskKey("data.format", data.format != DataFormat.Kind.AUTO, language),
                        new TaskKey("data.label_template", !data.labelTemplate.equals(LabelTemplate.DEFAULT), language),
                        new TaskKey("sample.prompt", sample.prompt != null, language))
                .filter(key -> key.given && !key.honoredBy.contains(task))
                .findFirst()
                .ifPresent(key -> {
                    throw new RecipeException(key.name + " has no effect with task=" + task + "; remove it");
                });
    }

    private static String lowerCase(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }

    /** The keys of single optimizers that are set. */
    private static List<String> optimizerKeys(
            @Nullable Double beta1,
            @Nullable Double beta2,
            @Nullable Double epsilon,
            @Nullable Double momentum,
            @Nullable Boolean nesterov) {
        return Stream.of(
                        given("beta1", beta1),
                        given("beta2", beta2),
                        given("epsilon", epsilon),
                        given("momentum", momentum),
                        given("nesterov", nesterov))
                .flatMap(List::stream)
                .toList();
    }

    private static List<String> given(String key, @Nullable Object value) {
        return value == null ? List.of() : List.of(key);
    }

    /** The keys that choose the optimizer and its constants, as far as they are set to other values than the defaults. */
    List<String> optimizerKeys() {
        List<String> keys = new ArrayList<>(given("optimizer", optimizer == OptimizerKind.ADAMW ? null : optimizer));
        keys.addAll(optimizerKeys(beta1, beta2, epsilon, momentum, nesterov));
        return keys;
    }

    /** The keys that are set in this recipe and that an optimizer does not honor. */
    public List<String> keysWithoutEffect(OptimizerKind other) {
        return optimizerKeys(beta1, beta2, epsilon, momentum, nesterov).stream()
                .filter(key -> !other.keys.contains(key))
                .toList();
    }

    /** Rejects keys that are set but that the chosen optimizer or schedule does not honor. */
    private static <E extends Enum<E>> void rejectWithoutEffect(
            String choice, E chosen, E[] all, Function<E, Set<String>> keys, List<String> given) {
        for (String key : given) {
            if (!keys.apply(chosen).contains(key)) {
                String honoring = Stream.of(all)
                        .filter(kind -> keys.apply(kind).contains(key))
                        .map(Recipe::lowerCase)
                        .collect(Collectors.joining(" or "));
                throw new RecipeException(key + " has no effect with " + choice + "=" + lowerCase(chosen)
                        + "; remove it or set " + key + "=null, or use " + choice + "=" + honoring);
            }
        }
    }

    private static void require(boolean condition, String key, @Nullable Object value, String wanted) {
        if (!condition) {
            throw new RecipeException(key + " is " + RecipeException.brief(value) + "; it must be " + wanted);
        }
    }

    /** The schedule of a run with this many steps; its factors are relative to the peak learning rate. */
    public Schedule schedule(int steps) {
        int rise = (int) Math.round(warmupRatio * steps);
        return switch (schedule) {
            case COSINE -> Schedule.cosine(rise, steps, minLrRatio == null ? 0.1 : minLrRatio);
            case LINEAR -> Schedule.linear(rise, steps);
            case CONSTANT -> Schedule.warmup(rise);
            case SLANTED_TRIANGULAR ->
                Schedule.slantedTriangular(steps, warmupRatio, minLrRatio == null ? 32 : 1 / minLrRatio);
        };
    }

    // ---- reading ----

    /** Builds a recipe, from the defaults. */
    public static RecipeBuilder builder() {
        return new RecipeBuilder();
    }

    /** The defaults of all keys. */
    public static Recipe defaults() {
        return parse("");
    }

    /**
     * Reads a recipe.
     *
     * @param yaml the keys that differ from the defaults
     * @param overrides {@code key=value}, with dots between the levels of a key, applied after the YAML. The value is
     *     YAML, but text and paths are taken literally, with all quotes and signs, and a list may be text with commas;
     *     {@code null} restores the default
     * @throws RecipeException naming the key that is unknown or has an invalid value
     */
    public static Recipe parse(String yaml, String... overrides) {
        return RecipeYaml.parse(yaml, overrides);
    }

    /**
     * Reads a recipe from a file; see {@link #parse}.
     *
     * @throws IOException if the file cannot be read
     */
    public static Recipe read(Path file, String... overrides) throws IOException {
        if (!Files.isRegularFile(file)) {
            throw new IOException("recipe " + file + (Files.exists(file) ? " is not a file" : " is missing"));
        }
        if (Files.size(file) > MAX_BYTES) {
            throw new IOException("recipe " + file + " has " + Files.size(file)
                    + " bytes, which is too much for a recipe; name a YAML file");
        }
        try {
            return parse(WholeFile.text(file), overrides);
        } catch (CharacterCodingException e) {
            throw new IOException("recipe " + file + " is not UTF-8 text", e);
        }
    }

    /** {@code recipe.yaml}: all keys with their defaults and descriptions. */
    public static String documentation() {
        try (InputStream yaml = Objects.requireNonNull(Recipe.class.getResourceAsStream("recipe.yaml"))) {
            return new String(yaml.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * This recipe with other values for some keys.
     *
     * @param overrides {@code key=value}, as in {@link #parse}
     * @throws RecipeException naming the key that is unknown or has an invalid value
     */
    public Recipe with(String... overrides) {
        return parse(toYaml(), overrides);
    }

    /** All keys with their values, as YAML that {@link #parse} reads back. */
    public String toYaml() {
        return RecipeYaml.write(this);
    }

    /** All keys, with dots between their levels, with their values as text. */
    public Map<String, String> toMap() {
        return RecipeYaml.flatten(this);
    }
}
