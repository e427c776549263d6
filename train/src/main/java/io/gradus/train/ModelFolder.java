package io.gradus.train;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.gradus.autograd.Variable;
import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Scope;
import io.gradus.core.Tensor;
import io.gradus.core.safetensors.AtomicFile;
import io.gradus.core.safetensors.NamedTensor;
import io.gradus.core.safetensors.SafetensorsCheckpoint;
import io.gradus.core.safetensors.SafetensorsWriter;
import io.gradus.data.tokenizer.Tokenizer;
import io.gradus.nn.model.ConfigJson;
import io.gradus.nn.model.LanguageModel;
import io.gradus.nn.model.gpt2.Gpt2;
import io.gradus.nn.model.gpt2.Gpt2Config;
import io.gradus.nn.model.llama.Llama;
import io.gradus.nn.model.llama.LlamaConfig;
import io.gradus.train.delta.OneAtATime;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;

/**
 * A pre-trained model as Hugging Face keeps one: a folder with {@code config.json}, {@code model.safetensors} (or shards) and
 * tokeniser files.
 *
 * @param path the folder
 */
public record ModelFolder(Path path) {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String CONFIG = "config.json";
    private static final String GENERATION_CONFIG = "generation_config.json";
    private static final long MAX_SHARD_BYTES = 5_000_000_000L;

    /**
     * @throws IOException when there is no such folder
     */
    public static ModelFolder open(Path path) throws IOException {
        if (!Files.isDirectory(path)) {
            throw new IOException("model " + path + (Files.exists(path) ? " is not a folder" : " is missing")
                    + "; name a Hugging Face folder with config.json, model.safetensors and tokenizer.json");
        }
        return new ModelFolder(path);
    }

    /**
     * Builds the model that {@code config.json} describes and reads its weights.
     *
     * @throws IOException when its {@code model_type} is none of those known here, or a file is missing or damaged
     */
    public LanguageModel load(Device device) throws IOException {
        return load(device, DType.F32);
    }

    /**
     * {@link #load(Device)}.
     *
     * @param dtype of the parameters: F32, or BF16 or F16 for mixed precision
     */
    public LanguageModel load(Device device, DType dtype) throws IOException {
        return isGpt2() ? Gpt2.load(path, device, dtype) : Llama.load(path, device, dtype);
    }

    /**
     * The network that {@code config.json} describes; nothing else is read.
     *
     * @throws IOException as {@link #load}
     */
    public Architecture architecture() throws IOException {
        return isGpt2() ? Architecture.of(Gpt2Config.read(path)) : Architecture.of(LlamaConfig.read(path));
    }

    /** Whether the model is a GPT-2; it is a Llama or one of its kin otherwise. */
    private boolean isGpt2() throws IOException {
        String type = ConfigJson.modelType(path);
        return switch (type) {
            case "gpt2" -> true;
            case "llama", "mistral", "qwen2" -> false;
            default ->
                throw new IOException(path.resolve(CONFIG) + ": model_type is '" + type
                        + "'; supported are gpt2, llama, mistral and qwen2");
        };
    }

    /**
     * Reads the weights of this folder in F32, one at a time.
     *
     * @param work is given each parameter of a model of this architecture with what the folder has for it
     */
    void readInto(LanguageModel model, BiConsumer<Variable, Tensor> work) throws IOException {
        try (SafetensorsCheckpoint file = SafetensorsCheckpoint.open(path)) {
            UnaryOperator<String> names = model.namesIn(file);
            for (Map.Entry<String, Variable> parameter : model.namedParameters().entrySet()) {
                try (Scope _ = Scope.open(parameter.getKey())) {
                    String name = names.apply(parameter.getKey());
                    work.accept(
                            parameter.getValue(), file.read(name, model.device(), DType.F32, MemoryCategory.WORKSPACE));
                }
            }
        }
    }

    /** The tokeniser that the model was trained with. */
    public Tokenizer tokenizer() throws IOException {
        return Tokenizer.load(path);
    }

    /**
     * Writes a model of this folder's architecture, with other weights, to another folder. The weights come last and in one
     * moment, so that the folder never holds half a model.
     */
    public void save(LanguageModel model, Tokenizer tokenizer, Path target) throws IOException {
        save(model, Variable::value, _ -> false, tokenizer, target);
    }

    /**
     * {@link #save(LanguageModel, Tokenizer, Path)}.
     *
     * @param weights what to write of a parameter: its value, or the wider one that is kept beside one of 16 bits
     * @param unchanged parameters of which what this folder has is written instead
     */
    void save(
            LanguageModel model,
            Function<Variable, Tensor> weights,
            Predicate<Variable> unchanged,
            Tokenizer tokenizer,
            Path target)
            throws IOException {
        Files.createDirectories(target);
        ObjectNode config = (ObjectNode) JSON.readTree(path.resolve(CONFIG).toFile());
        config.put("torch_dtype", "float32");
        if (config.has("dtype")) {
            config.put("dtype", "float32");
        }
        AtomicFile.write(
                target.resolve(CONFIG), JSON.writerWithDefaultPrettyPrinter().writeValueAsString(config) + "\n");
        Path generation = path.resolve(GENERATION_CONFIG);
        if (Files.isRegularFile(generation)) {
            AtomicFile.write(target.resolve(GENERATION_CONFIG), Files.readString(generation));
        }
        tokenizer.save(target);
        OneAtATime copies = new OneAtATime();
        List<NamedTensor> tensors = new ArrayList<>();
        model.namedParameters()
                .forEach((name, parameter) -> tensors.add(
                        unchanged.test(parameter)
                                ? copies.tensor(name, DType.F32, parameter.shape(), () -> read(name, model))
                                : NamedTensor.of(name, weights.apply(parameter), DType.F32)));
        SafetensorsWriter.writeCheckpoint(target, tensors, Map.of("format", "pt"), MAX_SHARD_BYTES);
    }

    /** The weight of this folder that a parameter of a model of this architecture is named after, in F32. */
    private Tensor read(String parameter, LanguageModel model) throws IOException {
        try (SafetensorsCheckpoint file = SafetensorsCheckpoint.open(path)) {
            String name = model.namesIn(file).apply(parameter);
            return file.read(name, model.device(), DType.F32, MemoryCategory.WORKSPACE);
        }
    }
}
