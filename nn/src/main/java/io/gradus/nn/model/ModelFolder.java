package io.gradus.nn.model;

import io.gradus.autograd.Variable;
import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Scope;
import io.gradus.core.Tensor;
import io.gradus.core.safetensors.SafetensorsCheckpoint;
import io.gradus.core.safetensors.SafetensorsException;
import io.gradus.nn.WeightSource;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.UnaryOperator;

/**
 * A folder with a model in Hugging Face's layout: {@code config.json} and {@code model.safetensors} (or shards). The
 * tokenizer's files are in the same folder; the tokenizer reads and writes them itself.
 *
 * @param path the folder; to read only the configuration, {@code config.json} itself will do
 */
public record ModelFolder(Path path) {
    /**
     * Opens a folder that must exist.
     *
     * @throws IOException if there is no such folder, or if it does not hold a model; says what it holds instead
     */
    public static ModelFolder open(Path path) throws IOException {
        NotAModel.requireNot(path);
        return new ModelFolder(path);
    }

    /**
     * The description of the network: reads {@code config.json}, and if the folder has weights, their names and shapes. If they
     * contradict {@code tie_word_embeddings}, they are right.
     *
     * @throws IOException if the file is missing or malformed, if no {@link ModelFamily} reads its {@code model_type}, or if a
     *     size is not that of the weights
     */
    public ModelConfig config() throws IOException {
        return description().config();
    }

    /**
     * What the folder says about its network.
     *
     * @param separated whether {@code json} said that the output layer shares the embedding table, but the folder has different
     *     weights for the two; {@code json} and {@code config} are corrected
     */
    private record Description(ConfigJson json, ModelConfig config, boolean separated) {}

    private Description description() throws IOException {
        ConfigJson json = ConfigJson.read(path);
        ModelConfig config = config(json);
        if (Files.isDirectory(path)) {
            try (SafetensorsCheckpoint checkpoint = SafetensorsCheckpoint.open(path)) {
                requireFits(config, checkpoint);
                WordEmbeddings embeddings = config.wordEmbeddings().orElse(null);
                if (embeddings != null
                        && embeddings.tied()
                        && embeddings.differ(checkpoint, names(config, checkpoint))) {
                    return new Description(json, config(json.set("tie_word_embeddings", false)), true);
                }
            } catch (SafetensorsException e) {
                // The configuration is complete without weights. If they are needed, load reports what is wrong with
                // them.
            }
        }
        return new Description(json, config, false);
    }

    /** Compares what the names and shapes of the weights show with the configuration. */
    private void requireFits(ModelConfig config, SafetensorsCheckpoint checkpoint) throws IOException {
        Quantization.requireNone(checkpoint);
        UnaryOperator<String> names = names(config, checkpoint);
        ConfigSize.require(config.sizes(), checkpoint, names, ConfigJson.file(path));
        WordEmbeddings embeddings = config.wordEmbeddings().orElse(null);
        if (embeddings != null && embeddings.lacksHead(checkpoint, names)) {
            throw new IOException(
                    checkpoint.path() + " has no " + embeddings.head() + ", the weight of the output layer."
                            + " If the output layer shares the embedding table, set tie_word_embeddings to true in "
                            + ConfigJson.FILE + "; else this model computes embeddings and does not predict text");
        }
    }

    /** The names of a network's parameters in a checkpoint. */
    private static UnaryOperator<String> names(ModelConfig config, SafetensorsCheckpoint checkpoint) {
        UnaryOperator<String> names = config.tensorNames(checkpoint::contains);
        return config.wordEmbeddings()
                .map(embeddings -> embeddings.tensorNames(names, checkpoint::contains))
                .orElse(names);
    }

    private ModelConfig config(ConfigJson json) throws IOException {
        try {
            Quantization.requireNone(json);
            return ModelFamily.of(json).read(json);
        } catch (IllegalArgumentException e) {
            throw ConfigJson.in(ConfigJson.file(path), e);
        }
    }

    /** {@link #load(Device, DType)} with parameters in F32. */
    public LanguageModel load(Device device) throws IOException {
        return load(device, DType.F32);
    }

