package io.gradus.nn.model;

import io.gradus.autograd.Variable;
import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Scope;
import io.gradus.core.Tensor;
import io.gradus.core.safetensors.AtomicFile;
import io.gradus.core.safetensors.NamedTensor;
import io.gradus.core.safetensors.SafetensorsCheckpoint;
import io.gradus.core.safetensors.SafetensorsException;
import io.gradus.core.safetensors.SafetensorsWriter;
import io.gradus.core.safetensors.StreamedTensors;
import io.gradus.nn.WeightSource;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;

/**
 * A folder with a model in Hugging Face's layout: {@code config.json} and {@code model.safetensors} (or shards). The
 * tokenizer's files are in the same folder; the tokenizer reads and writes them itself.
 *
 * @param path the folder; to read only the configuration, {@code config.json} itself will do
 */
public record ModelFolder(Path path) {
    private static final String GENERATION_CONFIG = "generation_config.json";
    private static final long MAX_SHARD_BYTES = 5_000_000_000L;

    /**
     * Opens a folder that must exist.
     *
     * @throws IOException if there is no such folder
     */
    public static ModelFolder open(Path path) throws IOException {
        if (!Files.isDirectory(path)) {
            throw new IOException("model " + path + (Files.exists(path) ? " is not a folder" : " is missing")
                    + "; name a Hugging Face folder with config.json, model.safetensors and tokenizer.json");
        }
        return new ModelFolder(path);
    }

    /**
     * The description of the network: reads {@code config.json}, and if the folder has weights, their names and shapes.
     *
     * @throws IOException if the file is missing or malformed, if no {@link ModelFamily} reads its {@code model_type}, or if a
     *     size is not that of the weights
     */
    public ModelConfig config() throws IOException {
        ModelConfig config = config(ConfigJson.read(path));
        if (Files.isDirectory(path)) {
            try (SafetensorsCheckpoint checkpoint = SafetensorsCheckpoint.open(path)) {
                requireSizes(config, checkpoint);
            } catch (SafetensorsException e) {
                // The configuration is complete without weights. If they are needed, load reports what is wrong with
                // them.
            }
        }
        return config;
    }

    private void requireSizes(ModelConfig config, SafetensorsCheckpoint checkpoint) throws IOException {
        ConfigSize.require(config.sizes(), checkpoint, config.tensorNames(checkpoint::contains), ConfigJson.file(path));
    }

    private ModelConfig config(ConfigJson json) throws IOException {
        try {
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
     * does not honor.
     *
     * @param dtype the dtype of the parameters: F32, or BF16 or F16 for mixed precision
     * @throws IOException if a file is missing or damaged, if no {@link ModelFamily} reads its {@code model_type}, or if the
     *     weights do not fit the network that {@code config.json} describes
     */
    public LanguageModel load(Device device, DType dtype) throws IOException {
        ConfigJson json = ConfigJson.read(path);
        ModelConfig config = config(json);
        Set<String> unread = json.unreadKeys();
        if (!unread.isEmpty()) {
            System.getLogger(ModelFolder.class.getName())
                    .log(
                            Level.WARNING,
                            "{0}: these settings are ignored: {1}; if they change the computation, so do the results",
                            ConfigJson.file(path),
                            String.join(", ", unread));
        }
        try (SafetensorsCheckpoint checkpoint = SafetensorsCheckpoint.open(path)) {
            requireSizes(config, checkpoint);
            build(config, checkpoint, Device.meta(), dtype); // reports names that do not fit before anything is read
            return build(config, checkpoint, device, dtype);
        } catch (UncheckedIOException e) {
            throw Objects.requireNonNull(e.getCause());
        }
    }

    private static LanguageModel build(ModelConfig config, SafetensorsCheckpoint checkpoint, Device device, DType dtype)
            throws IOException {
        WeightSource weights = WeightSource.from(checkpoint, device, config.tensorNames(checkpoint::contains))
                .to(dtype);
        LanguageModel model = config.build(weights);
        weights.requireAllLoaded(config::ignoresTensor);
        return model;
    }

    /**
     * Reads the weights in F32, one tensor in memory at a time.
     *
     * @param model a network of this folder's configuration
     * @param action receives each parameter of the model with the folder's tensor for it
     */
    public void forEachWeight(LanguageModel model, BiConsumer<Variable, Tensor> action) throws IOException {
        try (SafetensorsCheckpoint file = SafetensorsCheckpoint.open(path)) {
            UnaryOperator<String> names = model.config().tensorNames(file::contains);
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
     * Saves a model that was loaded from this folder, with new weights, to another folder. {@code config.json} keeps all of
     * its keys. The weights are written last and appear at once, so that the target never holds half a model.
     */
    public void save(LanguageModel model, Path target) throws IOException {
        save(model, Variable::value, _ -> false, target);
    }

    /**
     * {@link #save(LanguageModel, Path)} with a choice of what is written.
     *
     * @param weights the tensor to write for a parameter: its value, or the F32 master copy of a 16-bit one
     * @param unchanged selects the parameters for which this folder's own tensor is written
     */
    public void save(
            LanguageModel model, Function<Variable, Tensor> weights, Predicate<Variable> unchanged, Path target)
            throws IOException {
        Path generation = path.resolve(GENERATION_CONFIG);
        if (Files.isRegularFile(generation)) {
            AtomicFile.write(target.resolve(GENERATION_CONFIG), Files.readString(generation));
        }
        StreamedTensors own = new StreamedTensors();
        List<NamedTensor> tensors = new ArrayList<>();
        model.namedParameters()
                .forEach((name, parameter) -> tensors.add(
                        unchanged.test(parameter)
                                ? own.tensor(name, DType.F32, parameter.shape(), () -> read(name, model))
                                : NamedTensor.of(name, weights.apply(parameter), DType.F32)));
        write(ConfigJson.read(path), tensors, target);
    }

    /** Writes the configuration, then the weights. */
    static void write(ConfigJson config, List<NamedTensor> tensors, Path target) throws IOException {
        config.set("torch_dtype", "float32");
        if (config.has("dtype")) {
            config.set("dtype", "float32");
        }
        AtomicFile.write(target.resolve(ConfigJson.FILE), config + "\n");
        SafetensorsWriter.writeCheckpoint(target, tensors, Map.of("format", "pt"), MAX_SHARD_BYTES);
    }

    /** This folder's tensor for a parameter of a model, in F32. */
    private Tensor read(String parameter, LanguageModel model) throws IOException {
        try (SafetensorsCheckpoint file = SafetensorsCheckpoint.open(path)) {
            String name = model.config().tensorNames(file::contains).apply(parameter);
            return file.read(name, model.device(), DType.F32, MemoryCategory.WORKSPACE);
        }
    }
}
