package io.gradus.nn.model;

import io.gradus.autograd.Variable;
import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Names;
import io.gradus.core.Scope;
import io.gradus.core.Tensor;
import io.gradus.core.safetensors.SafetensorsCheckpoint;
import io.gradus.core.safetensors.SafetensorsException;
import io.gradus.nn.WeightSource;
import io.gradus.nn.WeightSource.NewWeight;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BiConsumer;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * A folder with a model in Hugging Face's layout: {@code config.json} and {@code model.safetensors} (or shards). The
 * tokenizer's files are in the same folder; the tokenizer reads and writes them itself.
 *
 * @param path the folder; to read only the configuration, {@code config.json} itself will do
 * @param head of the network to build
 * @param headSeed of the weights of the head that the folder lacks; null if it must have all
 */
public record ModelFolder(Path path, Head head, @Nullable Long headSeed) {
    /** A folder with a causal language model. */
    public ModelFolder(Path path) {
        this(path, new Head.LanguageModeling(), null);
    }

    /**
     * Opens a folder that must exist. Of a model of sentence-transformers, it is the folder of the network, which older versions
     * keep within that of the model.
     *
     * @throws IOException if there is no such folder, or if it does not hold a model; says what it holds instead
     */
    public static ModelFolder open(Path path) throws IOException {
        Path network = SentenceModules.network(path);
        NotAModel.requireNot(network);
        return new ModelFolder(network);
    }

    /** The same folder, whose network has another head. The folder must have the weights of the head. */
    public ModelFolder withHead(Head other) {
        return new ModelFolder(path, other, null);
    }

    /** The same folder, whose network has another head. Weights of the head that the folder lacks are initialized. */
    public ModelFolder withNewHead(Head other, long seed) {
        return new ModelFolder(path, other, seed);
    }

    /**
     * The head that the folder itself has, by its {@code architectures}.
     *
     * @throws IOException if {@code config.json} is missing or malformed
     */
    public Head savedHead() throws IOException {
        try {
            return Head.read(ConfigJson.read(path));
        } catch (IllegalArgumentException e) {
            throw ConfigJson.in(ConfigJson.file(path), e);
        }
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
                        && embeddings.differ(checkpoint, tensorNames(config, checkpoint))) {
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
        UnaryOperator<String> names = tensorNames(config, checkpoint);
        ConfigSize.require(config.sizes(), checkpoint, names, ConfigJson.file(path));
        WordEmbeddings embeddings = config.wordEmbeddings().orElse(null);
        if (head instanceof Head.LanguageModeling && embeddings != null && embeddings.lacksHead(checkpoint, names)) {
            throw new IOException(
                    checkpoint.path() + " has no " + embeddings.head() + ", the weight of the output layer."
                            + " If the output layer shares the embedding table, set tie_word_embeddings to true in "
                            + ConfigJson.FILE + "; else this model computes embeddings and does not predict text");
        }
    }

    /** The names in a checkpoint of the tensors for a network's parameters. */
    public static UnaryOperator<String> tensorNames(ModelConfig config, SafetensorsCheckpoint checkpoint) {
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
        Head saved = savedHead();
        if (saved instanceof Head.SequenceClassification || saved instanceof Head.TokenClassification) {
            throw new IOException(path + " holds a model for " + saved.title()
                    + ", not a language model, which alone can write text; for labels of texts, use ./gradus predict");
        }
        if (loadModel(device, dtype) instanceof LanguageModel model) {
            return model;
        }
        throw new IOException(path + " does not hold a causal language model, which alone can write text");
    }

    /** {@link #load(Device, DType)} of a network with this folder's {@link #head}, whatever it is. */
    public PretrainedModel loadModel(Device device, DType dtype) throws IOException {
        return load(device, dtype, false);
    }

    /**
     * {@link #loadModel} that checks the weights' names and shapes and reads none of them. The parameters are {@linkplain
     * io.gradus.core.AbsentStorage absent}.
     */
    public PretrainedModel loadAbsent(Device device, DType dtype) throws IOException {
        return load(device, dtype, true);
    }

    private PretrainedModel load(Device device, DType dtype, boolean absent) throws IOException {
        Description description = description();
        warn(description);
        ModelConfig config = description.config();
        try (SafetensorsCheckpoint checkpoint = SafetensorsCheckpoint.open(path)) {
            requireFits(config, checkpoint);
            // reports names that do not fit before anything is read
            tell(built(config, checkpoint, Device.meta(), dtype, false), config);
            return built(config, checkpoint, device, dtype, absent).model();
        } catch (UncheckedIOException e) {
            throw Objects.requireNonNull(e.getCause());
        } catch (IllegalArgumentException e) {
            throw ConfigJson.in(ConfigJson.file(path), e); // the family does not have the head
        }
    }