    /**
     * Builds the network and reads its weights. Logs a warning if {@code config.json} has settings that the model's family
     * does not honor, or says that two different weights are tied.
     *
     * @param dtype the dtype of the parameters: F32, or BF16 or F16 for mixed precision
     * @throws IOException if a file is missing or damaged, if no {@link ModelFamily} reads its {@code model_type}, or if the
     *     weights do not fit the network that {@code config.json} describes
     */
    public LanguageModel load(Device device, DType dtype) throws IOException {
        return load(device, dtype, false);
    }

    /**
     * {@link #load(Device, DType)} that checks the weights' names and shapes and reads none of them. The parameters are
     * {@linkplain io.gradus.core.AbsentStorage absent}.
     */
    public LanguageModel loadAbsent(Device device, DType dtype) throws IOException {
        return load(device, dtype, true);
    }

    private LanguageModel load(Device device, DType dtype, boolean absent) throws IOException {
        Description description = description();
        warn(description);
        ModelConfig config = description.config();
        try (SafetensorsCheckpoint checkpoint = SafetensorsCheckpoint.open(path)) {
            requireFits(config, checkpoint);
            // reports names that do not fit before anything is read
            build(config, checkpoint, Device.meta(), dtype, false);
            return build(config, checkpoint, device, dtype, absent);
        } catch (UncheckedIOException e) {
            throw Objects.requireNonNull(e.getCause());
        }
    }

    private static LanguageModel build(
            ModelConfig config, SafetensorsCheckpoint checkpoint, Device device, DType dtype, boolean absent)
            throws IOException {
        WeightSource weights =
                WeightSource.from(checkpoint, device, names(config, checkpoint)).to(dtype);
        LanguageModel model = config.build(absent ? weights.absent() : weights);
        weights.requireAllLoaded(config::ignoresTensor);
        return model;
    }

    private void warn(Description description) {
        System.Logger log = System.getLogger(ModelFolder.class.getName());
        Set<String> unread = description.json().unreadKeys();
        if (!unread.isEmpty()) {
            log.log(
                    Level.WARNING,
                    "{0}: these settings are ignored: {1}; if they change the computation, so do the results",
                    ConfigJson.file(path),
                    String.join(", ", unread));
        }
        if (description.separated()) {
            log.log(
                    Level.WARNING,
                    "{0}: tie_word_embeddings says that the output layer shares the embedding table, but the folder has"
                            + " different weights for the two; both are used, and the saved model says so",
                    ConfigJson.file(path));
        }
    }

    /**
     * Reads the weights in F32, one tensor in memory at a time.
     *
     * @param model a network of this folder's configuration
     * @param action receives each parameter of the model with the folder's tensor for it
     */
    public void forEachWeight(LanguageModel model, BiConsumer<Variable, Tensor> action) throws IOException {
        try (SafetensorsCheckpoint file = SafetensorsCheckpoint.open(path)) {
            UnaryOperator<String> names = names(model.config(), file);
            for (Map.Entry<String, Variable> parameter : model.namedParameters().entrySet()) {
                try (Scope _ = Scope.open(parameter.getKey())) {
                    String name = names.apply(parameter.getKey());
                    action.accept(
                            parameter.getValue(), file.read(name, model.device(), DType.F32, MemoryCategory.WORKSPACE));
                }
            }
        }
    }

    /**
     * Saves a model that was loaded from this folder, with new weights in the dtype of its parameters, to another folder. {@code
     * config.json} keeps all of its keys, with {@code tie_word_embeddings} corrected if the weights contradict it. The weights
     * are written last and appear at once, so that the target never holds half a model.
     */
    public void save(LanguageModel model, Path target) throws IOException {
        DType dtype = model.lmHeadWeight().value().dtype();
        writer(model).write(Variable::value, _ -> false, _ -> dtype, target);
    }

    /** Saves this folder's model with other weights, also after the folder has changed. */
    public ModelWriter writer(LanguageModel model) throws IOException {
        return new ModelWriter(this, model, description().json(), file -> names(model.config(), file));
    }

    /** This folder's tensor for a parameter of a model, in F32. */
    Tensor read(String parameter, LanguageModel model) throws IOException {
        try (SafetensorsCheckpoint file = SafetensorsCheckpoint.open(path)) {
            String name = names(model.config(), file).apply(parameter);
            return file.read(name, model.device(), DType.F32, MemoryCategory.WORKSPACE);
        }
    }
}