    /**
     * A network.
     *
     * @param created the weights of its head that the folder lacks
     * @param unused the tensors of the folder that it does not need
     */
    private record Built(PretrainedModel model, Map<String, NewWeight> created, Set<String> unused) {}

    private Built built(
            ModelConfig config, SafetensorsCheckpoint checkpoint, Device device, DType dtype, boolean absent)
            throws IOException {
        WeightSource source = WeightSource.from(checkpoint, device, tensorNames(config, checkpoint))
                .to(dtype);
        WeightSource weights = headSeed == null ? source : source.withNewHead(headSeed);
        PretrainedModel model = config.build(absent ? weights.absent() : weights, head);
        Set<String> unused =
                weights.requireAllLoaded(name -> config.ignoresTensor(name) || config.isOfOtherHead(name, head));
        return new Built(model, weights.created(), unused);
    }

    /** Logs which weights of the head are new, and which tensors another head needs. */
    private void tell(Built built, ModelConfig config) {
        System.Logger log = System.getLogger(ModelFolder.class.getName());
        if (!built.created.isEmpty()) {
            log.log(
                    Level.INFO,
                    "{0}: new weights of the head for {1}: {2}",
                    path,
                    head.title(),
                    Names.few(built.created.keySet()));
        }
        Set<String> others = new TreeSet<>(built.unused);
        others.removeIf(config::ignoresTensor);
        if (!others.isEmpty()) {
            log.log(Level.INFO, "{0}: not needed for {1}: {2}", path, head.title(), Names.few(others));
        }
    }

    /** The weights of the head that the folder lacks. */
    private Map<String, NewWeight> created(ModelConfig config, SafetensorsCheckpoint checkpoint) throws IOException {
        return headSeed == null
                ? Map.of()
                : built(config, checkpoint, Device.meta(), DType.F32, false).created();
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
     * Reads the weights in F32, one tensor in memory at a time; those of a new head are initialized as in {@link #loadModel}.
     *
     * @param model a network of this folder's configuration
     * @param action receives each parameter of the model with the folder's tensor for it
     */
    public void forEachWeight(PretrainedModel model, BiConsumer<Variable, Tensor> action) throws IOException {
        try (SafetensorsCheckpoint file = SafetensorsCheckpoint.open(path)) {
            UnaryOperator<String> names = tensorNames(model.config(), file);
            Map<String, NewWeight> created = created(model.config(), file);
            for (Map.Entry<String, Variable> parameter : model.namedParameters().entrySet()) {
                try (Scope _ = Scope.open(parameter.getKey())) {
                    NewWeight weight = created.get(parameter.getKey());
                    String name = names.apply(parameter.getKey());
                    action.accept(
                            parameter.getValue(),
                            weight != null
                                    ? weight.on(model.device())
                                    : file.read(name, model.device(), DType.F32, MemoryCategory.WORKSPACE));
                }
            }
        }
    }

    /**
     * Saves a model that was loaded from this folder, with new weights in the dtype of its parameters, to another folder. {@code
     * config.json} keeps all of its keys, with {@code tie_word_embeddings} corrected if the weights contradict it. The weights
     * are written last and appear at once, so that the target never holds half a model.
     */
    public void save(PretrainedModel model, Path target) throws IOException {
        DType dtype = model.parameters().getFirst().value().dtype();
        writer(model).write(Variable::value, _ -> false, _ -> dtype, target);
    }

    /** Saves this folder's model with other weights, also after the folder has changed. */
    public ModelWriter writer(PretrainedModel model) throws IOException {
        ConfigJson json = description().json();
        ConfigJson described = model instanceof LanguageModel ? json : head.write(json, model.config());
        return new ModelWriter(this, model, described, file -> tensorNames(model.config(), file));
    }

    /** This folder's tensor for a parameter of a model, in F32. */
    Tensor read(String parameter, PretrainedModel model) throws IOException {
        try (SafetensorsCheckpoint file = SafetensorsCheckpoint.open(path)) {
            NewWeight weight = created(model.config(), file).get(parameter);
            if (weight != null) {
                return weight.on(model.device());
            }
            String name = tensorNames(model.config(), file).apply(parameter);
            return file.read(name, model.device(), DType.F32, MemoryCategory.WORKSPACE);
        }
    }
}
